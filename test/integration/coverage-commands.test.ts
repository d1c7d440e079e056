import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, onTestFinished, test, vi } from 'vitest';
import { HOUR } from '../../services/core/clock.ts';
import { createRefresh } from '../../services/api/scrape.ts';
import { createAws } from '../../services/platform/aws.ts';
import { createLifecycle } from '../../services/platform/lifecycle.ts';
import { createLogger } from '../../services/platform/logger.ts';
import { sleep, systemClock } from '../../services/platform/clock.ts';
import { writeCheckpoint } from '../../services/store/checkpoints.ts';
import { setComplete, setGaps, setVerified } from '../../services/store/coverage.ts';
import { configSchema } from '../../services/workers/config.ts';
import { ingest } from '../../services/workers/ingest.ts';
import { sourceQueues, watchDeadLetters } from '../../services/workers/watch-dead-letters.ts';
import { keepCoverage } from '../../services/workers/keep-coverage.ts';
import { openService, type Service } from '../../services/workers/service.ts';
import { startRoles } from '../../services/workers/start.ts';
import { HOME_ACCOUNT, startAws } from '../support/aws/server.ts';
import { fakeAws, logKey, notification, REGION } from '../support/fauxqs.ts';
import { temporaryFolder } from '../support/month.ts';
import { inProcess } from '../support/out.ts';
import { asOwner, openPipeline } from '../support/pipeline.ts';
import { testDatabase } from '../support/postgres.ts';
import { ACCOUNT, KEYS, record, resources } from '../support/records.ts';

/** The time at which commands run here. */
const NOW = Date.UTC(2026, 2, 1);
const place = { account: ACCOUNT, region: REGION };

async function withConfig(sources: object): Promise<string> {
  const folder = await temporaryFolder();
  const file = join(folder, 'kmswatch.yaml');
  await writeFile(file, JSON.stringify({ sources, data_dir: folder }));
  return file;
}

interface CoverageJson {
  readonly from: string;
  readonly sources: readonly Record<string, unknown>[];
  readonly hours: readonly Record<string, unknown>[];
}

test('kmswatch coverage draws what is known of each hour, and says how late and how completely each source delivers', async () => {
  await using database = await testDatabase();
  await using pipeline = await openPipeline(database.url, { clock: { now: () => NOW - 5 * HOUR + 40_000 } });
  const { pool } = pipeline.deps;
  const told = (at: number, account = ACCOUNT): string =>
    JSON.stringify(record('DisableKey', at, { ...resources(KEYS[0]), recipientAccountId: account }));
  await ingest(pipeline.deps, await pipeline.deliver([told(NOW - 5 * HOUR)], { source: 's3-trail' }));
  await ingest(pipeline.deps, await pipeline.deliver([told(NOW - 4 * HOUR, '444455556666')], { source: 'eventbridge' }));
  await setComplete(pool, [{ ...place, source: 'lookup-events', from: NOW - 4 * HOUR, to: NOW - 2 * HOUR, partial: false }], NOW);
  await setGaps(pool, [{ ...place, source: 'lookup-events', from: NOW - 7 * HOUR, to: NOW - 6 * HOUR, gap: 'expired' }], NOW);
  await setVerified(pool, [{ ...place, source: 's3-trail', hour: NOW - 6 * HOUR, verified: 4, missing: 0 }], NOW);
  await writeCheckpoint(pool, `lookup-events/${ACCOUNT}/${REGION}/EventSource=kms.amazonaws.com`, {
    value: {
      high_water: new Date(NOW).toISOString(),
      capacity: { carries: false, events_per_second: 180, measured_at: new Date(NOW).toISOString() },
    },
    at: NOW - 60_000,
  });
  const run = (...argv: string[]) => inProcess(['coverage', ...argv], '/nonexistent', { DATABASE_URL: database.url });

  const drawn = await run('--from', '2026-02-28T16:00:00Z');
  expect([drawn.code, drawn.stderr]).toEqual([0, '']);
  expect(drawn.stdout).toContain('\n111122223333 eu-west-1  ·×█▓░░··\n444455556666 eu-west-1  ····▒···\n');
  expect(drawn.stdout).toMatch(/s3-trail +2026-02-28 19:00 UTC +- +≤ 60 s +≤ 60 s +1 +0\n/);
  expect(drawn.stdout).toMatch(/lookup-events +- +2026-02-28 23:59 UTC +- +- +1 +1\n/);
  expect(drawn.stdout).toContain('! lookup-events: LookupEvents cannot carry account 111122223333 in eu-west-1: 180 events/s');
  expect(drawn.stdout).toContain('! lookup-events: 1 hour of the last 7 days is missing');
  expect(drawn.stdout).toContain('! eventbridge: no Describe…, Get… or List… call has come this way.');

  const found = JSON.parse((await run('--json', '--account', ACCOUNT, '--source', 's3-trail')).stdout) as CoverageJson;
  expect(found.from).toBe('2026-02-26T00:00:00.000Z');
  expect(found.sources).toEqual([expect.objectContaining({ source: 's3-trail', lag_seconds: { p50: 60, p95: 60 }, over_capacity: [] })]);
  expect(found.hours).toEqual([
    expect.objectContaining({ hour: '2026-02-28T18:00:00.000Z', state: 'verified', verified: 4, events: 0 }),
    expect.objectContaining({ hour: '2026-02-28T19:00:00.000Z', state: 'ingested', events: 1, deliveries: 1 }),
  ]);

  expect((await run('--region', 'nowhere-1')).stdout).toContain('Nothing is known of this time.');
  expect(await run('--from', '2026-03-02', '--to', '2026-03-01')).toMatchObject({ code: 2, stdout: '' });
  expect(await run('--source', 'somewhere')).toMatchObject({ code: 2 });
});

