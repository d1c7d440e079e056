import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test, vi } from 'vitest';
import { DAY, HOUR } from '../../services/core/clock.ts';
import { type Dump, differences, dump, violations } from '../support/dump.ts';
import { BUCKET, type FakeAws, fakeAws, notification, REGION } from '../support/fauxqs.ts';
import { type Ended, type Environment, kmswatch, start, untilStarted } from '../support/kmswatch.ts';
import { temporaryFolder } from '../support/month.ts';
import { asOwner, openPipeline } from '../support/pipeline.ts';
import { testDatabase } from '../support/postgres.ts';
import { KEYS, record, resources } from '../support/records.ts';
import { type S3Front, s3Front } from '../support/s3-front.ts';

/** Each starts several processes. */
vi.setConfig({ testTimeout: 240_000 });

/** Sections of a dump that do not depend on the moment of judging. */
const FACTS = ['events', 'conflicts', 'hours', 'users', 'aliasUses', 'aliases', 'quarantine'] as const;
const ACCOUNT = '111122223333';
const FIRST = Date.UTC(2026, 1, 27);

interface World {
  readonly aws: FakeAws;
  readonly front: S3Front;
  readonly url: string;
  readonly environment: Environment;
  readonly records: string[];
}

async function world(url: string, config: object = {}): Promise<World> {
  const aws = await fakeAws();
  const front = await s3Front(aws.url);
  const file = join(await temporaryFolder(), 'kmswatch.yaml');
  await writeFile(file, JSON.stringify(config));
  const environment = { ...aws.environment, AWS_ENDPOINT_URL_S3: front.url, DATABASE_URL: url, KMSWATCH_CONFIG: file };
  return { aws, front, url, environment, records: [] };
}

interface Place {
  readonly day: number;
  readonly name: string;
  readonly account?: string;
  readonly region?: string;
  readonly folder?: string;
  readonly root?: string;
}

function keyOf({ day, name, account = ACCOUNT, region = REGION, folder = 'CloudTrail', root = 'AWSLogs' }: Place): string {
  const path = new Date(day).toISOString().slice(0, 10);
  const stamp = `${path.replaceAll('-', '')}T0105Z`;
  return `${root}/${account}/${folder}/${region}/${path.replaceAll('-', '/')}/${account}_${folder}_${region}_${stamp}_${name}.json.gz`;
}

let told = 0;

/** Puts a log file with some records of its own into the bucket. @returns its key */
async function put({ aws, records }: World, place: Place, count = 2): Promise<string> {
  const { account = ACCOUNT, region = REGION } = place;
  const texts = Array.from({ length: count }, () => {
    told += 1;
    const arn = KEYS[told % 2]!.replace(ACCOUNT, account).replace(REGION, region);
    const fields = { ...resources(arn), eventID: `b-${told}`, recipientAccountId: account, awsRegion: region };
    return JSON.stringify(record('Decrypt', place.day + HOUR + (told % 1_000) * 1_000, fields));
  });
  records.push(...texts);
  const key = keyOf(place);
  await aws.putObject(key, gzipSync(`{"Records":[${texts.join(',')}]}`));
  return key;
}

interface Outcome extends Record<string, unknown> {
  readonly days: number;
  readonly objects: number;
  readonly skipped: number;
  readonly failures: readonly { readonly object: string; readonly reason: string }[];
}

function run(environment: Environment, ...more: readonly string[]): Promise<Ended> {
  return kmswatch(['backfill', '--source', 's3', '--json', ...more], environment);
}

function outcomeOf(ended: Ended, code = 0): Outcome {
  expect({ code: ended.code, stderr: ended.code === code ? '' : ended.stderr }).toEqual({ code, stderr: '' });
  return JSON.parse(ended.stdout) as Outcome;
}

async function expectAll({ records, url }: World): Promise<void> {
  await using database = await testDatabase();
  await using pipeline = await openPipeline(database.url);
  await pipeline.deliver(records);
  await pipeline.work();
  expect(differences(factsOf(await dump(database.url)), factsOf(await dump(url)))).toEqual([]);
  expect(await violations(url)).toEqual([]);
}

