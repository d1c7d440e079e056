/** What all dashboards have in common: datasources, variables, links, annotations, and panels set in rows. */
import {
  AnnotationQueryBuilder,
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  type Panel,
  QueryVariableBuilder,
  TextBoxVariableBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { buildPanel, linkTo, type PanelSpec, POSTGRES, PROMETHEUS } from './panel.ts';

export interface DashboardSpec {
  readonly uid: `kmswatch-${string}`;
  readonly title: string;
  readonly description: string;
  readonly from: string;
  /** Also a variable for one key. */
  readonly byKey?: true;
  readonly panels: readonly PanelSpec[];
}

/** Rows that the account and Region variables leave. */
export const IN_SCOPE = 'account IN (${account:sqlstring}) AND region IN (${region:sqlstring})';
/** Metrics have no account: one kmswatch may be told from another by its job. */
export const JOB = 'job=~"$job"';

const COLUMNS = 24;

export function buildDashboard(spec: DashboardSpec): Dashboard {
  const builder = new DashboardBuilder(`kmswatch / ${spec.title}`)
    .uid(spec.uid)
    .description(spec.description)
    .tags(['kmswatch'])
    .timezone('utc')
    .time({ from: spec.from, to: 'now' })
    .refresh('1m')
    .readonly()
    .tooltip(DashboardCursorSync.Crosshair)
    .variables(variables(spec.byKey ?? false))
    .annotation(findingAnnotations())
    .links([
      new DashboardLinkBuilder('kmswatch')
        .type(DashboardLinkType.Dashboards)
        .tags(['kmswatch'])
        .tooltip('The other dashboards')
        .icon('external link')
        .asDropdown(true)
        .includeVars(true)
        .keepTime(true),
      linkTo('Console', '${console}'),
      linkTo('Runbooks', '${runbooks}'),
    ]);
  return { ...builder.build(), panels: laidOut(spec.panels) };
}

function laidOut(specs: readonly PanelSpec[]): Panel[] {
  let [x, y, height] = [0, 0, 0];
  return specs.map((spec, at) => {
    if (x + spec.width > COLUMNS) [x, y, height] = [0, y + height, 0];
    const panel = buildPanel(spec, { id: at + 1, x, y });
    x += spec.width;
    height = Math.max(height, spec.height);
    return panel;
  });
}

function variables(byKey: boolean): (DatasourceVariableBuilder | QueryVariableBuilder | TextBoxVariableBuilder)[] {
  const all = { text: 'All', value: '$__all' };
  const fromKeys = (name: string, label: string, query: string): QueryVariableBuilder =>
    new QueryVariableBuilder(name)
      .label(label)
      .datasource(POSTGRES)
      .query(query)
      .refresh(VariableRefresh.OnTimeRangeChanged)
      .sort(VariableSort.AlphabeticalAsc);
  return [
    new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'),
    new DatasourceVariableBuilder('postgres').label('Database').type('grafana-postgresql-datasource'),
    new QueryVariableBuilder('job')
      .label('Job')
      .datasource(PROMETHEUS)
      .query('label_values(kmswatch_build_info, job)')
      .refresh(VariableRefresh.OnTimeRangeChanged)
      .multi(true)
      .includeAll(true)
      .allValue('.+')
      .current(all),
    fromKeys('account', 'Account', 'SELECT account FROM grafana.keys UNION SELECT account FROM grafana.findings')
      .multi(true)
      .includeAll(true)
      .current(all),
    fromKeys('region', 'Region', 'SELECT region FROM grafana.keys UNION SELECT region FROM grafana.findings')
      .multi(true)
      .includeAll(true)
      .current(all),
    ...(byKey
      ? [
          fromKeys(
            'key',
            'Key',
            `SELECT key_arn AS __value, coalesce(nullif(alias, ''), key_id) || ' (' || account || ', ' || region || ')' AS __text FROM grafana.keys WHERE ${IN_SCOPE} ORDER BY 2`,
          ),
        ]
      : []),
    new TextBoxVariableBuilder('console').label('Console').defaultValue('http://127.0.0.1:8787/'),
    new TextBoxVariableBuilder('runbooks').label('Runbooks').defaultValue('https://git.example.com/kmswatch/docs/runbooks'),
  ];
}

/** Findings of high severity, where they were first seen. */
function findingAnnotations(): AnnotationQueryBuilder {
  const sql = `SELECT first_seen AS time, title || coalesce(' ' || key_arn, '') AS text, severity || ',' || detector AS tags FROM grafana.findings WHERE $__timeFilter(first_seen) AND severity IN ('critical', 'high') AND ${IN_SCOPE} ORDER BY first_seen DESC LIMIT 200`;
  const target = {
    refId: 'Anno',
    editorMode: 'code',
    format: 'table',
    rawQuery: true,
    rawSql: sql,
    limit: 200,
    matchAny: false,
    tags: [],
    type: 'tags',
  };
  return new AnnotationQueryBuilder()
    .name('Findings')
    .enable(true)
    .iconColor('red')
    .datasource(POSTGRES)
    .target({ build: () => ({ ...target, _implementsDataqueryVariant: () => undefined }) });
}
