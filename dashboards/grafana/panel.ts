/** One panel of a dashboard as it is described here, and how it becomes Grafana's. */
import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog';
import {
  BarGaugeDisplayMode,
  type DataSourceRef,
  LegendDisplayMode,
  VizLegendOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import { PanelBuilder as BarChart } from '@grafana/grafana-foundation-sdk/barchart';
import { PanelBuilder as BarGauge } from '@grafana/grafana-foundation-sdk/bargauge';
import {
  DashboardLinkBuilder,
  DashboardLinkType,
  type DynamicConfigValue,
  type Panel,
  ThresholdsConfigBuilder,
  ThresholdsMode,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as Stat } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as Table } from '@grafana/grafana-foundation-sdk/table';
import { PanelBuilder as TimeSeries } from '@grafana/grafana-foundation-sdk/timeseries';

export const PROMETHEUS: DataSourceRef = { type: 'prometheus', uid: '${datasource}' };
export const POSTGRES: DataSourceRef = { type: 'grafana-postgresql-datasource', uid: '${postgres}' };

/** How a column of a table is shown. */
export interface Column {
  readonly unit?: string;
  /** A URL with Grafana's `${__value.raw}` or `${__data.fields.NAME}`. */
  readonly link?: { readonly title: string; readonly url: string };
  /** By the panel's thresholds, or by how large the number is among those of the panel. */
  readonly coloured?: 'thresholds' | 'heat';
  readonly width?: number;
  readonly hidden?: true;
}

export interface PanelSpec {
  readonly kind: 'stat' | 'timeseries' | 'table' | 'bars' | 'gauges';
  readonly title: string;
  readonly description: string;
  /** Grafana's id of a unit: `short`, `s`, `ops`, `percentunit`. */
  readonly unit: string;
  /** Shown where the queries return nothing. */
  readonly noData: string;
  readonly width: number;
  readonly height: number;
  /** PromQL, each with its legend. */
  readonly prom?: readonly { readonly expr: string; readonly legend: string }[];
  /** Returns a table, or, with a column `time`, a series for each column or value of `metric`. */
  readonly sql?: string;
  /** Lower bounds of yellow and red. */
  readonly limits?: readonly [warning: number, critical: number];
  readonly columns?: Readonly<Record<string, Column>>;
  readonly stacked?: true;
  readonly drawnAs?: 'lines' | 'steps' | 'bars';
  /** Grafana's colours of series, by name; without, they follow the order. */
  readonly colours?: Readonly<Record<string, string>>;
}

/** Of series by severity. */
export const SEVERITY_COLOURS = { critical: 'dark-red', high: 'orange', medium: 'yellow', low: 'blue', info: 'text' } as const;

/** Widths of columns of tables in pixels, by name; the others share what is left. */
const WIDTHS: readonly (readonly [names: string, width: number])[] = [
  ['severity|status|outcome|uses|users|keys|denied|failed|waiting|open|findings|passing|failing|unknown|share|exposed|noise', 100],
  ['account|actor_account|actor_type|region|duty', 125],
  ['created|first_at|last_at|last_seen|last_used|last_rotated|last_denied_at|deletion_date|evaluated_at|time|state', 165],
  ['detector|actor_name|alias|operation', 210],
];
/** Instead of a value that is not there. */
const NO_VALUE = [{ id: 'noValue', value: '–' }];

/** Queries of the Postgres datasource have no builder in the SDK. */
function sqlQuery(sql: string, series: boolean): Builder<Dataquery> {
  const query = {
    refId: 'A',
    datasource: POSTGRES,
    editorMode: 'code',
    format: series ? 'time_series' : 'table',
    rawQuery: true,
    rawSql: sql,
  };
  return { build: () => ({ ...query, _implementsDataqueryVariant: () => undefined }) };
}

function targets(spec: PanelSpec): Builder<Dataquery>[] {
  if (spec.sql !== undefined) return [sqlQuery(tidy(spec.sql), spec.kind === 'timeseries')];
  return (spec.prom ?? []).map(({ expr, legend }, at) => {
    const query = new DataqueryBuilder()
      .refId(String.fromCharCode(65 + at))
      .datasource(PROMETHEUS)
      .expr(expr)
      .legendFormat(legend);
    return spec.kind === 'timeseries' ? query.range() : query.instant().format(PromQueryFormat.TimeSeries);
  });
}

