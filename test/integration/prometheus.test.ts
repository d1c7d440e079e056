import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { encodeFrames } from '../../services/core/frames.ts';
import { METRICS } from '../../services/core/metrics.ts';
import { sleep } from '../../services/platform/clock.ts';
import { registerDelivery } from '../../services/store/batches.ts';
import { asOwner } from '../support/pipeline.ts';
import { testDatabase } from '../support/postgres.ts';
import { testAlertmanager, testPrometheus } from '../support/prometheus.ts';
import { KEYS, record, resources } from '../support/records.ts';
import { type RunningService, runningService } from '../support/running-service.ts';

/** prom-client's names of the process's own metrics, which are not ours to choose. */
const KNOWN = /^nodejs_active_(handles|requests|resources)_total /;

interface Told {
  readonly status: 'firing' | 'resolved';
  readonly at: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** A receiver of Alertmanager's webhooks that remembers what it was told. */
async function receiver(): Promise<{ url: string; told: Told[] }> {
  const told: Told[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      const { alerts } = JSON.parse(body) as { alerts: Omit<Told, 'at'>[] };
      told.push(...alerts.map((alert) => ({ ...alert, at: performance.now() })));
      response.end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, told };
}

/** Hands a record to the service as a source does: registered first, then queued. */
async function bring({ service: { deps } }: RunningService, fields: object): Promise<void> {
  const batchId = await registerDelivery(deps.pool, {
    runId: 'test',
    source: 'eventbridge',
    locator: { test: performance.now() },
    payload: encodeFrames([{ offset: 0, bytes: Buffer.from(JSON.stringify(fields)) }]),
    checkpoint: null,
    quarantined: [],
    receivedAt: deps.clock.now(),
  });
  await deps.queues.add('ingest', { batchId }, { jobId: `batch-${batchId}` });
}

async function isStored(url: string): Promise<boolean> {
  return (await asOwner(url, 'SELECT FROM ingest_batch WHERE detected_at IS NOT NULL')).length > 0;
}

async function untilTold(told: readonly Told[], matches: (alert: Told) => boolean, withinMs: number): Promise<Told | null> {
  for (const since = performance.now(); performance.now() - since < withinMs; await sleep(50)) {
    const found = told.find(matches);
    if (found) return found;
  }
  return null;
}

test('a ScheduleKeyDeletion is an alert at a receiver behind Alertmanager within 10 s, and its cancelling resolves it', {
  timeout: 180_000,
}, async () => {
  await using database = await testDatabase();
  await using running = await runningService(database.url);
  const { url, told } = await receiver();
  await using alertmanager = await testAlertmanager(url);
  await using prometheus = await testPrometheus({
    targets: [running.address],
    rules: [resolve('dashboards/alerts/*.yaml')],
    alertmanager: new URL(alertmanager.url).host,
  });
  for (let tries = 0; tries < 100 && (await prometheus.range('kmswatch_build_info', 1)).length === 0; tries += 1) await sleep(100);
  expect(await prometheus.range('up{job="kmswatch"}', 1)).toMatchObject([{ labels: { job: 'kmswatch' } }]);

  const [key] = KEYS;
  const now = running.service.deps.clock.now();
  // A service that has been up for a while has its connections open and its code warm.
  await bring(running, record('Decrypt', now - 60_000, resources(KEYS[1])));
  for (let tries = 0; tries < 200 && !(await isStored(database.url)); tries += 1) await sleep(50);
  const broughtAt = performance.now();
  await bring(
    running,
    record('ScheduleKeyDeletion', now - 5_000, { ...resources(key), responseElements: { keyId: key, pendingWindowInDays: 30 } }),
  );
  const isDeletion = ({ labels }: Told): boolean => labels['detector'] === 'key-deletion-scheduled';
  const firing = await untilTold(told, (alert) => alert.status === 'firing' && isDeletion(alert), 60_000);
  expect(firing?.labels).toMatchObject({ severity: 'warning', alertname: 'KmswatchHighFindingOpen' });
  expect(firing?.annotations['runbook_url']).toBe('docs/runbooks/ops/KmswatchHighFindingOpen.md');
  expect((firing?.at ?? Infinity) - broughtAt).toBeLessThan(10_000);
  expect(told.some((alert) => alert.status === 'resolved' && isDeletion(alert))).toBe(false);

  await bring(running, record('CancelKeyDeletion', now - 2_000, { ...resources(key), responseElements: { keyId: key } }));
  const resolved = await untilTold(told, (alert) => alert.status === 'resolved' && isDeletion(alert), 60_000);
  expect(resolved?.labels['detector']).toBe('key-deletion-scheduled');
});

test('promtool finds the names, types and units of what is scraped right, and every metric of the catalogue is there', async () => {
  await using database = await testDatabase();
  await using running = await runningService(database.url);
  const scraped = await (await fetch(`${running.url}/metrics`)).text();
  const child = execFile('promtool', ['check', 'metrics']);
  let said = '';
  child.stdout?.on('data', (text: string) => (said += text));
  child.stderr?.on('data', (text: string) => (said += text));
  child.stdin?.end(scraped);
  await once(child, 'close');
  const complaints = said.split('\n').filter((line) => line !== '' && !KNOWN.test(line));
  expect(complaints).toEqual([]);
  for (const { name, type } of METRICS) expect(scraped).toContain(`# TYPE ${name} ${type}\n`);
});

test('10,000 keys and 5,000 callers add no series', async () => {
  await using database = await testDatabase();
  await using running = await runningService(database.url);
  const series = async (): Promise<string[]> =>
    (await (await fetch(`${running.url}/metrics`)).text())
      .split('\n')
      .filter((line) => line.startsWith('kmswatch_'))
      .map((line) => line.slice(0, line.lastIndexOf(' ')));
  const before = await series();
  await asOwner(
    database.url,
    `INSERT INTO kms_key (arn, kind, account, region, name, state, rotation_standing)
     SELECT format('arn:aws:kms:eu-west-%s:%s:key/%s', n % 3, 100000000000 + n % 200, n), 'key', (100000000000 + n % 200)::text, 'eu-west-' || n % 3, n::text,
       (ARRAY['Enabled', 'Disabled', 'PendingDeletion'])[n % 3 + 1], 'compliant' FROM generate_series(1, 10000) n`,
  );
  await asOwner(
    database.url,
    `INSERT INTO actor (principal, type, account, name) SELECT 'arn:aws:iam::111122223333:role/r' || n, 'role', '111122223333', 'r' || n FROM generate_series(1, 5000) n`,
  );
  await asOwner(
    database.url,
    `INSERT INTO finding (id, detector, dedup_key, subject, severity, title, status, key_arn, account, region, first_seen, last_seen, occurrences, explanation, details, evaluated_at)
     SELECT 'f' || id, CASE WHEN id % 2 = 0 THEN 'key-disabled' ELSE 'sigma-' || id END, '[]', arn, 'high', 'found', 'open', arn, account, region, now(), now(), 1, '{}', '{}', now()
     FROM kms_key`,
  );
  const after = await series();
  expect(after).toEqual(before);
  expect(before.length).toBeLessThan(3_000);
  const scraped = await (await fetch(`${running.url}/metrics`)).text();
  expect(scraped).toContain('kmswatch_keys{state="Enabled"} 3333');
});
