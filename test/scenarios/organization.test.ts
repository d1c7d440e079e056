/**
 * An organization of 50 accounts in 4 Regions, told through all three live sources at once, with everything going wrong that does in a
 * year: duplicates, records out of order and hours late, throttling, cut connections, killed processes. What comes of it is what a quiet
 * replay of the same records comes to. `KMSWATCH_ORGANIZATION_EVENTS` makes it larger.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { HOUR, MINUTE } from '../../services/core/clock.ts';
import { sleep } from '../../services/platform/clock.ts';
import { Random } from '../../services/simulate/random.ts';
import { type Fault, mostInASecond, startAws } from '../support/aws/server.ts';
import { differences, type Dump, dump, violations } from '../support/dump.ts';
import { BUCKET, fakeAws, notification, withinSns } from '../support/fauxqs.ts';
import { type Environment, expectSuccess, kmswatch, type Running, start, untilStarted } from '../support/kmswatch.ts';
import { temporaryFolder } from '../support/month.ts';
import { asOwner } from '../support/pipeline.ts';
import { testDatabase } from '../support/postgres.ts';
import { eventId, type Fields, record, roleOf } from '../support/records.ts';
import { s3Front } from '../support/s3-front.ts';

const EVENTS = Number(process.env['KMSWATCH_ORGANIZATION_EVENTS'] ?? 5_000);
const ACCOUNTS = Array.from({ length: 50 }, (_, n) => String(111_100_000_000 + n * 1_111));
const REGIONS = ['eu-west-1', 'eu-central-1', 'us-east-1', 'ap-southeast-2'];
const PLACES = ACCOUNTS.flatMap((account) => REGIONS.map((region) => ({ account, region })));
const RECORDS_IN_A_FILE = 40;
/** Coverage says by which source something came, and detector failures and findings are judged anew below. */
const SAME = [
  'events',
  'keys',
  'aliases',
  'findings',
  'conflicts',
  'hours',
  'users',
  'aliasUses',
  'habits',
  'volumes',
  'credentials',
  'quarantine',
];

interface Told {
  readonly fields: Fields;
  readonly text: string;
  readonly place: (typeof PLACES)[number];
  readonly at: number;
}

