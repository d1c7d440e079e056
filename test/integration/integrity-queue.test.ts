/** Digests that queues tell of, over an emulator of S3 and SQS that is not ours. */
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { expect, onTestFinished, test, vi } from 'vitest';
import { HOUR } from '../../services/core/clock.ts';
import { createAws } from '../../services/platform/aws.ts';
import { createLogger } from '../../services/platform/logger.ts';
import type { DeliveredDigest } from '../../services/sources/digest.ts';
import { DEFAULT_LIMITS } from '../../services/sources/limits.ts';
import { s3TrailSchema } from '../../services/sources/s3-trail/config.ts';
import { createS3TrailSource } from '../../services/sources/s3-trail/source.ts';
import { keepDigests } from '../../services/store/digests.ts';
import { checkTrails } from '../../services/workers/integrity/check.ts';
import { integritySchema } from '../../services/workers/integrity/config.ts';
import { keptDigest } from '../../services/workers/integrity/kept-digest.ts';
import { startAws } from '../support/aws/server.ts';
import { Bucket, Chain, logContents, signingKey } from '../support/digest-chain.ts';
import { BUCKET, type FakeAws, fakeAws, notification, REGION } from '../support/fauxqs.ts';
import { openPipeline, type Pipeline } from '../support/pipeline.ts';
import { testDatabase } from '../support/postgres.ts';
import { startTrailS3 } from '../support/trail-s3.ts';

const FIRST = Date.UTC(2023, 6, 10, 11, 1, 31);
const KEY = signingKey();

async function open(): Promise<{ aws: FakeAws; pipeline: Pipeline; queue: string; bucket: Bucket; chain: Chain }> {
  const aws = await fakeAws();
  const database = await testDatabase();
  onTestFinished(() => database.drop());
  const pipeline = await openPipeline(database.url, { clock: { now: () => FIRST + 2.5 * HOUR } });
  onTestFinished(() => pipeline[Symbol.asyncDispose]());
  const bucket = new Bucket(BUCKET);
  const chain = new Chain(bucket, { key: KEY, firstEnd: FIRST, region: REGION });
  chain.deliver(logContents(2, 'a'));
  chain.deliver(logContents(1, 'b'));
  return { aws, pipeline, queue: aws.createQueue('trail'), bucket, chain };
}

async function upload(aws: FakeAws, bucket: Bucket): Promise<void> {
  const s3 = new S3Client({ endpoint: aws.url, region: REGION, forcePathStyle: true });
  for (const [Key, Body] of bucket.objects)
    await s3.send(new PutObjectCommand({ Bucket: bucket.name, Key, Body, Metadata: bucket.metadata.get(Key) ?? {} }));
  s3.destroy();
}

/** Runs the source until the queue is empty. @returns the digests that it handed over */
async function drain(aws: FakeAws, queue: string, keep: (digest: DeliveredDigest) => Promise<void>): Promise<void> {
  const settings = s3TrailSchema.parse({ queues: [{ url: queue, region: REGION }] });
  const stop = new AbortController();
  const source = createS3TrailSource(settings, {
    aws: createAws({ clock: { now: () => Date.now() }, version: 'test' }),
    limits: DEFAULT_LIMITS,
    onEvent: () => undefined,
    keepDigest: keep,
  });
  const running = (async () => {
    for await (const delivery of source.run(stop.signal)) await delivery.ack();
  })();
  await aws.until(() => {
    const { ready, inFlight } = aws.depth('trail');
    return ready + inFlight === 0;
  });
  stop.abort();
  await running;
}

test('a digest is kept with its signature when its message comes, once, and the check needs no other copy of it', async () => {
  const { aws, pipeline, queue, bucket, chain } = await open();
  await upload(aws, bucket);
  const { key } = chain.digests[0]!;
  aws.send('trail', notification(key, 100));
  aws.send('trail', notification(key, 100));
  await drain(aws, queue, async (digest) => {
    const kept = await keptDigest(digest);
    if (kept) await keepDigests(pipeline.deps.pool, [kept], FIRST);
  });
  const kept = async (): Promise<object[]> =>
    (await pipeline.deps.pool.query<object>('SELECT object_key, signature, trail, region FROM trail_digest ORDER BY ends_at')).rows;
  const row = (at: number): object => {
    const { key: object } = chain.digests[at]!;
    return { object_key: object, signature: bucket.metadata.get(object)?.['signature'], trail: 'main_trail', region: REGION };
  };
  expect(await kept()).toEqual([row(0)]);

  await using cloudTrail = await startAws();
  vi.stubEnv('AWS_ENDPOINT_URL_CLOUDTRAIL', cloudTrail.url);
  const known = { region: REGION, value: KEY.value, fingerprint: KEY.fingerprint };
  cloudTrail.cloudTrail.publicKeys.push({ ...known, from: FIRST - 24 * HOUR, to: FIRST + 24 * HOUR });
  await checkTrails(pipeline.deps, {
    settings: integritySchema.parse({ trails: [{ bucket: BUCKET, bucket_region: REGION }] }),
    aws: createAws({ clock: pipeline.deps.clock, version: 'test' }),
    logger: createLogger('silent'),
    signal: new AbortController().signal,
    expectsIngested: () => false,
  });
  expect(await kept()).toEqual([row(0), row(1)]);
  expect((await pipeline.deps.pool.query('SELECT account, standing, reason FROM integrity_area')).rows).toEqual([
    { account: '111122223333', standing: 'verified', reason: null },
  ]);
});

test('a digest that may not be read does not keep its message', async () => {
  const { aws, queue, bucket, chain } = await open();
  await using s3 = await startTrailS3(bucket);
  s3.denies = () => true;
  vi.stubEnv('AWS_ENDPOINT_URL_S3', s3.url);
  const { key } = chain.digests[0]!;
  aws.send('trail', notification(key, 100));
  let handed = 0;
  await drain(aws, queue, async () => void (handed += 1));
  expect(s3.requests).toEqual([`GET ${key}`]);
  expect(handed).toBe(0);
});

test('a digest that could not be kept is told of again', async () => {
  const { aws, queue, bucket, chain } = await open();
  await upload(aws, bucket);
  aws.send('trail', notification(chain.digests[0]!.key, 100));
  let tries = 0;
  const settled = drain(aws, queue, async () => {
    tries += 1;
    if (tries === 1) throw new Error('the database is away');
  });
  await aws.until(() => tries === 1);
  await aws.reveal('trail');
  await settled;
  expect(tries).toBe(2);
});
