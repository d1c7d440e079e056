import { gzipSync } from 'node:zlib';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createLifecycle } from '../../services/platform/lifecycle.ts';
import { createLogger } from '../../services/platform/logger.ts';
import { sleep, systemClock } from '../../services/platform/clock.ts';
import { configSchema } from '../../services/workers/config.ts';
import { openService } from '../../services/workers/service.ts';
import { startRoles } from '../../services/workers/start.ts';
import { type Dump, differences, dump, violations } from '../support/dump.ts';
import { BUCKET, bridged, type FakeAws, fakeAws, logKey, notification, ofCloudTrail, REGION, withinSns } from '../support/fauxqs.ts';
import { start, untilStarted } from '../support/kmswatch.ts';
import { monthRecords, temporaryFolder } from '../support/month.ts';
import { asOwner, openPipeline } from '../support/pipeline.ts';
import { testDatabase } from '../support/postgres.ts';

const FILES = 24;
/** Sections of a dump that do not depend on the moment of judging. */
const FACTS = ['events', 'conflicts', 'hours', 'users', 'aliasUses', 'aliases'] as const;

interface Files {
  readonly records: readonly string[];
  readonly objects: readonly { readonly key: string; readonly body: Buffer; readonly records: readonly string[] }[];
}

function monthAsObjects(count = FILES): Files {
  const records = monthRecords().map((record) => JSON.stringify(record));
  const each = Math.ceil(records.length / count);
  const objects = Array.from({ length: count }, (_, at) => {
    const slice = records.slice(at * each, (at + 1) * each);
    return { key: logKey(`part ${at}+ä`), body: gzipSync(`{"Records":[${slice.join(',')}]}`, { level: 1 }), records: slice };
  });
  return { records, objects };
}

/** What the records come to when they are simply delivered. */
async function expectedOf(records: readonly string[]): Promise<Dump> {
  await using database = await testDatabase();
  await using pipeline = await openPipeline(database.url);
  await pipeline.deliver(records);
  await pipeline.work();
  return factsOf(await dump(database.url));
}

function factsOf(all: Dump): Dump {
  return Object.fromEntries(FACTS.map((name) => [name, all[name] ?? []]));
}

interface Started extends AsyncDisposable {
  readonly metrics: () => Promise<string>;
  stop(): Promise<void>;
}

async function service(
  url: string,
  sources: object,
  roles: Parameters<typeof startRoles>[1] = ['collect', 'ingest', 'detect'],
): Promise<Started> {
  const logger = createLogger((process.env['TEST_LOG'] as 'debug' | undefined) ?? 'silent');
  const lifecycle = createLifecycle({ logger });
  onTestFinished(async () => void (await lifecycle.stop()));
  const opened = await openService({
    config: configSchema.parse({ database_url: url, sources }),
    clock: systemClock,
    logger,
    lifecycle,
    judgeBy: 'clock',
    name: 'test',
  });
  await startRoles(opened, roles);
  const stop = async (): Promise<void> => void (await lifecycle.stop());
  return { stop, metrics: () => opened.registry.metrics(), [Symbol.asyncDispose]: stop };
}

async function rows<T extends Record<string, unknown>>(url: string, query: string): Promise<T[]> {
  return await asOwner<T>(url, query);
}

async function counts(url: string): Promise<{ pending: number; inserted: number; duplicates: number; quarantined: number }> {
  const [row] = await rows<{ pending: number; inserted: number; duplicates: number; quarantined: number }>(
    url,
    `SELECT count(*) FILTER (WHERE state = 'pending' OR (state = 'stored' AND detected_at IS NULL))::int AS pending, coalesce(sum(inserted), 0)::int AS inserted,
       coalesce(sum(duplicates), 0)::int AS duplicates, coalesce(sum(quarantined), 0)::int AS quarantined FROM ingest_batch`,
  );
  if (!row) throw new Error('no counts');
  return row;
}

