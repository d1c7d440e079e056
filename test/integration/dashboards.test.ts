/** Every query of every dashboard asks the real Prometheus and the real views, and gets an answer. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DASHBOARDS } from '../../dashboards/grafana/dashboards.ts';
import { buildDashboard } from '../../dashboards/grafana/dashboard.ts';
import { encodeFrames } from '../../services/core/frames.ts';
import { sleep } from '../../services/platform/clock.ts';
import { registerDelivery } from '../../services/store/batches.ts';
import { command, type TestFolder, testFolder } from '../support/cli.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { type TestPrometheus, testPrometheus } from '../support/prometheus.ts';
import { KEYS, record, resources } from '../support/records.ts';
import { type RunningService, runningService } from '../support/running-service.ts';

/** Panels that are empty where nothing is wrong, and why the sample cannot fill them. */
const MAY_BE_EMPTY: Readonly<Record<string, string>> = {
  'Detectors that fail': 'no detector fails',
};

interface Query {
  readonly panel: string;
  readonly dashboard: string;
  readonly text: string;
}

const dashboards = DASHBOARDS.map(buildDashboard);
const queries = (field: 'expr' | 'rawSql'): Query[] =>
  dashboards.flatMap(({ title = '', panels = [] }) =>
    panels.flatMap((panel) =>
      ((panel as { targets?: Record<string, unknown>[] }).targets ?? [])
        .filter((target) => typeof target[field] === 'string')
        .map((target) => ({ dashboard: title, panel: (panel as { title?: string }).title ?? '', text: target[field] as string })),
    ),
  );

let folder: TestFolder;
let database: TestDatabase;
let running: RunningService;
let prometheus: TestPrometheus;
let client: pg.Client;
let variables: Readonly<Record<string, string>>;

beforeAll(async () => {
  folder = await testFolder();
  database = await testDatabase();
  running = await runningService(database.url);
  prometheus = await testPrometheus({ targets: [running.address] });
  const logs = join(folder.path, 'logs');
  const simulated = await command(['simulate', '--out', logs, '--days', '10', '--scale', '0.1']);
  if (simulated.code !== 0) throw new Error(simulated.stderr);
  await writeFile(join(logs, 'broken.json'), '{"Records": [nothing that is JSON');
  await command(['replay', logs, '--as-of', 'now', '--database-url', database.url]);
  const { deps } = running.service;
  for (const ago of [5_000, 4_000, 3_000]) {
    const batchId = await registerDelivery(deps.pool, {
      runId: 'test',
      source: 'eventbridge',
      locator: { ago },
      payload: encodeFrames([
        { offset: 0, bytes: Buffer.from(JSON.stringify(record('Decrypt', deps.clock.now() - ago, resources(KEYS[0])))) },
      ]),
      checkpoint: null,
      quarantined: [],
      receivedAt: deps.clock.now(),
    });
    await deps.queues.add('ingest', { batchId }, { jobId: `batch-${batchId}` });
    await sleep(1_500);
  }
  await sleep(4_000);
  client = new pg.Client({ connectionString: database.url, options: '-c timezone=UTC' });
  await client.connect();
  await client.query('SET ROLE kmswatch_grafana');
  variables = await readVariables();
}, 300_000);

afterAll(async () => {
  await client?.end();
  await prometheus?.[Symbol.asyncDispose]();
  await running?.[Symbol.asyncDispose]();
  await database?.drop();
  if (folder) await rm(folder.path, { recursive: true, force: true });
});

/** As Grafana fills the variables in; the key is the one with the most findings that somebody uses. */
async function readVariables(): Promise<Record<string, string>> {
  const list = async (column: string): Promise<string> =>
    (await client.query<{ list: string }>(`SELECT string_agg(DISTINCT quote_literal(${column}), ',') AS list FROM grafana.keys`)).rows[0]
      ?.list ?? '';
  const { rows } = await client.query<{ key: string }>(
    `SELECT quote_literal(key_arn) AS key FROM grafana.keys k WHERE open_findings > 0 AND users > 0
       AND EXISTS (SELECT FROM grafana.key_timeline t WHERE t.key_arn = k.key_arn AND t.time > now() - interval '30 days') ORDER BY open_findings DESC, key_arn LIMIT 1`,
  );
  return { account: await list('account'), region: await list('region'), key: rows[0]?.key ?? 'NULL' };
}

function filledSql(sql: string): string {
  return sql
    .replace(/\$__timeFilter\((\w+)\)/g, "$1 BETWEEN now() - interval '30 days' AND now()")
    .replace(/\$\{(\w+):sqlstring\}/g, (_whole, name: string) => variables[name] ?? 'NULL');
}

function filledPromQl(expr: string): string {
  return expr.replaceAll('$__rate_interval', '10s').replaceAll('$job', '.+');
}

describe('every query answers', () => {
  test.each(queries('expr'))('$dashboard, $panel: $text', async ({ panel, text }) => {
    const series = await prometheus.range(filledPromQl(text), 5);
    expect(series.flatMap(({ values }) => values).length > 0).toBe(!(panel in MAY_BE_EMPTY));
  });

  test.each(queries('rawSql'))('$dashboard, $panel', async ({ panel, text }) => {
    const sql = filledSql(text);
    expect(sql).not.toContain('$');
    const { rows, fields } = await client.query(sql);
    expect(fields.length).toBeGreaterThan(1);
    expect(rows.length > 0).toBe(!(panel in MAY_BE_EMPTY));
  });

  test('variables offer accounts, Regions and keys, and annotations are there', async () => {
    for (const { templating, annotations } of dashboards) {
      const asked = (templating?.list ?? []).flatMap(({ query }) =>
        typeof query === 'string' && query.startsWith('SELECT') ? [query] : [],
      );
      const marks = (annotations?.list ?? []).map(({ target }) => (target as unknown as { rawSql: string }).rawSql);
      expect(asked.length).toBeGreaterThan(1);
      for (const sql of [...asked, ...marks]) expect((await client.query(filledSql(sql))).rows.length).toBeGreaterThan(0);
    }
  });

  test('the role of dashboards sees the views and nothing else', async () => {
    for (const table of ['event', 'evidence', 'api_token', 'setting', 'finding', 'notification', 'quarantine'])
      await expect(client.query(`SELECT FROM public.${table}`)).rejects.toThrow('permission denied');
    await expect(client.query('CREATE TABLE grafana.mine ()')).rejects.toThrow('permission denied');
    const { rows } = await client.query<{ column_name: string }>(
      "SELECT column_name FROM information_schema.columns WHERE table_schema = 'grafana'",
    );
    expect(rows.length).toBeGreaterThan(50);
    expect(rows.map((row) => row.column_name).filter((name) => /secret|token|context|policy$|bytes|payload|detail/.test(name))).toEqual([]);
  });
});
