import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { configureDetectors, relevanceFilter } from '../../services/detectors/configure.ts';
import { DETECTORS } from '../../services/detectors/registry.ts';
import { type RunningCommand, command, startCommand, testFolder } from '../support/cli.ts';
import { ASKS_CONFIGURATION, BEYOND_A_MONTH } from '../support/month-limits.ts';
import { freePort } from '../support/port.ts';

interface SampleRecord {
  readonly eventID: string;
  readonly eventSource: string;
  readonly eventName: string;
  readonly awsRegion: string;
  readonly recipientAccountId: string;
}

/** Counted from the files themselves: records, and different events among those that concern us. */
function countSample(folder: string): { records: number; events: number } {
  // Nothing is configured, so no queue, rule or role is known to be ours.
  const relevant = relevanceFilter(configureDetectors(DETECTORS), { ownAccounts: new Set(), logKeys: new Set() });
  const files = globSync('**/*.json.gz', { cwd: folder });
  const records = files.flatMap(
    (file) => (JSON.parse(gunzipSync(readFileSync(join(folder, file))).toString()) as { Records: SampleRecord[] }).Records,
  );
  const ours = records.filter(({ eventSource, eventName: operation, recipientAccountId: account, awsRegion: region }) => {
    const service = eventSource.replace('.amazonaws.com', '');
    return relevant(service, operation, () => ({ service, operation, account, region, resource: null, part: null }));
  });
  return {
    records: records.length,
    events: new Set(ours.map((record) => [record.recipientAccountId, record.awsRegion, record.eventID].join('/'))).size,
  };
}

/** The values of a metric by its labels, `{source="replay"}`. */
async function metric(url: string, name: string): Promise<Map<string, number>> {
  const lines = (await (await fetch(`${url}/metrics`)).text()).split('\n').filter((line) => line.startsWith(`${name}{`));
  return new Map(lines.map((line) => [line.slice(name.length, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]));
}

async function stopCleanly(service: RunningCommand): Promise<void> {
  const since = performance.now();
  service.kill('SIGINT');
  expect(await service.ended).toBe(0);
  expect(performance.now() - since).toBeLessThan(10_000);
}

test('the first start plays a month of sample records to its end, even when it was killed on the way; the second ingests nothing', {
  timeout: 400_000,
}, async () => {
  await using folder = await testFolder();
  const data = join(folder.path, 'data');
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const start = (): RunningCommand =>
    startCommand(['run', '--data-dir', data], { env: { KMSWATCH_LISTEN: `127.0.0.1:${port}`, KMSWATCH_LOG_LEVEL: 'warn' } });

  const killed = start();
  await killed.until('Replaying the sample');
  killed.kill('SIGKILL');
  expect(await killed.ended).toBe('SIGKILL');

  const first = start();
  await first.until(`Listening on ${url}`, 300_000);
  expect(first.stdout).toContain('This is the first start');
  for (const head of ['SEVERITY', 'WHAT', 'KEY', 'WHO', 'WHEN', 'WHY']) expect(first.stdout).toContain(head);
  const { records, events } = countSample(join(data, 'sample'));
  expect(records).toBeGreaterThan(20_000);
  const stored = (await metric(url, 'kmswatch_events_stored_total')).get('{source="replay"}');
  expect(stored).toBe(events);

  // Every detector that ships has found something, but for those that cannot yet, and most keys are quiet.
  const findings = JSON.parse((await command(['findings', '--json', '--data-dir', data])).stdout) as {
    detector: string;
    status: string;
    severity: string;
    key_arn: string | null;
  }[];
  const able = DETECTORS.map(({ id }) => id).filter((id) => !Object.hasOwn({ ...BEYOND_A_MONTH, ...ASKS_CONFIGURATION }, id));
  expect([...new Set(findings.map(({ detector }) => detector))].toSorted()).toEqual(able.toSorted());
  const keys = JSON.parse((await command(['keys', '--json', '--data-dir', data])).stdout) as { arn: string }[];
  expect(new Set(findings.flatMap((finding) => finding.key_arn ?? [])).size).toBeLessThan(keys.length / 2);

  // What is scraped is what the database says.
  const open = await metric(url, 'kmswatch_findings_open');
  const isOpen = findings.filter(({ status }) => status === 'open');
  expect([...open.values()].reduce((sum, value) => sum + value, 0)).toBe(isOpen.length);
  for (const { severity, detector } of isOpen) expect(open.get(`{severity="${severity}",detector="${detector}"}`)).toBeGreaterThan(0);
  expect([...(await metric(url, 'kmswatch_keys')).values()].reduce((sum, value) => sum + value, 0)).toBe(keys.length);

  expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ status: 'alive' });
  const ready = await fetch(`${url}/readyz`);
  expect(ready.status).toBe(200);
  expect(await ready.json()).toMatchObject({
    status: 'ready',
    checks: { database: { ok: true }, queues: { ok: true }, migrations: { ok: true } },
  });
  const page = await (await fetch(url)).text();
  expect(page).toContain(`Open findings (${isOpen.length})`);
  expect(page).not.toContain('<script');
  await stopCleanly(first);

  const second = start();
  await second.until(`Listening on ${url}`);
  expect(second.stdout).not.toContain('first start');
  expect(second.stdout).toContain('From replay: ');
  expect((await metric(url, 'kmswatch_events_stored_total')).get('{source="replay"}')).toBe(events);
  expect(
    [...(await metric(url, 'kmswatch_queue_jobs')).entries()]
      .filter(([labels]) => labels.includes('"ingest"'))
      .every(([, jobs]) => jobs === 0),
  ).toBe(true);
  const blocked = await command(['run', '--data-dir', data, '--listen', `127.0.0.1:${port}`]);
  expect(blocked.code).toBe(1);
  expect(blocked.stderr).toContain('Choose another port');
  await stopCleanly(second);
});

test('parts run as processes of their own, and a replay beside them shares their work', { timeout: 200_000 }, async () => {
  await using folder = await testFolder();
  const data = ['--data-dir', join(folder.path, 'data')];
  const port = await freePort();
  const api = startCommand(['run', '--role', 'api', '--listen', `127.0.0.1:${port}`, ...data]);
  const worker = startCommand(['run', '--role', 'ingest', '--role', 'detect', ...data]);
  await api.until('Listening on');
  await worker.until('Running ingest, detect');
  expect(
    (await command(['simulate', '--out', join(folder.path, 'logs'), '--days', '2', '--scale', '0.1', '--end', '2026-03-01'])).code,
  ).toBe(0);
  const { events } = countSample(join(folder.path, 'logs'));
  const replayed = await command(['replay', join(folder.path, 'logs'), '--json', ...data]);
  expect(replayed.code).toBe(0);
  const told = JSON.parse(replayed.stdout) as { new: number; deliveries: number };
  expect(told.new).toBe(events);
  expect((await metric(`http://127.0.0.1:${port}`, 'kmswatch_events_stored_total')).get('{source="replay"}')).toBe(events);
  await stopCleanly(worker);
  await stopCleanly(api);
});