async function settled(aws: FakeAws, url: string, queues: readonly string[]): Promise<void> {
  await aws.until(async () => {
    const isEmpty = queues.every((queue) => aws.depth(queue).ready + aws.depth(queue).inFlight === 0);
    return isEmpty && (await counts(url)).pending === 0;
  }, 60_000);
}

test('every form of message, twice, out of order and among others, brings every event once and leaves the queue empty', async () => {
  const aws = await fakeAws();
  const { records, objects } = monthAsObjects();
  await using database = await testDatabase();
  const url = aws.createQueue('trail');
  for (const { key, body } of objects) await aws.putObject(key, body);
  const forms = [
    (key: string, size: number) => notification(key, size),
    (key: string, size: number) => withinSns(notification(key, size)),
    (key: string, size: number) => bridged(key, size),
    (key: string) => withinSns(ofCloudTrail(key)),
    (key: string) => ofCloudTrail(key),
  ];
  const messages = objects.flatMap(({ key, body }, at) => {
    const message = forms[at % forms.length]?.(key, body.length);
    return at % 4 === 0 ? [message, message] : [message];
  });
  aws.send('trail', { Service: 'Amazon S3', Event: 's3:TestEvent', Bucket: BUCKET });
  aws.send('trail', withinSns('CloudTrail validation message.'));
  aws.send('trail', notification(logKey('digest', 'CloudTrail-Digest'), 100));
  aws.send('trail', notification('elasticloadbalancing/whatever.log.gz', 100));
  for (const message of messages.toReversed()) aws.send('trail', message);

  await using running = await service(database.url, { s3_trail: { queues: [{ url, region: REGION, buckets: [BUCKET] }] } });
  await settled(aws, database.url, ['trail']);
  await running.stop();
  expect(await running.metrics()).toContain('kmswatch_source_messages_total{source="s3-trail",outcome="ignored"} 4');

  expect(differences(await expectedOf(records), factsOf(await dump(database.url)))).toEqual([]);
  expect(await counts(database.url)).toMatchObject({ quarantined: 0 });
  expect(await rows(database.url, 'SELECT * FROM ingest_batch')).toHaveLength(messages.length);
});

test('messages stay hidden while the worker is slow, and those in hand are acknowledged when it is done', async () => {
  const aws = await fakeAws();
  const { objects } = monthAsObjects(6);
  await using database = await testDatabase();
  const url = aws.createQueue('trail');
  for (const { key, body } of objects) {
    await aws.putObject(key, body);
    aws.send('trail', notification(key, body.length));
  }
  const sources = { s3_trail: { queues: [{ url, region: REGION }], visibility_seconds: 2 } };
  await using _collecting = await service(database.url, sources, ['collect']);
  await aws.until(async () => (await rows(database.url, 'SELECT FROM ingest_batch')).length === objects.length);
  await sleep(5_000);
  expect(aws.depth('trail')).toEqual({ ready: 0, inFlight: objects.length });
  expect(aws.receives('trail')).toEqual(objects.map(() => 1));
  await using _working = await service(database.url, sources, ['ingest', 'detect']);
  await settled(aws, database.url, ['trail']);
  expect(await rows(database.url, 'SELECT FROM ingest_batch')).toHaveLength(objects.length);
});

test('a service that is stopped in the middle acknowledges what is being stored, and gives back the rest', async () => {
  const aws = await fakeAws();
  const { records, objects } = monthAsObjects(40);
  await using database = await testDatabase();
  const url = aws.createQueue('trail');
  for (const { key, body } of objects) {
    await aws.putObject(key, body);
    aws.send('trail', notification(key, body.length));
  }
  const sources = { s3_trail: { queues: [{ url, region: REGION }] } };
  await using first = await service(database.url, sources);
  await aws.until(async () => (await counts(database.url)).inserted > 500);
  await first.stop();
  expect(aws.depth('trail').ready).toBeGreaterThan(0);
  expect(aws.depth('trail').inFlight).toBe(0);

  await using _working = await service(database.url, sources);
  await settled(aws, database.url, ['trail']);
  expect(await rows(database.url, 'SELECT FROM ingest_batch')).toHaveLength(objects.length);
  expect(differences(await expectedOf(records), factsOf(await dump(database.url)))).toEqual([]);
});

