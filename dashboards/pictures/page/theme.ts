import { createTheme } from '@grafana/data';

/** Grafana's dark theme, in the font that a Grafana server brings along. */
export const theme = createTheme({ colors: { mode: 'dark' }, typography: { fontFamily: "'Inter Variable', sans-serif" } });
