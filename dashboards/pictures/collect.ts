/** Asks Prometheus and Postgres what the panels of a dashboard ask, as Grafana's datasources do. */
import type { Client } from 'pg';

export interface Column {
  readonly name: string;
  readonly type: 'time' | 'number' | 'boolean' | 'string';
  /** Times are milliseconds since 1970. */
  readonly values: readonly unknown[];
}

export interface Frame {
  readonly columns: readonly Column[];
}

export interface Target {
  readonly expr?: string;
  readonly instant?: boolean;
  readonly legendFormat?: string;
  readonly rawSql?: string;
  readonly format?: string;
}

/** What is used of Grafana's dashboard model. */
export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly fieldConfig: { readonly defaults: Record<string, unknown>; readonly overrides: readonly object[] };
  readonly options: Record<string, unknown>;
  readonly targets: readonly Target[];
}

export interface Dashboard {
  readonly title: string;
  readonly time: { readonly from: string };
  readonly panels: readonly Panel[];
}

/** From and to, in milliseconds since 1970. */
export type Range = readonly [from: number, to: number];

export interface Answers {
  readonly dashboard: Dashboard;
  readonly range: Range;
  /** Of the panels that ask Prometheus: it has seldom been there as long as the records. */
  readonly metricsRange: Range;
  readonly frames: Readonly<Record<number, readonly Frame[]>>;
}

export interface Datasources {
  readonly postgres: Client;
  /** Base URL. */
  readonly prometheus: string;
  readonly now: number;
  /** How far back the panels go that ask Prometheus, in milliseconds. */
  readonly metricsAge: number;
}

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };
/** Points of a series. */
const POINTS = 240;

/** @returns all frames of a dashboard, by panel */
export async function collect(dashboard: Dashboard, sources: Datasources): Promise<Answers> {
  const [, count, unit = 'd'] = /^now-(\d+)([mhd])$/.exec(dashboard.time.from) ?? [];
  const age = Number(count) * (UNITS[unit] ?? Number.NaN);
  const variables = await readVariables(sources.postgres);
  const range: Range = [sources.now - age, sources.now];
  const metricsRange: Range = [sources.now - Math.min(age, sources.metricsAge), sources.now];
  const frames: Record<number, Frame[]> = {};
  for (const panel of dashboard.panels) {
    frames[panel.id] = [];
    for (const target of panel.targets)
      frames[panel.id]?.push(
        ...(target.rawSql === undefined
          ? await askPrometheus(target, metricsRange, sources.prometheus)
          : await askPostgres(target, { range, variables, client: sources.postgres })),
      );
  }
  return { dashboard, range, metricsRange, frames };
}

/** All accounts and Regions, and of the keys one that there is something to show of. */
async function readVariables(client: Client): Promise<Record<string, string>> {
  const { rows } = await client.query<Record<string, string | null>>(
    `SELECT (SELECT string_agg(DISTINCT quote_literal(account), ',') FROM grafana.keys) AS account,
       (SELECT string_agg(DISTINCT quote_literal(region), ',') FROM grafana.keys) AS region,
       (SELECT quote_literal(k.key_arn) FROM grafana.keys k JOIN grafana.key_timeline t USING (key_arn)
         WHERE k.open_findings > 0 AND k.users > 1 GROUP BY k.key_arn, k.open_findings ORDER BY count(*) DESC, k.key_arn LIMIT 1) AS key`,
  );
  return Object.fromEntries(Object.entries(rows[0] ?? {}).map(([name, value]) => [name, value ?? 'NULL']));
}

interface PrometheusSeries {
  readonly metric: Record<string, string>;
  readonly value?: readonly [seconds: number, value: string];
  readonly values?: readonly (readonly [seconds: number, value: string])[];
}

async function askPrometheus({ expr = '', instant, legendFormat = '' }: Target, [from, to]: Range, base: string): Promise<Frame[]> {
  const step = Math.max(5, Math.round((to - from) / 1_000 / POINTS));
  const query = expr.replaceAll('$__rate_interval', `${Math.max(60, 4 * step)}s`).replaceAll('$job', '.+');
  const parameters: Record<string, string> = instant
    ? { query, time: String(to / 1_000) }
    : { query, start: String(from / 1_000), end: String(to / 1_000), step: String(step) };
  const response = await fetch(`${base}/api/v1/query${instant ? '' : '_range'}?${new URLSearchParams(parameters)}`);
  const answer = (await response.json()) as { error?: string; data?: { result: PrometheusSeries[] } };
  if (!answer.data) throw new Error(`${query}: ${answer.error}`);
  return answer.data.result.map(({ metric, value, values = value ? [value] : [] }) => ({
    columns: [
      { name: 'Time', type: 'time', values: values.map(([seconds]) => seconds * 1_000) },
      {
        name: legendFormat.replace(/\{\{(\w+)\}\}/g, (_whole, label: string) => metric[label] ?? ''),
        type: 'number',
        values: values.map(([, number]) => (Number.isFinite(Number(number)) ? Number(number) : null)),
      },
    ],
  }));
}

interface SqlScope {
  readonly client: Client;
  readonly range: Range;
  readonly variables: Readonly<Record<string, string>>;
}

async function askPostgres({ rawSql = '', format }: Target, { client, range, variables }: SqlScope): Promise<Frame[]> {
  const [from, to] = range.map((time) => `to_timestamp(${time / 1_000})`);
  const sql = rawSql
    .replace(/\$__timeFilter\((\w+)\)/g, `$1 BETWEEN ${from} AND ${to}`)
    .replace(/\$\{(\w+):sqlstring\}/g, (_whole, name: string) => variables[name] ?? 'NULL');
  const { rows, fields } = await client.query<Record<string, unknown>>(sql);
  const columns = fields.map(({ name, dataTypeID }): Column => {
    const type = columnType(dataTypeID);
    return { name, type, values: rows.map((row) => plain(row[name] ?? null, type)) };
  });
  return format === 'time_series' ? toSeries(columns) : [{ columns }];
}

/** By the numbers that Postgres gives its built-in types (catalog `pg_type`). */
function columnType(oid: number): Column['type'] {
  if (oid === 1082 || oid === 1114 || oid === 1184) return 'time';
  if (oid === 16) return 'boolean';
  return [20, 21, 23, 700, 701, 1700].includes(oid) ? 'number' : 'string';
}

function plain(value: unknown, type: Column['type']): unknown {
  if (value === null) return null;
  if (type === 'time') return (value as Date).getTime();
  return type === 'number' ? Number(value) : value;
}

/** As the Postgres datasource does: a series for each value of `metric`, or for each column of numbers. */
function toSeries(columns: readonly Column[]): Frame[] {
  const time = columns.find(({ type }) => type === 'time');
  const label = columns.find(({ type }) => type === 'string');
  const numbers = columns.filter(({ type }) => type === 'number');
  if (!time) return [];
  if (!label) return numbers.map((column) => ({ columns: [time, column] }));
  return [...new Set(label.values)].flatMap((name) => {
    const only = (column: Column): Column => ({ ...column, values: column.values.filter((_value, row) => label.values[row] === name) });
    return numbers.map((column) => ({ columns: [only(time), { ...only(column), name: String(name) }] }));
  });
}
