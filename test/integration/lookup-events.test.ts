import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { HOUR, MINUTE } from '../../services/core/clock.ts';
import { sleep, systemClock } from '../../services/platform/clock.ts';
import { type AwsServer, type Fault, mostInASecond, startAws } from '../support/aws/server.ts';
import { type Dump, differences, dump, violations } from '../support/dump.ts';
import { type Environment, start, untilStarted } from '../support/kmswatch.ts';
import { temporaryFolder } from '../support/month.ts';
import { asOwner, openPipeline } from '../support/pipeline.ts';
import { testDatabase } from '../support/postgres.ts';
import { type Fields, KEYS, record, resources } from '../support/records.ts';

/** Sections of a dump that do not depend on the moment of judging. */
const FACTS = ['events', 'conflicts', 'hours', 'users', 'aliasUses', 'aliases', 'quarantine'] as const;
const ONE = '111122223333';
const TWO = '444455556666';
const NO_ROLE = '123412341234';
const NO_LOOKUP = '432143214321';

test('four collectors, of which one is killed, store every event of every account once, with at most two requests a second each', async () => {
  await using aws = await startAws();
  await using database = await testDatabase();
  const now = Date.now();
  const records = [
    ...happen(aws, { account: ONE, region: 'eu-west-1', from: now - 3 * HOUR, count: 600 }),
    ...happen(aws, { account: ONE, region: 'us-east-1', from: now - 20 * HOUR, count: 200 }),
    ...happen(aws, { account: TWO, region: 'eu-west-1', from: now - 2 * HOUR, count: 400 }),
    // These can only be looked up after a while, when later ones have long been read.
    ...happen(aws, { account: TWO, region: 'eu-west-1', from: now - 20 * MINUTE, count: 60, availableAt: (n) => now + 4_000 + n * 300 }),
    ...tamper(aws, { account: ONE, region: 'eu-west-1', at: now - HOUR }),
  ];
  aws.sts.externalId = 'kmswatch-test';
  aws.sts.denied.add(NO_ROLE);
  aws.cloudTrail.denied.add(NO_LOOKUP);
  const faults: readonly (Fault | null)[] = [
    { kind: 'cut' },
    { kind: 'unavailable' },
    { kind: 'error', code: 'ThrottlingException' },
    { kind: 'slow', ms: 700 },
  ];
  let asked = 0;
  aws.onRequest = ({ service }) => {
    asked += service === 'cloudtrail' ? 1 : 0;
    return service === 'cloudtrail' && asked % 9 === 0 ? (faults[(asked / 9) % faults.length] ?? null) : null;
  };
  const environment = await configure(aws, database.url, {
    role_name: 'audit/kmswatch-reader',
    external_id: 'kmswatch-test',
    accounts: [{ account: ONE, regions: ['eu-west-1', 'us-east-1'] }, { account: TWO }, { account: NO_ROLE }, { account: NO_LOOKUP }],
    regions: ['eu-west-1'],
    lookback_days: 1,
    poll_seconds: 1,
  });

  const worker = start(['run', '--role', 'ingest', '--role', 'detect'], environment);
  const first = start(['run', '--role', 'collect'], environment);
  await Promise.all([worker, first].map(untilStarted));
  const others = [1, 2, 3].map(() => start(['run', '--role', 'collect'], environment));
  await until(async () => (await stored(database.url)) > 200);
  // It holds every lease, and is in the middle of a window.
  await first.end('SIGKILL');
  const killedAfter = await stored(database.url);
  expect(killedAfter).toBeLessThan(records.length);
  await until(async () => (await stored(database.url)) >= records.length);
  await sleep(3_000);

  const lookups = aws.requests.filter(({ operation }) => operation === 'LookupEvents');
  expect(mostInASecond(lookups)).toBeLessThanOrEqual(2);
  for (const kind of ['cut', 'unavailable', 'slow', 'ThrottlingException']) expect(lookups.map(({ outcome }) => outcome)).toContain(kind);
  const assumed = aws.requests.find(({ operation, account }) => operation === 'AssumeRole' && account === aws.sts.homeAccount);
  expect(assumed?.body).toContain(encodeURIComponent(':role/audit/kmswatch-reader'));
  expect(assumed?.userAgent).toContain('kmswatch/');
  const told = [first, ...others].flatMap((each) => failuresIn(each.stderr()));
  expect(told).toContainEqual(
    expect.objectContaining({ account: NO_ROLE, reason: 'access-denied', role: `arn:aws:iam::${NO_ROLE}:role/audit/kmswatch-reader` }),
  );
  expect(told).toContainEqual(
    expect.objectContaining({ account: NO_LOOKUP, reason: 'access-denied', detail: expect.stringContaining('cloudtrail:LookupEvents') }),
  );
  expect(told.map(({ account }) => account)).not.toContain(TWO);

  for (const each of others) expect(await each.end('SIGTERM')).toMatchObject({ code: 0 });
  await until(async () => (await violations(database.url)).length === 0);
  await worker.end('SIGTERM');
  expect(differences(await expectedOf(records), await facts(database.url))).toEqual([]);
});

