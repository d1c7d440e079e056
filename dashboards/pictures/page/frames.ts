/** Frames with the field configuration of their panel, applied by Grafana's own code. */
import {
  applyFieldOverrides,
  createDataFrame,
  type DataFrame,
  FieldColorModeId,
  type FieldConfigPropertyItem,
  FieldConfigOptionsRegistry,
  FieldType,
  type FieldConfigSource,
} from '@grafana/data';
import type { Frame, Panel } from '../collect.ts';
import { theme } from './theme.ts';

/** What a panel's plugin fills in where the JSON is silent. */
const TIME_SERIES = {
  drawStyle: 'line',
  lineInterpolation: 'linear',
  lineWidth: 1,
  fillOpacity: 0,
  pointSize: 5,
  showPoints: 'auto',
  spanNulls: false,
  axisPlacement: 'auto',
  axisLabel: '',
  axisColorMode: 'text',
  scaleDistribution: { type: 'linear' },
  hideFrom: { legend: false, tooltip: false, viz: false },
  stacking: { mode: 'none', group: 'A' },
  gradientMode: 'none',
  thresholdsStyle: { mode: 'off' },
};
const TABLE = { align: 'auto', cellOptions: { type: 'auto' }, inspect: false };

const PROPERTIES = ['unit', 'min', 'max', 'decimals', 'noValue', 'color', 'thresholds', 'links', 'mappings'];
const CUSTOM = ['align', 'inspect', 'filterable', 'cellOptions', 'width', 'hideFrom', 'hidden'];

/** The properties that our dashboards set; a Grafana server registers them with their editors. */
const registry = new FieldConfigOptionsRegistry(() => [
  ...PROPERTIES.map((path) => property(path, path, false)),
  ...[...new Set([...Object.keys(TIME_SERIES), ...CUSTOM])].map((path) => property(`custom.${path}`, path, true)),
]);

function property(id: string, path: string, isCustom: boolean): FieldConfigPropertyItem {
  const process = (value: unknown): unknown => value;
  return {
    id,
    path,
    isCustom,
    name: id,
    process,
    shouldApply: () => true,
    editor: () => null,
    override: () => null,
  } as FieldConfigPropertyItem;
}

/** @returns frames that a visualization can draw */
export function framesOf({ type, fieldConfig }: Panel, frames: readonly Frame[]): DataFrame[] {
  const { defaults, overrides } = structuredClone(fieldConfig);
  const custom = { ...(type === 'timeseries' ? TIME_SERIES : type === 'table' ? TABLE : {}), ...(defaults.custom as object) };
  const color = { mode: type === 'timeseries' ? FieldColorModeId.PaletteClassic : FieldColorModeId.Thresholds };
  return applyFieldOverrides({
    data: frames.map(({ columns }) =>
      createDataFrame({
        fields: columns.map(({ name, type: kind, values }) => ({ name, type: FieldType[kind], values: [...values], config: {} })),
      }),
    ),
    fieldConfig: { defaults: { color, ...defaults, custom }, overrides } as FieldConfigSource,
    fieldConfigRegistry: registry,
    replaceVariables: (text) => text,
    theme,
    timeZone: 'utc',
  });
}
