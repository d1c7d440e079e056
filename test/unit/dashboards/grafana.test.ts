/** The committed dashboards: Grafana's classic model, and the rules of grafana/dashboard-linter that can be checked without a server. */
import { globSync, readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { parser } from '@prometheus-io/lezer-promql';
import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { METRICS } from '../../../services/core/metrics.ts';

interface Target {
  readonly refId: string;
  readonly expr?: string;
  readonly legendFormat?: string;
  readonly rawSql?: string;
}

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description: string;
  readonly datasource: { readonly uid: string };
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets: readonly Target[];
  readonly fieldConfig: {
    readonly defaults: { readonly unit?: string; readonly noValue?: string };
    readonly overrides: readonly {
      readonly matcher: object;
      readonly properties: readonly { readonly id: string; readonly value: unknown }[];
    }[];
  };
  readonly options?: { readonly legend?: { readonly showLegend: boolean } };
}

interface Variable {
  readonly name: string;
  readonly type: string;
  readonly label?: string;
  readonly query?: unknown;
  readonly refresh?: number;
  readonly datasource?: { readonly uid: string };
}

interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly editable: boolean;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly Variable[] };
  readonly links: readonly { readonly type: string; readonly url?: string; readonly tags: readonly string[] }[];
  readonly annotations: { readonly list: readonly { readonly datasource: { readonly uid: string } }[] };
}

const FILES = globSync('dashboards/grafana/generated/*.json').toSorted();
const dashboards = FILES.map((file) => JSON.parse(readFileSync(file, 'utf8')) as Dashboard);
const panels = dashboards.flatMap((dashboard) => dashboard.panels.map((panel) => [`${dashboard.title}: ${panel.title}`, panel] as const));
const promql = panels.flatMap(([name, { targets }]) => targets.flatMap(({ expr }) => (expr === undefined ? [] : [[name, expr] as const])));

const REFERENCE = {
  type: 'object',
  required: ['type', 'uid'],
  properties: { type: { enum: ['prometheus', 'grafana-postgresql-datasource'] }, uid: { enum: ['${datasource}', '${postgres}'] } },
  additionalProperties: false,
};

/** https://grafana.com/docs/grafana/latest/visualizations/dashboards/build-dashboards/view-dashboard-json-model/ */
const MODEL = {
  type: 'object',
  required: [
    'uid',
    'title',
    'tags',
    'timezone',
    'editable',
    'graphTooltip',
    'time',
    'templating',
    'annotations',
    'refresh',
    'schemaVersion',
    'panels',
    'links',
  ],
  properties: {
    uid: { type: 'string', pattern: '^[a-zA-Z0-9_-]{1,40}$' },
    title: { type: 'string', minLength: 1 },
    tags: { type: 'array', items: { type: 'string' }, contains: { const: 'kmswatch' } },
    schemaVersion: { type: 'integer', minimum: 36 },
    time: { type: 'object', required: ['from', 'to'], properties: { from: { type: 'string' }, to: { type: 'string' } } },
    panels: {
      type: 'array',
      minItems: 1,
      items: {
        type: 'object',
        required: ['id', 'type', 'title', 'description', 'gridPos', 'targets', 'datasource', 'fieldConfig'],
        properties: {
          id: { type: 'integer', minimum: 1 },
          type: { enum: ['timeseries', 'stat', 'table', 'barchart', 'bargauge'] },
          gridPos: {
            type: 'object',
            required: ['x', 'y', 'w', 'h'],
            properties: {
              x: { type: 'integer', minimum: 0, maximum: 23 },
              y: { type: 'integer', minimum: 0 },
              w: { type: 'integer', minimum: 1, maximum: 24 },
              h: { type: 'integer', minimum: 2 },
            },
          },
          datasource: REFERENCE,
          targets: {
            type: 'array',
            minItems: 1,
            items: {
              type: 'object',
              required: ['refId', 'datasource'],
              properties: { refId: { type: 'string', pattern: '^[A-Z]$' }, datasource: REFERENCE },
            },
          },
          fieldConfig: {
            type: 'object',
            required: ['defaults', 'overrides'],
            properties: {
              overrides: {
                type: 'array',
                items: {
                  type: 'object',
                  required: ['matcher', 'properties'],
                  properties: {
                    properties: {
                      type: 'array',
                      minItems: 1,
                      items: { type: 'object', required: ['id', 'value'], properties: { id: { type: 'string' } } },
                    },
                  },
                },
              },
            },
          },
        },
      },
    },
    templating: {
      type: 'object',
      required: ['list'],
      properties: {
        list: {
          type: 'array',
          items: { type: 'object', required: ['name', 'type'], properties: { type: { enum: ['datasource', 'query', 'textbox'] } } },
        },
      },
    },
  },
};

