/** One account in one Region whose keys are read: KMS over HTTP, a database, and a time that tests set. */
import { onTestFinished, vi } from 'vitest';
import { MINUTE } from '../../services/core/clock.ts';
import { createAws } from '../../services/platform/aws.ts';
import { createLeases } from '../../services/platform/leases.ts';
import { createLogger } from '../../services/platform/logger.ts';
import type { InventoryPlace } from '../../services/sources/inventory/place.ts';
import { type InventoryParts, type Synced, syncPlace } from '../../services/workers/inventory.ts';
import { type AwsServer, startAws } from './aws/server.ts';
import { openPipeline, type Pipeline } from './pipeline.ts';
import { testDatabase } from './postgres.ts';
import { ACCOUNT, type Fields, REGION } from './records.ts';

export const PLACE: InventoryPlace = {
  account: ACCOUNT,
  region: REGION,
  role: { arn: `arn:aws:iam::${ACCOUNT}:role/kmswatch-reader`, externalId: null },
};

export interface InventoryWorld {
  readonly aws: AwsServer;
  readonly pipeline: Pipeline;
  readonly url: string;
  /** Epoch milliseconds; stands still. */
  now: number;
  /** What one process reads with; a new one each time. */
  parts(told?: Partial<InventoryParts>): InventoryParts;
  sync(told?: Partial<InventoryParts>): Promise<Synced>;
  /** Records come in, are stored and judged. */
  happen(...records: readonly Fields[]): Promise<void>;
  rows<R extends object>(query: string, values?: unknown[]): Promise<R[]>;
}

export async function inventoryWorld(now: number): Promise<InventoryWorld> {
  const aws = await startAws();
  const database = await testDatabase();
  for (const [name, value] of Object.entries(aws.environment)) vi.stubEnv(name, value);
  const clock = { now: () => world.now };
  const pipeline = await openPipeline(database.url, { clock });
  const pool = pipeline.deps.pool;
  const logger = createLogger('silent');
  const closing: (() => Promise<void>)[] = [];
  onTestFinished(async () => {
    for (const close of closing) await close();
    await pipeline[Symbol.asyncDispose]();
    await database.drop();
    await aws[Symbol.asyncDispose]();
    vi.unstubAllEnvs();
  });
  const world: InventoryWorld = {
    aws,
    pipeline,
    url: database.url,
    now,
    parts(told = {}) {
      const leases = createLeases(pool, logger);
      closing.push(() => leases.close());
      return {
        deps: pipeline.deps,
        aws: createAws({ clock: { now: () => Date.now() }, version: 'test' }),
        leases,
        logger,
        clock,
        requestsPerSecond: 1_000,
        graceMs: 30 * MINUTE,
        signal: new AbortController().signal,
        pauses: { firstMs: 5, mostMs: 40 },
        ...told,
      };
    },
    async sync(told) {
      const parts = world.parts(told);
      try {
        return await syncPlace(parts, PLACE);
      } finally {
        await parts.leases.close();
      }
    },
    async happen(...records) {
      await pipeline.deliver(records.map((record) => JSON.stringify(record)));
      await pipeline.work();
    },
    async rows<R extends object>(query: string, values: unknown[] = []) {
      return (await pool.query(query, values)).rows as R[];
    },
  };
  return world;
}
