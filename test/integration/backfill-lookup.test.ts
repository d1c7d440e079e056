import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { DAY, HOUR, MINUTE } from '../../services/core/clock.ts';
import { sleep, systemClock } from '../../services/platform/clock.ts';
import { type AwsServer, mostInASecond, startAws } from '../support/aws/server.ts';
import { type Dump, differences, dump, violations } from '../support/dump.ts';
import { type Environment, kmswatch, start, untilStarted } from '../support/kmswatch.ts';
import { temporaryFolder } from '../support/month.ts';
import { asOwner, openPipeline } from '../support/pipeline.ts';
import { testDatabase } from '../support/postgres.ts';
import { type Fields, KEYS, record, resources } from '../support/records.ts';

/** Each starts several processes. */
vi.setConfig({ testTimeout: 240_000 });

const FACTS = ['events', 'conflicts', 'hours', 'users', 'aliasUses', 'aliases', 'quarantine'] as const;
const ONE = '111122223333';
const DENIED = '432143214321';
const REGION = 'eu-west-1';

/** Tags are put on a key, evenly from `from` on. */
function happen(aws: AwsServer, { from, count, everyMs, name }: { from: number; count: number; everyMs: number; name: string }): Fields[] {
  return Array.from({ length: count }, (_, n) => {
    const fields = record('TagResource', from + n * everyMs, {
      ...resources(KEYS[0]),
      requestParameters: { keyId: KEYS[0], tags: [{ tagKey: 'n', tagValue: String(n) }] },
      recipientAccountId: ONE,
      eventID: `${name}-${n}`,
    });
    aws.cloudTrail.history.add(fields);
    return fields;
  });
}

async function configure(aws: AwsServer, url: string, accounts: readonly string[]): Promise<Environment> {
  const file = join(await temporaryFolder(), 'kmswatch.yaml');
  const lookupEvents = {
    role_name: 'reader',
    regions: [REGION],
    accounts: accounts.map((account) => ({ account })),
    // One question a day; with the other mode it is one for each service that detectors listen to.
    mode: 'write-only',
    lookback_days: 1,
    poll_seconds: 1,
  };
  await writeFile(file, JSON.stringify({ sources: { lookup_events: lookupEvents } }));
  return { ...aws.environment, DATABASE_URL: url, KMSWATCH_CONFIG: file };
}

const iso = (at: number): string => new Date(at).toISOString().slice(0, 10);

test('the past is read beside the live poller, which goes on, and both together make two requests a second at most', async () => {
  await using aws = await startAws();
  await using database = await testDatabase();
  const now = Date.now();
  const today = Math.floor(now / DAY) * DAY;
  const past = [
    ...happen(aws, { from: today - 4 * DAY, count: 170, everyMs: 7 * MINUTE, name: 'old' }),
    // So many within a few seconds that a question is cut into several.
    ...happen(aws, { from: today - 3 * DAY + HOUR, count: 60, everyMs: 0, name: 'same' }),
  ];
  const recent = happen(aws, { from: now - 30 * MINUTE, count: 120, everyMs: 10_000, name: 'recent' });
  const environment = await configure(aws, database.url, [ONE]);
  const live = start(['run', '--role', 'collect', '--role', 'ingest', '--role', 'detect'], environment);
  await untilStarted(live);
  const args = ['--from', iso(today - 4 * DAY), '--to', iso(today - DAY), '--json'];
  const running = start(['backfill', '--source', 'lookup', ...args], environment);
  await until(async () => (await stored(database.url, 'old')) > 20);
  const fresh = happen(aws, { from: Date.now(), count: 3, everyMs: 0, name: 'fresh' });
  await until(async () => (await stored(database.url, 'fresh')) === fresh.length);
  expect(running.isRunning()).toBe(true);
  const ended = await running.ended;
  expect(ended).toMatchObject({ code: 0 });
  expect(JSON.parse(ended.stdout)).toMatchObject({
    days: 3,
    days_done_before: 0,
    new: past.length,
    duplicates: 0,
    failed: 0,
    quarantined: 0,
  });
  await until(async () => (await stored(database.url, 'recent')) === recent.length);
  await sleep(2_500);
  const lookups = aws.requests.filter(({ operation }) => operation === 'LookupEvents');
  expect(mostInASecond(lookups)).toBeLessThanOrEqual(2);
  expect(lookups.map(({ outcome }) => outcome)).not.toContain('ThrottlingException');
  await until(async () => (await violations(database.url)).length === 0);
  await live.end('SIGTERM');
  expect(differences(await expectedOf([...past, ...recent, ...fresh]), await facts(database.url))).toEqual([]);

  const before = aws.requests.length;
  const again = await kmswatch(['backfill', '--source', 'lookup', ...args], environment);
  expect(JSON.parse(again.stdout)).toMatchObject({ days: 0, days_done_before: 3, objects: 0 });
  expect(aws.requests.slice(before).filter(({ operation }) => operation === 'LookupEvents')).toEqual([]);
});