interface DoctorJson {
  readonly ok: boolean;
  readonly checks: readonly { readonly name: string; readonly status: string; readonly message: string; readonly mend: string | null }[];
}

test('kmswatch doctor asks the queues how they stand, without touching a message', async () => {
  const aws = await fakeAws();
  await using database = await testDatabase();
  aws.createQueue('trail-dead');
  const trail = aws.createQueue('trail', {
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn: `arn:aws:sqs:${REGION}:000000000000:trail-dead`, maxReceiveCount: '10' }),
  });
  const rule = aws.createQueue('rule');
  aws.send('trail', { any: 'message' });
  const sources = {
    s3_trail: {
      queues: [
        { url: trail, region: REGION },
        { url: trail.replace(/trail$/, 'gone'), region: REGION },
      ],
    },
    eventbridge: { queues: [{ url: rule, region: REGION }] },
  };
  const run = async (): Promise<DoctorJson> => {
    const done = await inProcess(['doctor', '--json', '--config', await withConfig(sources)], '/nonexistent', {
      DATABASE_URL: database.url,
    });
    return JSON.parse(done.stdout) as DoctorJson;
  };
  const first = await run();
  expect(first.checks.filter(({ name }) => name === 's3-trail')).toEqual([
    {
      name: 's3-trail',
      status: 'ok',
      message: `000000000000/trail@${REGION}: about 1 message waits, 0 in hand; dead-letter queue trail-dead with 0 messages`,
      mend: null,
    },
    expect.objectContaining({ status: 'fail', mend: 'Check the name, the account and the Region.' }),
  ]);
  expect(first.checks.find(({ name }) => name === 'eventbridge')).toMatchObject({
    status: 'warn',
    mend: expect.stringContaining('RedrivePolicy'),
  });
  expect(aws.depth('trail')).toEqual({ ready: 1, inFlight: 0 });
  expect(aws.receives('trail')).toEqual([0]);

  aws.send('trail-dead', { any: 'message' });
  const second = await run();
  expect(second.checks.find(({ name }) => name === 's3-trail')).toMatchObject({
    status: 'warn',
    message: expect.stringContaining('trail-dead with 1 message'),
  });
  const counted: [string, number][] = [];
  const config = configSchema.parse({ sources });
  await watchDeadLetters(sourceQueues(config), {
    aws: createAws({ clock: systemClock, version: 'test' }),
    logger: createLogger('silent'),
    told: (source, messages) => void counted.push([source, messages]),
  })();
  // A queue that cannot be asked does not hide the others; one without dead letters says nothing.
  expect(counted).toEqual([['s3-trail', 1]]);
});

test('kmswatch doctor assumes the role of every polled account, and makes no request of those two a second', async () => {
  await using aws = await startAws();
  await using database = await testDatabase();
  aws.sts.denied.add('432143214321');
  for (const [name, value] of Object.entries(aws.environment)) vi.stubEnv(name, value);
  const file = await withConfig({
    lookup_events: {
      role_name: 'reader',
      regions: ['eu-west-1', 'us-east-1'],
      accounts: [{ account: ACCOUNT }, { account: '444455556666' }, { account: '432143214321' }],
    },
  });
  const done = await inProcess(['doctor', '--json', '--config', file], '/nonexistent', { DATABASE_URL: database.url });
  vi.unstubAllEnvs();
  const { checks, ok } = JSON.parse(done.stdout) as DoctorJson;
  expect([done.code, ok]).toEqual([1, false]);
  expect(checks.find(({ name }) => name === 'lookup-events')).toMatchObject({
    status: 'fail',
    message: expect.stringMatching(/^1 of 3 accounts cannot be read: 432143214321: AccessDenied/),
    mend: expect.stringContaining('trust policy'),
  });
  expect(aws.requests.filter(({ operation }) => operation === 'LookupEvents')).toEqual([]);
});