test('what happens while nothing runs is found afterwards, late events from before the stop too', async () => {
  await using aws = await startAws();
  await using database = await testDatabase();
  const now = Date.now();
  const place = { account: ONE, region: 'eu-west-1' };
  const before = happen(aws, { ...place, from: now - HOUR, count: 120 });
  const environment = await configure(aws, database.url, {
    role_name: 'reader',
    accounts: [{ account: ONE }],
    regions: ['eu-west-1'],
    lookback_days: 1,
    poll_seconds: 1,
  });
  const roles = ['run', '--role', 'collect', '--role', 'ingest', '--role', 'detect'];
  const running = start(roles, environment);
  await until(async () => (await stored(database.url)) === before.length);
  expect(await running.end('SIGTERM')).toMatchObject({ code: 0 });

  const stoppedAt = Date.now();
  const late = happen(aws, { ...place, from: now - 25 * MINUTE, count: 30, offset: 1_000 });
  const meanwhile = happen(aws, { ...place, from: stoppedAt, count: 3, everyMs: 1_000, offset: 2_000 });
  await sleep(4_000);
  const requests = aws.requests.length;
  const again = start(roles, environment);
  const all = [...before, ...late, ...meanwhile];
  await until(async () => (await stored(database.url)) >= all.length);
  // It went on where it was instead of beginning again.
  const resumed = aws.requests
    .slice(requests)
    .find(({ operation, body }) => operation === 'LookupEvents' && body.includes('kms.amazonaws.com'));
  const { StartTime } = JSON.parse(resumed?.body ?? '{}') as { StartTime: number };
  expect(Math.abs(StartTime * 1000 - (stoppedAt - 30 * MINUTE))).toBeLessThan(MINUTE);
  await until(async () => (await violations(database.url)).length === 0);
  await again.end('SIGTERM');
  expect(differences(await expectedOf(all), await facts(database.url))).toEqual([]);
});

test('write-only and named operations ask for nothing else; sessions that AWS ends early and tokens that it refuses are got over', async () => {
  await using aws = await startAws();
  await using database = await testDatabase();
  const now = Date.now();
  happen(aws, { account: ONE, region: 'eu-west-1', from: now - 2 * HOUR, count: 200 });
  const written = tamper(aws, { account: ONE, region: 'eu-west-1', at: now - HOUR });
  const named = happen(aws, { account: TWO, region: 'eu-west-1', from: now - 2 * HOUR, count: 150, name: 'DisableKey' });
  const other = tamper(aws, { account: TWO, region: 'eu-west-1', at: now - HOUR });
  aws.sts.sessionMs = 3_000;
  aws.cloudTrail.refusedTokens = 2;
  const environment = await configure(aws, database.url, {
    role_name: 'reader',
    regions: ['eu-west-1'],
    accounts: [
      { account: ONE, mode: 'write-only' },
      { account: TWO, mode: 'operations', operations: ['DisableKey'] },
    ],
    lookback_days: 1,
    poll_seconds: 1,
  });
  const running = start(['run', '--role', 'collect', '--role', 'ingest', '--role', 'detect'], environment);
  const wanted = [...written, ...named, ...other.filter(({ eventSource }) => eventSource === 'cloudtrail.amazonaws.com')];
  await until(async () => (await stored(database.url)) >= wanted.length);
  await until(async () => aws.requests.filter(({ operation }) => operation === 'AssumeRole').length >= 4);
  const outcomes = aws.requests.map(({ outcome }) => outcome);
  expect(outcomes).toContain('ExpiredTokenException');
  expect(outcomes).toContain('InvalidNextTokenException');
  await until(async () => (await violations(database.url)).length === 0);
  await running.end('SIGTERM');
  expect(differences(await expectedOf(wanted), await facts(database.url))).toEqual([]);
});