test('killed in the middle it goes on where it was, alone it may make both requests, and a denied account is named once', async () => {
  await using aws = await startAws();
  await using database = await testDatabase();
  const today = Math.floor(Date.now() / DAY) * DAY;
  const past = happen(aws, { from: today - 6 * DAY, count: 700, everyMs: 10 * MINUTE, name: 'old' });
  aws.cloudTrail.denied.add(DENIED);
  const environment = await configure(aws, database.url, [DENIED, ONE]);
  const args = ['backfill', '--source', 'lookup', '--from', iso(today - 6 * DAY), '--to', iso(today - DAY), '--json'];
  const first = start(args, environment);
  const done = async (): Promise<number> => (await asOwner(database.url, "SELECT FROM checkpoint WHERE name LIKE 'backfill/%'")).length;
  await until(async () => (await done()) >= 3);
  await first.end('SIGKILL');
  const doneBefore = await done();
  const requests = aws.requests.length;
  const ended = await kmswatch(args, environment);
  expect(ended.code).toBe(1);
  const outcome = JSON.parse(ended.stdout) as { days_done_before: number; failures: { object: string; reason: string }[] };
  expect(outcome.days_done_before).toBe(doneBefore);
  expect(outcome.failures).toEqual([
    { object: expect.stringContaining(DENIED), reason: expect.stringContaining('cloudtrail:LookupEvents') },
  ]);
  const lookups = aws.requests.filter(({ operation }) => operation === 'LookupEvents');
  expect(mostInASecond(lookups)).toBe(2);
  expect(aws.requests.slice(requests).filter(({ account, operation }) => account === DENIED && operation === 'LookupEvents')).toHaveLength(
    1,
  );
  const wanted = past.filter((fields) => Date.parse(String(fields['eventTime'])) < today - DAY);
  expect(await stored(database.url, 'old')).toBe(wanted.length);
});

test('only one backfill reads an account and Region at a time, and accounts have to be known', async () => {
  await using aws = await startAws();
  await using database = await testDatabase();
  const environment = { ...aws.environment, DATABASE_URL: database.url };
  const today = Math.floor(Date.now() / DAY) * DAY;
  const period = ['--from', iso(today - 2 * DAY), '--to', iso(today - DAY)];
  const unnamed = await kmswatch(['backfill', '--source', 'lookup', ...period], environment);
  expect(unnamed).toMatchObject({ code: 1, stderr: expect.stringContaining('--accounts') });
  const unplaced = await kmswatch(['backfill', '--source', 'lookup', ...period, '--accounts', ONE], environment);
  expect(unplaced).toMatchObject({ code: 1, stderr: expect.stringContaining('--regions') });
  // Our credentials are those of another account.
  const foreign = await kmswatch(['backfill', '--source', 'lookup', ...period, '--accounts', ONE, '--regions', REGION], environment);
  expect(foreign).toMatchObject({ code: 1, stderr: expect.stringContaining(aws.sts.homeAccount) });
});

async function stored(url: string, name: string): Promise<number> {
  const [row] = await asOwner<{ n: number }>(
    url,
    'SELECT count(*)::int AS n FROM event JOIN event_id_text t USING (event_id) WHERE t.text LIKE $1',
    [`${name}-%`],
  );
  return row?.n ?? 0;
}

async function until(condition: () => Promise<boolean>, timeoutMs = 100_000): Promise<void> {
  for (const end = performance.now() + timeoutMs; !(await condition()); await sleep(200)) {
    if (performance.now() > end) throw new Error(`it has not come about within ${timeoutMs} ms`);
  }
}

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