test('a collector killed before anything is stored loses nothing', async () => {
  const aws = await fakeAws();
  const { records, objects } = monthAsObjects(6);
  await using database = await testDatabase();
  const url = aws.createQueue('trail');
  for (const { key, body } of objects) {
    await aws.putObject(key, body);
    aws.send('trail', notification(key, body.length));
  }
  const sources = { s3_trail: { queues: [{ url, region: REGION }], visibility_seconds: 3 } };
  const file = join(await temporaryFolder(), 'kmswatch.yaml');
  await writeFile(file, JSON.stringify({ database_url: database.url, sources }));
  const collector = start(['run', '--role', 'collect'], { ...aws.environment, KMSWATCH_CONFIG: file });
  await untilStarted(collector);
  await aws.until(async () => (await rows(database.url, 'SELECT FROM ingest_batch')).length >= 3);
  await collector.end('SIGKILL');
  // As if it had died before it could write anything down, too.
  await asOwner(database.url, 'DELETE FROM ingest_batch WHERE id % 2 = 0');
  expect(aws.depth('trail').inFlight).toBeGreaterThan(0);

  await using _working = await service(database.url, sources);
  await settled(aws, database.url, ['trail']);
  expect(differences(await expectedOf(records), factsOf(await dump(database.url)))).toEqual([]);
});

test('objects that are gone or damaged are put aside once, their messages deleted, and the rest is stored', async () => {
  const aws = await fakeAws();
  const { objects } = monthAsObjects(3);
  await using database = await testDatabase();
  const url = aws.createQueue('trail');
  const [whole, cut] = objects;
  if (!whole || !cut) throw new Error('too few objects');
  await aws.putObject(whole.key, whole.body);
  await aws.putObject(cut.key, cut.body.subarray(0, cut.body.length - 200));
  aws.send('trail', notification(whole.key, whole.body.length));
  aws.send('trail', notification(cut.key, cut.body.length - 200));
  aws.send('trail', notification(logKey('gone'), 1_000));
  aws.send('trail', ofCloudTrail(logKey('gone too'), whole.key));
  aws.send('trail', 'neither this nor that');
  aws.send('trail', { s3Bucket: 'foreign-bucket', s3ObjectKey: [logKey('elsewhere')] });
  await using _working = await service(database.url, { s3_trail: { queues: [{ url, region: REGION, buckets: [BUCKET] }] } });
  await settled(aws, database.url, ['trail']);

  const quarantine = await rows<{ reason: string; message: string }>(
    database.url,
    'SELECT reason, message FROM quarantine ORDER BY reason, message',
  );
  expect(quarantine).toEqual([
    { reason: 'not-a-record', message: 'the message is no JSON object' },
    { reason: 'truncated', message: expect.stringContaining('the gzip stream breaks off') },
    { reason: 'unreadable', message: expect.stringContaining('foreign-bucket') },
    { reason: 'unreadable', message: 'the object does not exist (any more): NoSuchKey' },
    { reason: 'unreadable', message: 'the object does not exist (any more): NotFound' },
  ]);
  const { inserted, duplicates } = await counts(database.url);
  expect(duplicates).toBeGreaterThan(0);
  expect(inserted).toBeGreaterThan(0);
});

