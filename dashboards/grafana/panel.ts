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
  /** Coloured by the panel's thresholds. */
  readonly coloured?: true;
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
}

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
    ...(coloured ? [{ id: 'custom.cellOptions', value: { type: 'color-background', mode: 'gradient' } }] : []),
    ...(width === undefined ? [] : [{ id: 'custom.width', value: width }]),
    ...(hidden ? [{ id: 'custom.hidden', value: true }] : []),
  ];
}

export function linkTo(title: string, url: string): DashboardLinkBuilder {
  return new DashboardLinkBuilder(title).type(DashboardLinkType.Link).url(url).icon('external link').tooltip(title).targetBlank(true);
}

function tidy(sql: string): string {
  return sql.replace(/\s+/g, ' ').trim();
}