function factsOf(all: Dump): Dump {
  return Object.fromEntries(FACTS.map((name) => [name, all[name] ?? []]));
}

const period = (days = 1): string[] => ['--from', iso(FIRST), '--to', iso(FIRST + days * DAY)];
const iso = (at: number): string => new Date(at).toISOString().slice(0, 10);
const days = (places: number, count: number): number => places * count;

test('all accounts, Regions and organizations of a bucket are found, a folder of more than a thousand objects page by page', async () => {
  await using database = await testDatabase();
  const it = await world(database.url);
  const { aws, front, environment } = it;
  for (let n = 0; n < 40; n++) await put(it, { day: FIRST, name: `n${n}` }, 1);
  await put(it, { day: FIRST, name: 'other', region: 'us-east-1' });
  await put(it, { day: FIRST, name: 'member', root: 'AWSLogs/o-exampleorg1', account: '444455556666' });
  await put(it, { day: FIRST, name: 'vpce', folder: 'CloudTrail-NetworkActivity' });
  // Late: delivered on the day after.
  await put(it, { day: FIRST + DAY, name: 'late' });
  // None of it may be read.
  const others = [
    { day: FIRST, name: 'digest', folder: 'CloudTrail-Digest' },
    { day: FIRST, name: 'insight', folder: 'CloudTrail-Insight' },
    { day: FIRST - DAY, name: 'before' },
    { day: FIRST + 2 * DAY, name: 'after' },
  ].map(keyOf);
  // Between them lie a thousand that somebody copied.
  const copies = Array.from({ length: 1_010 }, (_, n) => `${keyOf({ day: FIRST, name: `n${n % 40}` })}.copies/${n}`);
  const all = [...others, ...copies];
  for (let at = 0; at < all.length; at += 50) await Promise.all(all.slice(at, at + 50).map((key) => aws.putObject(key, gzipSync('{}'))));

  const outcome = outcomeOf(await run(environment, ...period(), '--bucket', BUCKET));
  expect(outcome).toMatchObject({
    days: days(4, 2),
    objects: 44,
    skipped: 0,
    records: 48,
    relevant: 48,
    new: 48,
    duplicates: 0,
    conflicts: 0,
    quarantined: 0,
    failed: 0,
  });
  const day = keyOf({ day: FIRST, name: '' }).replace(/[^/]*$/, '');
  expect(front.requests.filter(({ kind, prefix }) => kind === 'list' && prefix === day)).toHaveLength(2);
  const read = new Set(front.requests.filter(({ kind }) => kind === 'get').map(({ key }) => key));
  expect([...others, ...copies].filter((key) => read.has(key))).toEqual([]);
  await expectAll(it);

  // Once more: days that are done are not even listed.
  front.requests.length = 0;
  const again = outcomeOf(await run(environment, ...period(), '--bucket', BUCKET));
  expect(again).toMatchObject({ days: 0, days_done_before: 8, objects: 0, skipped: 0, records: 0 });
  expect(front.requests.filter(({ prefix }) => /\/2026\//.test(prefix))).toEqual([]);
  // Asked for all the same, they are listed, and nothing is read again.
  expect(outcomeOf(await run(environment, ...period(), '--bucket', BUCKET, '--again'))).toMatchObject({
    days: 8,
    objects: 0,
    skipped: 44,
  });
  expect(front.requests.filter(({ kind }) => kind === 'get')).toEqual([]);
});

test('a run that is killed goes on where it was: days that are done are not listed again, objects that are stored not read again', async () => {
  await using database = await testDatabase();
  const it = await world(database.url);
  const { front, environment } = it;
  for (let day = 0; day < 3; day++) for (let n = 0; n < 30; n++) await put(it, { day: FIRST + day * DAY, name: `d${day}n${n}` });
  front.delay = ({ kind }) => (kind === 'get' ? 60 : 0);
  const args = [...period(3), '--bucket', BUCKET, '--accounts', ACCOUNT, '--regions', REGION, '--parallel', '1'];
  const first = start(['backfill', '--source', 's3', '--json', ...args], environment);
  const folder = (day: number): string => keyOf({ day: FIRST + day * DAY, name: '' }).replace(/[^/]*$/, '');
  const isDone = async (day: number): Promise<boolean> =>
    (await asOwner(database.url, 'SELECT FROM checkpoint WHERE name = $1', [`backfill/s3-trail/${BUCKET}/${folder(day)}`])).length > 0;
  await it.aws.until(async () => {
    if (!first.isRunning()) throw new Error(first.stderr());
    return await isDone(0);
  });
  await it.aws.until(async () => (await storedBatches(database.url)) >= 40);
  expect(await first.end('SIGKILL')).toMatchObject({ signal: 'SIGKILL' });
  expect(await isDone(2)).toBe(false);
  const stored = new Set(await storedKeys(database.url));
  front.requests.length = 0;
  front.delay = () => 0;

  const outcome = outcomeOf(await run(environment, ...args));
  expect(outcome).toMatchObject({ failed: 0, conflicts: 0, quarantined: 0 });
  expect(outcome['days_done_before']).toBeGreaterThanOrEqual(1);
  expect(outcome.skipped).toBeGreaterThan(0);
  expect(front.requests.filter(({ kind, prefix }) => kind === 'list' && prefix === folder(0))).toEqual([]);
  expect(front.requests.filter(({ kind, key }) => kind === 'get' && stored.has(key))).toEqual([]);
  // What the killed one had in hand is taken from it after a while.
  const others = start(['run', '--role', 'ingest', '--role', 'detect'], environment);
  await it.aws.until(async () => (await violations(database.url)).length === 0, 60_000);
  await others.end('SIGTERM');
  await expectAll(it);
});

test('what live sources stored is recognized, by the same locator; what has changed since is read again', async () => {
  await using database = await testDatabase();
  const aws = await fakeAws();
  const queue = aws.createQueue('trail');
  const it = {
    ...(await world(database.url, { sources: { s3_trail: { queues: [{ url: queue, region: REGION, buckets: [BUCKET] }] } } })),
    aws,
  };
  // One server for both.
  const front = await s3Front(aws.url);
  const environment = { ...it.environment, ...aws.environment, AWS_ENDPOINT_URL_S3: front.url };
  const keys: string[] = [];
  for (let n = 0; n < 6; n++) keys.push(await put(it, { day: FIRST, name: `n${n}` }));
  const live = start(['run', '--no-sample'], { ...environment, KMSWATCH_LISTEN: '127.0.0.1:0' });
  await untilStarted(live);
  for (const key of keys.slice(0, 4)) {
    const { size, etag } = await headOf(aws, key);
    const message = notification(key, size) as { Records: [{ s3: { object: Record<string, unknown> } }] };
    message.Records[0].s3.object['eTag'] = etag;
    aws.send('trail', message);
  }
  await aws.until(async () => (await storedBatches(database.url)) === 4);
  await put(it, { day: FIRST, name: 'n0' });
  // The bucket is the one of the configuration.
  const outcome = outcomeOf(await run(environment, ...period()));
  expect(outcome).toMatchObject({ objects: 3, skipped: 3, new: 6, duplicates: 0, failed: 0 });
  const locators = await asOwner<{ fields: string; batches: number }>(
    database.url,
    `SELECT (SELECT string_agg(k || ':' || jsonb_typeof(locator -> k), ' ' ORDER BY k) FROM jsonb_object_keys(locator) k WHERE k <> 'region') || ' ' || (locator ->> 'queue') AS fields,
       count(*)::int AS batches FROM ingest_batch GROUP BY 1`,
  );
  expect(locators).toEqual([
    { fields: `bucket:string etag:string key:string queue:string size:number 000000000000/trail@${REGION}`, batches: 7 },
  ]);
  await live.end('SIGTERM');
  await expectAll(it);
});

test('a prefix or an object that is denied is named, tried a few times, and keeps nothing else from being stored', async () => {
  await using database = await testDatabase();
  const it = await world(database.url);
  const { front, environment } = it;
  for (let n = 0; n < 5; n++) await put(it, { day: FIRST, name: `n${n}` });
  const good = [...it.records];
  const secret = await put(it, { day: FIRST, name: 'secret' });
  await put(it, { day: FIRST, name: 'hidden', region: 'us-east-1' });
  const hidden = keyOf({ day: FIRST, name: '', region: 'us-east-1' }).replace(/[^/]*$/, '');
  front.denies = ({ kind, key, prefix }) => (kind === 'list' ? prefix === hidden : key === secret);
  const ended = await run(environment, ...period(), '--bucket', BUCKET);
  const outcome = outcomeOf(ended, 1);
  expect(outcome).toMatchObject({ days: 2, objects: 6, new: good.length, failed: 2, quarantined: 0 });
  expect(outcome.failures).toHaveLength(2);
  expect(outcome.failures).toContainEqual({
    object: `s3://${BUCKET}/${secret}`,
    reason: expect.stringMatching(/AccessDenied.*s3:GetObject/),
  });
  expect(outcome.failures).toContainEqual({
    object: expect.stringContaining(hidden),
    reason: expect.stringMatching(/could not be listed: AccessDenied/),
  });
  expect(ended.stderr).toContain(secret);
  expect(front.requests.filter(({ kind, key }) => kind === 'get' && key === secret).length).toBeLessThanOrEqual(3);
  expect(front.requests.filter(({ prefix }) => prefix === hidden)).toHaveLength(1);

  // Mended: only what was not done is read.
  front.denies = () => false;
  front.requests.length = 0;
  expect(outcomeOf(await run(environment, ...period(), '--bucket', BUCKET))).toMatchObject({
    days: 2,
    days_done_before: 2,
    objects: 2,
    skipped: 5,
    failed: 0,
  });
  const [{ events } = { events: 0 }] = await asOwner<{ events: number }>(database.url, 'SELECT count(*)::int AS events FROM event');
  expect(events).toBe(it.records.length);
});

test('a bucket of which nothing may be read is left soon', async () => {
  await using database = await testDatabase();
  const it = await world(database.url);
  for (let n = 0; n < 120; n++) await put(it, { day: FIRST, name: `n${n}` }, 1);
  it.front.denies = ({ kind }) => kind === 'get';
  const ended = await run(it.environment, ...period(), '--bucket', BUCKET);
  const outcome = outcomeOf(ended, 1);
  expect(outcome.failures).toHaveLength(20);
  expect(ended.stderr).toMatch(/and \d+ more\./);
  expect(outcome.objects).toBeLessThan(80);
  it.front.denies = () => true;
  const refused = await run(it.environment, ...period(), '--bucket', BUCKET);
  expect(refused).toMatchObject({ code: 1, stdout: '' });
  expect(refused.stderr).toMatch(/could not be listed: AccessDenied[\s\S]*s3:ListBucket/);
});

test('a live delivery overtakes a backfill that is running', async () => {
  await using database = await testDatabase();
  const aws = await fakeAws();
  const queue = aws.createQueue('trail');
  const front = await s3Front(aws.url);
  const file = join(await temporaryFolder(), 'kmswatch.yaml');
  await writeFile(
    file,
    JSON.stringify({ ingest: { concurrency: 1, in_flight: 40 }, sources: { s3_trail: { queues: [{ url: queue, region: REGION }] } } }),
  );
  const environment = { ...aws.environment, AWS_ENDPOINT_URL_S3: front.url, DATABASE_URL: database.url, KMSWATCH_CONFIG: file };
  const it: World = { aws, front, url: database.url, environment, records: [] };
  for (let n = 0; n < 160; n++) await put(it, { day: FIRST, name: `n${n}` }, 1);
  const fresh = await put(it, { day: FIRST + 20 * DAY, name: 'fresh' }, 1);
  front.delay = ({ kind }) => (kind === 'get' ? 120 : 0);
  const live = start(['run', '--no-sample'], { ...environment, KMSWATCH_LISTEN: '127.0.0.1:0' });
  await untilStarted(live);
  const filling = start(['backfill', '--source', 's3', '--json', ...period(), '--bucket', BUCKET], environment);
  const waiting = async (): Promise<number> =>
    Number((await asOwner<{ n: string }>(database.url, "SELECT count(*) AS n FROM ingest_batch WHERE state = 'pending'"))[0]?.n);
  await aws.until(async () => (await waiting()) >= 30);
  aws.send('trail', notification(fresh));
  const isFresh = "locator ->> 'key' LIKE '%fresh%'";
  await aws.until(async () => (await asOwner(database.url, `SELECT FROM ingest_batch WHERE ${isFresh} AND state = 'stored'`)).length > 0);
  // What was registered before it and stored before it, though it had been waiting longer: only what was in hand.
  const [{ between } = { between: -1 }] = await asOwner<{ between: number }>(
    database.url,
    `SELECT count(*)::int AS between FROM ingest_batch b, (SELECT received_at, stored_at FROM ingest_batch WHERE ${isFresh}) f
     WHERE b.stored_at > f.received_at AND b.stored_at < f.stored_at`,
  );
  expect(await waiting()).toBeGreaterThan(20);
  expect(between).toBeLessThanOrEqual(6);
  front.delay = () => 0;
  const ended = await filling.ended;
  expect(outcomeOf(ended)).toMatchObject({ objects: 160, failed: 0 });
  await live.end('SIGTERM');
  await expectAll(it);
});

test('a large object is streamed in chunks, and an object that is put aside does not hold up its day', async () => {
  await using database = await testDatabase();
  const it = await world(database.url);
  const texts = Array.from({ length: 4_200 }, (_, n) => {
    const noise = randomBytes(300).toString('base64');
    return JSON.stringify(record('Decrypt', FIRST + n * 1_000, { ...resources(KEYS[0]), eventID: `large-${n}`, userAgent: noise }));
  });
  it.records.push(...texts);
  const body = gzipSync(`{"Records":[${texts.slice(0, 2_100).join(',')}]}`);
  // Two members: what the last one says of its size is not the whole truth, so it is not read into memory.
  const both = Buffer.concat([body, gzipSync(`{"Records":[${texts.slice(2_100).join(',')}]}`), gzipSync(' ')]);
  expect(both.length).toBeGreaterThan(1_048_576);
  await it.aws.putObject(keyOf({ day: FIRST, name: 'large' }), both);
  await it.aws.putObject(keyOf({ day: FIRST, name: 'rubbish' }), Buffer.from('no gzip and no JSON'));
  const outcome = outcomeOf(await run(it.environment, ...period(), '--bucket', BUCKET));
  expect(outcome).toMatchObject({ days: 2, objects: 2, new: 4_200, quarantined: 1, failed: 0 });
  const [{ chunks } = { chunks: 0 }] = await asOwner<{ chunks: number }>(
    database.url,
    "SELECT count(*)::int AS chunks FROM ingest_batch WHERE locator ? 'chunk'",
  );
  expect(chunks).toBeGreaterThanOrEqual(3);
});

async function storedBatches(url: string): Promise<number> {
  const [row] = await asOwner<{ n: number }>(url, "SELECT count(*)::int AS n FROM ingest_batch WHERE state = 'stored'");
  return row?.n ?? 0;
}

async function storedKeys(url: string): Promise<string[]> {
  const rows = await asOwner<{ key: string }>(url, "SELECT locator ->> 'key' AS key FROM ingest_batch WHERE state = 'stored'");
  return rows.map(({ key }) => key);
}

async function headOf(aws: FakeAws, key: string): Promise<{ size: number; etag: string }> {
  const answer = await fetch(`${aws.url}/${BUCKET}/${key.split('/').map(encodeURIComponent).join('/')}`);
  return { size: (await answer.arrayBuffer()).byteLength, etag: (answer.headers.get('etag') ?? '').replaceAll('"', '') };
}
