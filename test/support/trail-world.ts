/** A trail in a bucket over HTTP, CloudTrail's public keys beside it, and a database that remembers what was found. */
import { onTestFinished, vi } from 'vitest';
import { HOUR } from '../../services/core/clock.ts';
import { createAws } from '../../services/platform/aws.ts';
import { createLogger } from '../../services/platform/logger.ts';
import { checkTrails } from '../../services/workers/integrity/check.ts';
import { type IntegritySettings, integritySchema } from '../../services/workers/integrity/config.ts';
import { type AwsServer, startAws } from './aws/server.ts';
import { Bucket, type SigningKey } from './digest-chain.ts';
import { openPipeline, type Pipeline } from './pipeline.ts';
import { testDatabase } from './postgres.ts';
import { startTrailS3, type TrailS3 } from './trail-s3.ts';

export interface TrailWorld {
  readonly bucket: Bucket;
  readonly s3: TrailS3;
  readonly aws: AwsServer;
  readonly pipeline: Pipeline;
  readonly url: string;
  /** What time it is; tests move it. */
  now: number;
  /** Makes CloudTrail know a key, from 2023 on for a year. */
  knowKey(key: SigningKey, region?: string): void;
  /** The hourly check, an hour later than the one before. */
  check(settings?: Partial<Omit<IntegritySettings, 'trails'>> & { ingested?: boolean }): Promise<void>;
  query<T extends object>(text: string, values?: unknown[]): Promise<T[]>;
}

/** Everything ends with the test. */
export async function trailWorld(now: number): Promise<TrailWorld> {
  const bucket = new Bucket();
  const s3 = await startTrailS3(bucket);
  onTestFinished(() => s3[Symbol.asyncDispose]());
  const aws = await startAws();
  onTestFinished(() => aws[Symbol.asyncDispose]());
  for (const [name, value] of Object.entries({ ...aws.environment, AWS_ENDPOINT_URL_S3: s3.url })) vi.stubEnv(name, value);
  onTestFinished(() => void vi.unstubAllEnvs());
  const database = await testDatabase();
  onTestFinished(() => database.drop());
  const world: { now: number } = { now };
  const clock = { now: () => world.now };
  const pipeline = await openPipeline(database.url, { clock });
  onTestFinished(() => pipeline[Symbol.asyncDispose]());
  return Object.assign(world, {
    bucket,
    s3,
    aws,
    pipeline,
    url: database.url,
    knowKey({ value, fingerprint }: SigningKey, region = 'us-east-1') {
      aws.cloudTrail.publicKeys.push({ region, value, fingerprint, from: Date.UTC(2023, 0, 1), to: Date.UTC(2024, 0, 1) });
    },
    async check({ ingested = false, ...settings }: Parameters<TrailWorld['check']>[0] = {}) {
      const parsed = integritySchema.parse({ trails: [{ bucket: bucket.name, bucket_region: 'us-east-1' }], ...settings });
      await checkTrails(pipeline.deps, {
        settings: parsed,
        aws: createAws({ clock, version: 'test' }),
        logger: createLogger('silent'),
        signal: new AbortController().signal,
        expectsIngested: () => ingested,
      });
      world.now += HOUR;
    },
    async query<T extends object>(text: string, values: unknown[] = []): Promise<T[]> {
      return (await pipeline.deps.pool.query<T>(text, values)).rows;
    },
  });
}