async function live(url: string, sources: object): Promise<Service & AsyncDisposable> {
  const logger = createLogger('silent');
  const lifecycle = createLifecycle({ logger });
  onTestFinished(async () => void (await lifecycle.stop()));
  const config = configSchema.parse({ database_url: url, sources });
  const service = await openService({ config, clock: systemClock, logger, lifecycle, judgeBy: 'clock', name: 'test' });
  await startRoles(service, ['collect', 'ingest', 'detect']);
  return { ...service, [Symbol.asyncDispose]: async () => void (await lifecycle.stop()) };
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 60_000; !(await condition()); await sleep(100)) {
    if (performance.now() > end) throw new Error('it has not come about');
  }
}

const numberOf = async (url: string, from: string): Promise<number> =>
  (await asOwner<{ n: number }>(url, `SELECT count(*)::int AS n FROM ${from}`))[0]?.n ?? 0;

test('a quiet account that is polled has its hours as complete, and its source as heard of', async () => {
  await using aws = await startAws();
  await using database = await testDatabase();
  for (const [name, value] of Object.entries(aws.environment)) vi.stubEnv(name, value);
  onTestFinished(() => void vi.unstubAllEnvs());
  await using service = await live(database.url, {
    lookup_events: { accounts: [{ account: HOME_ACCOUNT }], regions: ['eu-west-1'], lookback_days: 1, poll_seconds: 1 },
  });
  const { deps, config } = service;
  const services = ['kms', 'cloudtrail'];
  const read = ['EventSource=kms.amazonaws.com', 'ReadOnly=false']
    .map((name) => `'lookup-events/${HOME_ACCOUNT}/eu-west-1/${name}'`)
    .join(', ');
  await until(async () => (await numberOf(database.url, `checkpoint WHERE name IN (${read})`)) === 2);
  await keepCoverage(deps, { sources: ['lookup-events'], lookupEvents: config.sources.lookup_events, services })();
  // A day, without the part of an hour at its begin, and at its end what late events may still come of.
  const complete = await numberOf(
    database.url,
    "coverage_hourly WHERE complete AND events = 0 AND NOT partial AND source = 'lookup-events'",
  );
  expect([22, 23]).toContain(complete);
  expect(await numberOf(database.url, 'listened_hour')).toBeGreaterThanOrEqual(1);
  expect(await numberOf(database.url, 'ingest_batch')).toBe(0);
  await createRefresh(service)();
  const [, heard = ''] = /last_success_timestamp_seconds\{source="lookup-events"\} (\S+)/.exec(await service.registry.metrics()) ?? [];
  expect(Math.abs(Number(heard) * 1000 - Date.now())).toBeLessThan(60_000);
});

test('what comes live is in the ledger and the metrics of its source, dead letters too', async () => {
  const aws = await fakeAws();
  await using database = await testDatabase();
  aws.createQueue('dead');
  const url = aws.createQueue('trail', {
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn: `arn:aws:sqs:${REGION}:000000000000:dead`, maxReceiveCount: '10' }),
  });
  aws.send('dead', { any: 'message' });
  const key = logKey('one');
  await aws.putObject(key, gzipSync(JSON.stringify({ Records: [record('DisableKey', Date.now() - 50_000, resources(KEYS[0]))] })));
  aws.send('trail', notification(key));
  await using service = await live(database.url, { s3_trail: { queues: [{ url, region: REGION }] } });
  await until(async () => (await numberOf(database.url, 'coverage_hourly WHERE events = 1')) === 1);
  // The hour in the object's name, and that of the event.
  expect(await numberOf(database.url, "coverage_hourly WHERE heard AND hour = '2026-02-01T00:00:00Z'")).toBe(1);
  await setVerified(
    service.deps.pool,
    [{ ...place, source: 's3-trail', hour: Date.now() - 3 * HOUR, verified: 0, missing: 1 }],
    Date.now(),
  );
  await until(async () => (await service.registry.metrics()).includes('kmswatch_source_dead_letter_messages{source="s3-trail"} 1'));
  await createRefresh(service)();
  const metrics = await service.registry.metrics();
  expect(metrics).toContain('kmswatch_ingest_lag_seconds_bucket{le="60",source="s3-trail"} 1');
  expect(metrics).toContain('kmswatch_ingest_lag_seconds_count{source="eventbridge"} 0');
  expect(metrics).toContain('kmswatch_coverage_gaps{source="s3-trail"} 1');
  expect(metrics).toContain('kmswatch_lookup_places_over_capacity 0');
});