describe.each(dashboards.map((dashboard) => [dashboard.title, dashboard] as const))('%s', (_title, dashboard) => {
  test('has the form of the dashboard model', () => {
    const validate = new Ajv({ allErrors: true }).compile(MODEL);
    validate(dashboard);
    expect(validate.errors).toBeNull();
  });

  test('cannot be edited in place, and no datasource is named but by variable', () => {
    expect(dashboard.editable).toBe(false);
    const uids = [...JSON.stringify(dashboard).matchAll(/"datasource":\{"type":"[^"]*","uid":"([^"]*)"\}/g)].map(([, uid]) => uid);
    expect(new Set(uids)).toEqual(new Set(['${datasource}', '${postgres}']));
  });

  test('has variables for datasources, job, account and Region that follow the time range', () => {
    const { list } = dashboard.templating;
    expect(list.filter(({ type, query }) => type === 'datasource' && query === 'prometheus')).toMatchObject([
      { name: 'datasource', label: 'Data source' },
    ]);
    expect(list.map(({ name }) => name)).toEqual(expect.arrayContaining(['job', 'account', 'region', 'postgres', 'console', 'runbooks']));
    for (const variable of list.filter(({ type }) => type === 'query')) expect(variable.refresh).toBe(2);
  });

  test('leads to the other dashboards, the console and the runbooks, and shows findings as annotations', () => {
    expect(dashboard.links).toMatchObject([{ type: 'dashboards', tags: ['kmswatch'] }, { url: '${console}' }, { url: '${runbooks}' }]);
    expect(dashboard.annotations.list).toMatchObject([{ datasource: { uid: '${postgres}' } }]);
  });

  test('uses only variables that it has', () => {
    const known = new Set([
      ...dashboard.templating.list.map(({ name }) => name),
      '__rate_interval',
      '__timeFilter',
      '__all',
      '__value',
      '__data',
      '__url_time_range',
    ]);
    const used = [...JSON.stringify(dashboard).matchAll(/\$\{?(__\w+|[a-z]+)/g)].map(([, name = '']) => name);
    expect([...new Set(used)].filter((name) => !known.has(name))).toEqual([]);
  });

  test('its panels have numbers of their own and do not lie over each other', () => {
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, n) => `${x + (n % w)},${y + Math.floor(n / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    for (const { gridPos } of dashboard.panels) expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
  });
});

test('every dashboard of the issue is there, each with a uid of its own', () => {
  expect(dashboards.map(({ uid }) => uid).toSorted()).toEqual(
    ['access', 'compliance', 'detections', 'keys', 'overview', 'pipeline'].map((name) => `kmswatch-${name}`),
  );
});

test.each(panels)('%s: has title, description, unit, text for no data, and legends where series are drawn', (_name, panel) => {
  expect(panel.title.length).toBeGreaterThan(2);
  expect(panel.description.length).toBeGreaterThan(15);
  expect(panel.fieldConfig.defaults.unit).toBeTruthy();
  expect(panel.fieldConfig.defaults.noValue).toBeTruthy();
  expect(panel.type !== 'timeseries' || panel.options?.legend?.showLegend).toBe(true);
  expect(panel.targets.filter(({ expr, legendFormat }) => expr !== undefined && !legendFormat)).toEqual([]);
});

test('an account is shown as it is written, and what is said of an empty panel is not said of an empty cell', () => {
  for (const [name, { type, fieldConfig }] of panels.filter(([, panel]) => panel.type === 'table' || panel.type === 'timeseries')) {
    const set = (matcher: object): unknown => fieldConfig.overrides.find((rule) => isDeepStrictEqual(rule.matcher, matcher))?.properties;
    expect([name, set({ id: 'byRegexp', options: '/.*/' })]).toEqual([name, [{ id: 'noValue', value: '–' }]]);
    const texts = set({ id: 'byType', options: 'string' });
    expect([name, texts]).toEqual([name, type === 'table' ? [{ id: 'unit', value: 'string' }] : undefined]);
  }
});

test.each(promql)('%s: %s parses, is of one job, and asks for metrics that exist', (_name, expr) => {
  const filled = expr.replaceAll('$__rate_interval', '5m').replaceAll('$job', '.+');
  const errors: string[] = [];
  parser.parse(filled).iterate({ enter: (node) => void (node.type.isError && errors.push(filled.slice(node.from))) });
  expect(errors).toEqual([]);
  for (const [, name = ''] of expr.matchAll(/(\w+)\{/g)) {
    const known = METRICS.some((metric) => metric.name === name.replace(/_(bucket|count|sum)$/, '') || metric.name === name);
    expect([name, known || /^(up$|process_|nodejs_)/.test(name)]).toEqual([name, true]);
  }
  expect(expr.match(/\{job=~"\$job"/g)?.length).toBe(expr.match(/\w\{/g)?.length);
  // A fixed window of a counter is for "in the last hour"; rates follow the scrape interval.
  for (const [, window] of expr.matchAll(/rate\([^[]*\[([^\]]*)\]/g)) expect(window).toBe('$__rate_interval');
  // Counters are rates or increases, and are summed over processes after that.
  for (const [whole] of expr.matchAll(/[\w(]*kmswatch_\w+_total\{/g)) expect(whole).toMatch(/(rate|increase)\(kmswatch/);
});
