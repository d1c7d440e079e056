/** One dashboard: its panels at their places in the grid, as Grafana lays them. */
import '@fontsource-variable/inter/index.css';
import 'uplot/dist/uPlot.min.css';
import { ThemeContext } from '@grafana/data';
import { initPluginTranslations } from '@grafana/i18n';
import { GlobalStyles } from '@grafana/ui';
import { createRoot } from 'react-dom/client';
import type { Answers, Panel } from '../collect.ts';
import { PanelBox } from './panel-box.tsx';
import { theme } from './theme.ts';

/** Grafana's grid: 24 columns; rows of 30 pixels, 8 apart. */
const COLUMNS = 24;
const ROW = 38;
const GAP = 8;
const WIDTH = 1_400;
const HEAD = 48;

function Page({ answers }: { readonly answers: Answers }): React.JSX.Element {
  const { dashboard } = answers;
  const column = (WIDTH - GAP) / COLUMNS;
  const rows = Math.max(...dashboard.panels.map(({ gridPos }) => gridPos.y + gridPos.h));
  return (
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <div style={{ position: 'relative', width: WIDTH, height: HEAD + rows * ROW, background: theme.colors.background.canvas }}>
        <div style={{ display: 'flex', justifyContent: 'space-between', alignItems: 'center', height: HEAD, padding: '0 16px' }}>
          <span style={{ fontSize: 18, fontWeight: 500 }}>{dashboard.title}</span>
          <span style={{ color: theme.colors.text.secondary }}>{since(dashboard.time.from)} · UTC</span>
        </div>
        {dashboard.panels.map((panel) => {
          const { x, y, w, h } = panel.gridPos;
          return (
            <div
              key={panel.id}
              data-content={contentOf(panel, answers)}
              style={{ position: 'absolute', left: GAP + x * column, top: HEAD + y * ROW }}
            >
              <PanelBox panel={panel} answers={answers} width={w * column - GAP} height={h * ROW - GAP} />
            </div>
          );
        })}
      </div>
    </ThemeContext.Provider>
  );
}

function since(from: string): string {
  const [, count, unit = ''] = /^now-(\d+)([hd])$/.exec(from) ?? [];
  return `Last ${count} ${unit === 'd' ? 'days' : 'hours'}`;
}

/** What is there once the panel is drawn. */
function contentOf({ id, type }: Panel, { frames }: Answers): string {
  const isEmpty = (frames[id] ?? []).every(({ columns }) => columns[0]?.values.length === 0);
  if (isEmpty) return '*';
  return type === 'timeseries' ? 'canvas' : type === 'table' ? '[role=gridcell]' : '*';
}

async function draw(): Promise<void> {
  const root = document.getElementById('root');
  if (!root) return;
  await initPluginTranslations('kmswatch');
  const answers = (await (await fetch('/answers.json')).json()) as Answers;
  await document.fonts.load(`14px ${theme.typography.fontFamily}`);
  createRoot(root).render(<Page answers={answers} />);
  await untilDrawn();
  root.setAttribute('data-drawn', '');
}

/** Panels measure themselves, and tables wait for that; icons come last, and nothing tells when. */
async function untilDrawn(): Promise<void> {
  const isDrawn = (panel: HTMLElement): boolean => panel.querySelector(panel.dataset.content ?? '*') !== null;
  do await new Promise((resolve) => setTimeout(resolve, 1_500));
  while (![...document.querySelectorAll<HTMLElement>('[data-content]')].every(isDrawn));
}

void draw();