test('an organization through three sources with faults ends as a quiet replay of the same records', {
  timeout: 1_200_000 + EVENTS * 12,
}, async () => {
  const seed = `organization-${Date.now()}`;
  process.stdout.write(`seed ${seed}, ${EVENTS} events\n`);
  const random = new Random(seed);
  const now = Date.now();
  const records = happen(random, now);
  const aws = await fakeAws();
  await using cloudTrail = await startAws();
  const front = await s3Front(aws.url);
  await using database = await testDatabase();
  const [trail, events] = [aws.createQueue('trail', { VisibilityTimeout: '5' }), aws.createQueue('events', { VisibilityTimeout: '5' })];

  // Every record comes by at least one way; seven in ten by the trail, and of each file some records lie in a second one.
  const inHistory = new Set<unknown>();
  for (const { fields } of records.filter(() => random.float() < 0.4)) {
    // What is hours old and appears only after its window was read is found by the daily sweep: here the trail has to bring it.
    const isLate = random.float() < 0.05;
    cloudTrail.cloudTrail.history.add(fields, isLate ? now + random.int(1_000, 15_000) : 0);
    if (!isLate) inHistory.add(fields['eventID']);
  }
  const byTrail = records.filter(({ fields }) => random.float() < 0.7 || !inHistory.has(fields['eventID']));
  const files = filesOf(random, byTrail);
  for (const { key, body } of files) await aws.putObject(key, body);
  const messages = files.flatMap(({ key, body }) =>
    random.float() < 0.05 ? [notification(key, body.length), withinSns(notification(key))] : [notification(key, body.length)],
  );
  for (const message of shuffled(random, messages)) aws.send('trail', message);
  for (const { fields } of shuffled(
    random,
    records.filter(() => random.float() < 0.1),
  ))
    aws.send('events', { id: 'x', source: 'aws.kms', 'detail-type': 'AWS API Call via CloudTrail', detail: fields });

  let asked = 0;
  const faults: readonly Fault[] = [
    { kind: 'cut' },
    { kind: 'unavailable' },
    { kind: 'error', code: 'ThrottlingException' },
    { kind: 'slow', ms: 300 },
  ];
  cloudTrail.onRequest = ({ service }) =>
    service === 'cloudtrail' && ++asked % 23 === 0 ? (faults[(asked / 23) % faults.length] ?? null) : null;
  let gets = 0;
  front.denies = ({ kind }) => kind === 'get' && ++gets % 41 === 0;

  const file = join(await temporaryFolder(), 'kmswatch.yaml');
  await writeFile(
    file,
    JSON.stringify({
      sources: {
        lookup_events: {
          role_name: 'reader',
          accounts: ACCOUNTS.map((account) => ({ account })),
          regions: REGIONS,
          lookback_days: 2,
          poll_seconds: 1,
        },
        s3_trail: { queues: [{ url: trail, region: 'eu-west-1', buckets: [BUCKET] }], visibility_seconds: 5, quarantine_after: 50 },
        eventbridge: { queues: [{ url: events, region: 'eu-west-1' }], visibility_seconds: 5, quarantine_after: 50 },
      },
    }),
  );
  const environment: Environment = {
    ...aws.environment,
    AWS_ENDPOINT_URL_S3: front.url,
    AWS_ENDPOINT_URL_CLOUDTRAIL: cloudTrail.url,
    AWS_ENDPOINT_URL_STS: cloudTrail.url,
    AWS_ACCESS_KEY_ID: 'AKIAHOME',
    AWS_SECRET_ACCESS_KEY: 'secret',
    DATABASE_URL: database.url,
    KMSWATCH_CONFIG: file,
  };
  const begin = async (): Promise<Running> => {
    const running = start(['run', '--role', 'collect', '--role', 'ingest', '--role', 'detect'], environment);
    await untilStarted(running);
    return running;
  };
  let workers = [await begin(), await begin()];
  for (const share of [0.2, 0.5, 0.8]) {
    await until(async () => (await stored(database.url)) >= share * EVENTS);
    const [killed, ...others] = workers;
    expect(await killed?.end('SIGKILL')).toMatchObject({ signal: 'SIGKILL' });
    workers = [...others, await begin()];
  }
  await until(async () => (await stored(database.url)) >= EVENTS && isEmpty(aws.depth('trail')) && isEmpty(aws.depth('events')));
  await until(async () => (await violations(database.url)).length === 0);
  for (const worker of workers) expectSuccess(await worker.end('SIGTERM'));

  expect(await stored(database.url)).toBe(EVENTS);
  expect(mostInASecond(cloudTrail.requests.filter(({ operation }) => operation === 'LookupEvents'))).toBeLessThanOrEqual(2);
  const asOf = new Date(records.reduce((latest, { at }) => Math.max(latest, at), 0)).toISOString();
  expect(differences(await quietly(records, asOf), await judged(database.url, asOf))).toEqual([]);
});

/** A day of the organization: each account uses two keys in each Region, and now and then changes one. */
function happen(random: Random, now: number): Told[] {
  return Array.from({ length: EVENTS }, (_, n) => {
    const place = PLACES[random.int(0, PLACES.length - 1)] ?? { account: '', region: '' };
    const at = Math.floor((now - random.int(10 * MINUTE, 20 * HOUR)) / 1_000) * 1_000;
    const arn = `arn:aws:kms:${place.region}:${place.account}:key/0a0a0a0a-0000-4000-8000-00000000000${random.int(1, 2)}`;
    const [eventName, more] = random.float() < 0.96 ? USES(random) : CHANGES(random, arn);
    const fields = record(eventName, at, {
      eventID: eventId(1_000_000 + n),
      awsRegion: place.region,
      recipientAccountId: place.account,
      userIdentity: roleOf(random.float() < 0.9 ? 'app' : 'admin', place.account),
      resources: [{ ARN: arn, accountId: place.account, type: 'AWS::KMS::Key' }],
      ...more,
    });
    return { fields, text: JSON.stringify(fields), place, at };
  });
}

const USES = (random: Random): [string, Fields] => [
  random.float() < 0.7 ? 'Decrypt' : 'GenerateDataKey',
  random.float() < 0.02 ? { errorCode: 'AccessDenied', errorMessage: 'not authorized to perform the call' } : {},
];