test('a message that fails again and again is kept once and left to the dead-letter policy', async () => {
  const aws = await fakeAws();
  await using database = await testDatabase();
  aws.createQueue('dead');
  const url = aws.createQueue('trail', {
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn: `arn:aws:sqs:${REGION}:000000000000:dead`, maxReceiveCount: 4 }),
  });
  const denying = createServer((_, response) => response.writeHead(403).end()).listen(0, '127.0.0.1');
  onTestFinished(() => void denying.close());
  await once(denying, 'listening');
  vi.stubEnv('AWS_ENDPOINT_URL_S3', `http://127.0.0.1:${(denying.address() as AddressInfo).port}`);
  const id = aws.send('trail', ofCloudTrail(logKey('secret')));
  await using _working = await service(database.url, {
    s3_trail: { queues: [{ url, region: REGION }], visibility_seconds: 2, quarantine_after: 3 },
  });
  await aws.until(() => aws.depth('dead').ready === 1);
  expect(aws.depth('trail')).toEqual({ ready: 0, inFlight: 0 });
  expect(await rows(database.url, 'SELECT reason, seen, locator FROM quarantine')).toEqual([
    { reason: 'unreadable', seen: 1, locator: { queue: `000000000000/trail@${REGION}`, message: id } },
  ]);
});

test('the same events told by S3 and by EventBridge count once, with an observation for each telling', async () => {
  const aws = await fakeAws();
  const { records, objects } = monthAsObjects(4);
  await using database = await testDatabase();
  const [trail, events] = [aws.createQueue('trail'), aws.createQueue('events')];
  for (const { key, body } of objects) {
    await aws.putObject(key, body);
    aws.send('trail', notification(key, body.length));
  }
  const told = records.slice(0, 200);
  for (const record of told) {
    aws.send('events', { id: 'x', source: 'aws.kms', 'detail-type': 'AWS API Call via CloudTrail', detail: JSON.parse(record) as object });
  }
  await using _working = await service(database.url, {
    s3_trail: { queues: [{ url: trail, region: REGION }] },
    eventbridge: { queues: [{ url: events, region: REGION }] },
  });
  await settled(aws, database.url, ['trail', 'events']);
  expect(differences(await expectedOf(records), factsOf(await dump(database.url)))).toEqual([]);
  const tellings = await rows<{ source: string; relevant: number }>(
    database.url,
    'SELECT source, sum(relevant)::int AS relevant FROM ingest_batch GROUP BY source ORDER BY source',
  );
  expect(tellings).toMatchObject([{ source: 'eventbridge', relevant: expect.any(Number) }, { source: 's3-trail' }]);
  const [stored] = await rows<{ events: number; observations: number }>(
    database.url,
    'SELECT (SELECT count(*) FROM event)::int AS events, (SELECT count(*) FROM observation)::int AS observations',
  );
  expect((stored?.events ?? 0) + (stored?.observations ?? 0)).toBe(tellings.reduce((sum, { relevant }) => sum + relevant, 0));
  expect(await violations(database.url)).toEqual([]);
});

test('what only KMS tells EventBridge becomes an event of the key', async () => {
  const aws = await fakeAws();
  await using database = await testDatabase();
  const url = aws.createQueue('events');
  const key = `arn:aws:kms:${REGION}:111122223333:key/0a0a0a0a-0000-4000-8000-000000000001`;
  const event = {
    id: '6a7e8feb-b491-4cf7-a9f1-bf3703467718',
    source: 'aws.kms',
    account: '111122223333',
    region: REGION,
    time: '2026-02-01T00:00:00Z',
    resources: [key],
  };
  for (let times = 0; times < 2; times += 1)
    aws.send('events', { ...event, 'detail-type': 'KMS CMK Deletion', detail: { 'key-id': key.split('/')[1] } });
  aws.send('events', { ...event, source: 'aws.ec2', 'detail-type': 'EC2 Instance State-change Notification', detail: {} });
  await using _working = await service(database.url, { eventbridge: { queues: [{ url, region: REGION }] } });
  await settled(aws, database.url, ['events']);
  expect(await rows(database.url, 'SELECT arn, state FROM kms_key')).toEqual([{ arn: key, state: 'Deleted' }]);
  expect(await counts(database.url)).toMatchObject({ inserted: 1, duplicates: 1, quarantined: 0 });
});