/** @returns the panel, at this place and with this number */
export function buildPanel(spec: PanelSpec, at: { readonly id: number; readonly x: number; readonly y: number }): Panel {
  const panel = visualization(spec)
    .id(at.id)
    .title(spec.title)
    .description(spec.description)
    .datasource(spec.sql === undefined ? PROMETHEUS : POSTGRES)
    .targets(targets(spec))
    .unit(spec.unit)
    .noValue(spec.noData)
    .thresholds(thresholds(spec.limits))
    .gridPos({ x: at.x, y: at.y, w: spec.width, h: spec.height });
  // What is said of a panel without data Grafana would also put into single cells and legends.
  if (spec.kind === 'table' || spec.kind === 'timeseries') panel.overrideByRegexp('/.*/', NO_VALUE);
  if (spec.kind === 'table') {
    // A text of digits, such as an account, is not a number to be shortened.
    panel.overrideByFieldType('string', [{ id: 'unit', value: 'string' }]);
    for (const [names, width] of WIDTHS) panel.overrideByRegexp(`/^(${names})$/`, [{ id: 'custom.width', value: width }]);
  }
  for (const [name, fixedColor] of Object.entries(spec.colours ?? {}))
    panel.overrideByName(name, [{ id: 'color', value: { mode: 'fixed', fixedColor } }]);
  for (const [name, column] of Object.entries(spec.columns ?? {})) panel.overrideByName(name, overrides(column));
  return panel.build();
}

type AnyPanel = TimeSeries;

/** What is common to all kinds has the same methods; TypeScript sees `this` types that differ. */
function visualization(spec: PanelSpec): AnyPanel {
  const legend = new VizLegendOptionsBuilder()
    .showLegend(true)
    .displayMode(LegendDisplayMode.List)
    .placement('bottom' as never)
    .calcs(['lastNotNull']);
  switch (spec.kind) {
    case 'timeseries': {
      const panel = new TimeSeries()
        .legend(legend)
        .fillOpacity(spec.stacked ? 40 : 10)
        .lineWidth(1)
        .min(0);
      if (spec.unit === 'percentunit') panel.max(1);
      if (spec.drawnAs === 'steps') panel.lineInterpolation('stepAfter' as never);
      if (spec.drawnAs === 'bars') panel.drawStyle('bars' as never).fillOpacity(70);
      return spec.stacked ? panel.stacking({ build: () => ({ mode: 'normal' as never, group: 'A' }) }) : panel;
    }
    case 'bars':
      return new BarChart().legend(legend).min(0) as unknown as AnyPanel;
    case 'gauges':
      return new BarGauge().displayMode(BarGaugeDisplayMode.Gradient).min(0) as unknown as AnyPanel;
    case 'stat':
      return new Stat().colorMode('value' as never) as unknown as AnyPanel;
    case 'table':
      return new Table().filterable(true) as unknown as AnyPanel;
  }
}

function thresholds(limits: PanelSpec['limits']): ThresholdsConfigBuilder {
  const steps = limits
    ? [
        { value: null, color: 'green' },
        { value: limits[0], color: 'yellow' },
        { value: limits[1], color: 'red' },
      ]
    : [{ value: null, color: 'blue' }];
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps);
}

function overrides({ unit, link, coloured, width, hidden }: Column): DynamicConfigValue[] {
  return [
    ...(unit === undefined ? [] : [{ id: 'unit', value: unit }]),
    ...(link === undefined ? [] : [{ id: 'links', value: [{ title: link.title, url: link.url, targetBlank: false }] }]),
    ...(coloured
      ? [{ id: 'custom.cellOptions', value: { type: 'color-background', mode: coloured === 'heat' ? 'basic' : 'gradient' } }]
      : []),
    ...(coloured === 'heat' ? [{ id: 'color', value: { mode: 'continuous-blues' } }] : []),
    ...(width === undefined ? [] : [{ id: 'custom.width', value: width }]),
    // Grafana's older tables look at the first, its newer ones at the second.
    ...(hidden
      ? [
          { id: 'custom.hidden', value: true },
          { id: 'custom.hideFrom', value: { viz: true, legend: false, tooltip: false } },
        ]
      : []),
  ];
}

export function linkTo(title: string, url: string): DashboardLinkBuilder {
  return new DashboardLinkBuilder(title).type(DashboardLinkType.Link).url(url).icon('external link').tooltip(title).targetBlank(true);
}

function tidy(sql: string): string {
  return sql.replace(/\s+/g, ' ').trim();
}