const CHANGES = (random: Random, arn: string): [string, Fields] => {
  const changes: readonly [string, Fields][] = [
    ['DisableKey', { requestParameters: { keyId: arn } }],
    ['EnableKey', { requestParameters: { keyId: arn } }],
    ['DisableKeyRotation', { requestParameters: { keyId: arn } }],
    ['EnableKeyRotation', { requestParameters: { keyId: arn, rotationPeriodInDays: 365 } }],
    [
      'ScheduleKeyDeletion',
      {
        requestParameters: { keyId: arn, pendingWindowInDays: 7 },
        responseElements: { keyId: arn, keyState: 'PendingDeletion', pendingWindowInDays: 7 },
      },
    ],
    ['CancelKeyDeletion', { requestParameters: { keyId: arn } }],
    [
      'PutKeyPolicy',
      {
        requestParameters: {
          keyId: arn,
          policyName: 'default',
          policy: JSON.stringify({ Statement: [{ Effect: 'Allow', Principal: '*', Action: 'kms:*', Resource: '*' }] }),
        },
      },
    ],
  ];
  return changes[random.int(0, changes.length - 1)] ?? ['EnableKey', {}];
};

/** Log files of one place each; a fifth of the records out of order, some of them hours late, and some in a second file as well. */
function filesOf(random: Random, records: readonly Told[]): { key: string; body: Buffer }[] {
  const files: { key: string; body: Buffer }[] = [];
  for (const { account, region } of PLACES) {
    const own = records.filter(({ place }) => place.account === account && place.region === region);
    const written = own.map((told) => ({
      told,
      at: told.at + (random.float() < 0.05 ? random.int(0, 6 * HOUR) : random.float() < 0.2 ? random.int(0, HOUR) : 0),
    }));
    const twice = written.filter(() => random.float() < 0.03).map(({ told, at }) => ({ told, at: at + HOUR }));
    const inOrder = [...written, ...twice].toSorted((a, b) => a.at - b.at);
    for (let n = 0; n < inOrder.length; n += RECORDS_IN_A_FILE) {
      const part = inOrder.slice(n, n + RECORDS_IN_A_FILE);
      const day = new Date(part[0]?.at ?? 0).toISOString().slice(0, 10);
      const name = `${account}_CloudTrail_${region}_${day.replaceAll('-', '')}T0000Z_${String(n).padStart(16, '0')}.json.gz`;
      const body = gzipSync(`{"Records":[${part.map(({ told }) => told.text).join(',')}]}`);
      files.push({ key: `AWSLogs/o-a1b2c3d4e5/${account}/CloudTrail/${region}/${day.replaceAll('-', '/')}/${name}`, body });
    }
  }
  return files;
}

function shuffled<T>(random: Random, values: readonly T[]): T[] {
  return values
    .map((value) => ({ value, rank: random.float() }))
    .toSorted((a, b) => a.rank - b.rank)
    .map(({ value }) => value);
}

function isEmpty({ ready, inFlight }: { ready: number; inFlight: number }): boolean {
  return ready === 0 && inFlight === 0;
}

/** What a replay of the records from one file comes to, with nothing going wrong. */
async function quietly(records: readonly Told[], asOf: string): Promise<Dump> {
  const folder = await temporaryFolder();
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'all.ndjson'), records.map(({ text }) => `${text}\n`).join(''));
  await using database = await testDatabase();
  expectSuccess(await kmswatch(['replay', folder, '--as-of', asOf, '--json'], { DATABASE_URL: database.url }));
  return await judged(database.url, asOf);
}

/** Everything that does not say by which way it came, judged as of the same moment. */
async function judged(url: string, asOf: string): Promise<Dump> {
  expectSuccess(await kmswatch(['replay', await temporaryFolder(), '--as-of', asOf, '--json'], { DATABASE_URL: url }));
  const all = await dump(url);
  return Object.fromEntries(SAME.map((name) => [name, all[name] ?? []]));
}

async function stored(url: string): Promise<number> {
  const [row] = await asOwner<{ n: number }>(url, 'SELECT count(*)::int AS n FROM event');
  return row?.n ?? 0;
}

async function until(condition: () => Promise<boolean>, timeoutMs = 600_000): Promise<void> {
  for (const end = performance.now() + timeoutMs; !(await condition()); await sleep(250)) {
    if (performance.now() > end) throw new Error(`it has not come about within ${timeoutMs} ms`);
  }
}