interface Happening {
  readonly account: string;
  readonly region: string;
  readonly from: number;
  readonly count: number;
  readonly everyMs?: number;
  readonly offset?: number;
  readonly name?: string;
  /** When the nth can be looked up. */
  readonly availableAt?: (n: number) => number;
}

/** Uses of two keys, spread evenly up to now. */
function happen(aws: AwsServer, { account, region, from, count, everyMs, offset = 0, name = 'Decrypt', availableAt }: Happening): Fields[] {
  const every = everyMs ?? Math.floor((Date.now() - from) / count);
  return Array.from({ length: count }, (_, n) => {
    const arn = KEYS[n % 2]!.replace(ONE, account).replace('eu-west-1', region);
    const fields = record(name, from + n * every, {
      ...resources(arn),
      recipientAccountId: account,
      awsRegion: region,
      eventID: `${region}-${account}-${name}-${offset + n}`,
    });
    aws.cloudTrail.history.add(fields, availableAt?.(n));
    return fields;
  });
}

/** Things that change something: one at KMS, one at CloudTrail; and one that is nobody's business. */
function tamper(aws: AwsServer, { account, region, at }: { account: string; region: string; at: number }): Fields[] {
  const place = { recipientAccountId: account, awsRegion: region, readOnly: false };
  const kms = record('ScheduleKeyDeletion', at, { ...place, ...resources(KEYS[0].replace(ONE, account)), eventID: `kms-${account}` });
  const trail = record('StopLogging', at + 1_000, {
    ...place,
    eventSource: 'cloudtrail.amazonaws.com',
    requestParameters: { name: 'main' },
    eventID: `trail-${account}`,
  });
  const object = record('UpdateTable', at + 2_000, { ...place, eventSource: 'dynamodb.amazonaws.com', eventID: `s3-${account}` });
  const ours = record('LookupEvents', at + 3_000, {
    ...place,
    readOnly: true,
    eventSource: 'cloudtrail.amazonaws.com',
    eventID: `ours-${account}`,
  });
  for (const each of [kms, trail, object, ours]) aws.cloudTrail.history.add(each);
  return [kms, trail];
}

async function configure(aws: AwsServer, url: string, lookupEvents: object): Promise<Environment> {
  const file = join(await temporaryFolder(), 'kmswatch.yaml');
  await writeFile(file, JSON.stringify({ sources: { lookup_events: lookupEvents } }));
  return { ...aws.environment, DATABASE_URL: url, KMSWATCH_CONFIG: file };
}

async function stored(url: string): Promise<number> {
  const [row] = await asOwner<{ n: number }>(url, 'SELECT count(*)::int AS n FROM event');
  return row?.n ?? 0;
}

async function until(condition: () => Promise<boolean>, timeoutMs = 90_000): Promise<void> {
  for (const end = performance.now() + timeoutMs; !(await condition()); await sleep(200)) {
    if (performance.now() > end) throw new Error(`it has not come about within ${timeoutMs} ms`);
  }
}

function failuresIn(stderr: string): Record<string, unknown>[] {
  return stderr
    .split('\n')
    .filter((line) => line.includes('cannot be polled'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** What the records come to when they are simply delivered. */
async function expectedOf(records: readonly Fields[]): Promise<Dump> {
  await using database = await testDatabase();
  await using pipeline = await openPipeline(database.url, { clock: systemClock });
  await pipeline.deliver(records.map((each) => JSON.stringify(each)));
  await pipeline.work();
  return await facts(database.url);
}

async function facts(url: string): Promise<Dump> {
  const all = await dump(url);
  return Object.fromEntries(FACTS.map((name) => [name, all[name] ?? []]));
}
