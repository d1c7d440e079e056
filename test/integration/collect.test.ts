import type pg from 'pg';
import { expect, test } from 'vitest';
import { KmswatchError } from '../../services/core/errors.ts';
import { encodeFrames } from '../../services/core/frames.ts';
import { sleep } from '../../services/platform/clock.ts';
import type { Delivery, Source } from '../../services/sources/contract.ts';
import { collect } from '../../services/workers/collect.ts';
import type { Deps } from '../../services/workers/deps.ts';
import { ingest } from '../../services/workers/ingest.ts';
import { asOwner, openPipeline } from '../support/pipeline.ts';
import { testDatabase } from '../support/postgres.ts';

/** A source of so many deliveries without records, and what became of them. */
function sourceOf(count: number): { source: Source; acknowledged: number[]; returned: string[] } {
  const acknowledged: number[] = [];
  const returned: string[] = [];
  async function* run(): AsyncGenerator<Delivery> {
    for (let number = 1; number <= count; number += 1) {
      yield {
        source: 'replay',
        locator: { path: `file-${number}` },
        payload: encodeFrames([]),
        quarantined: [],
        checkpoint: null,
        ack: async () => void acknowledged.push(number),
        nack: async (reason) => void returned.push(reason),
      };
    }
  }
  return { source: { name: 'replay', run }, acknowledged, returned };
}

const connectionLoss = (): Error => new Error('Connection terminated unexpectedly');

/** The same pool; of the statements of its transactions that begin with `text`, the first answer is lost: done, but not known to be. */
function losingAnswer(pool: pg.Pool, text: string): pg.Pool {
  let isLost = false;
  const lossy = (client: pg.PoolClient): pg.PoolClient =>
    new Proxy(client, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        if (name !== 'query') return value.bind(target) as unknown;
        return async (statement: string | pg.QueryConfig, values?: unknown[]) => {
          const result = await target.query(statement as string, values);
          if (isLost || !(typeof statement === 'string' ? statement : statement.text).startsWith(text)) return result;
          isLost = true;
          throw connectionLoss();
        };
      },
    });
  return new Proxy(pool, {
    get(target, name) {
      if (name === 'connect') return async () => lossy(await target.connect());
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

const options = { runId: 'test', inFlight: 10, signal: new AbortController().signal };

test('a delivery whose registration was committed, but not confirmed, is registered once', async () => {
  await using database = await testDatabase();
  await using pipeline = await openPipeline(database.url);
  const { source, acknowledged } = sourceOf(3);
  const collected = collect({ ...pipeline.deps, pool: losingAnswer(pipeline.deps.pool, 'COMMIT') }, source, options);
  while (acknowledged.length < 3) await pipeline.work();
  expect(await collected).toEqual({ deliveries: 3, failed: 0 });
  expect(acknowledged).toEqual([1, 2, 3]);
  const batches = await asOwner(database.url, "SELECT locator ->> 'path' AS path FROM ingest_batch ORDER BY id");
  expect(batches).toEqual([{ path: 'file-1' }, { path: 'file-2' }, { path: 'file-3' }]);
});

test('deliveries that the queue does not take are collected all the same, and taken up by the sweep', async () => {
  await using database = await testDatabase();
  await using pipeline = await openPipeline(database.url);
  const { source, acknowledged } = sourceOf(3);
  const away = (): Promise<void> => Promise.reject(new KmswatchError('QUEUE_UNREACHABLE', 'The queues cannot be reached: it is away'));
  const collected = collect({ ...pipeline.deps, queues: { ...pipeline.deps.queues, add: away } }, source, options);
  while (acknowledged.length < 3) await pipeline.work();
  expect(await collected).toEqual({ deliveries: 3, failed: 0 });
});

test('an outage of the database is no failed attempt of a delivery', async () => {
  await using database = await testDatabase();
  await using pipeline = await openPipeline(database.url);
  const batchId = await pipeline.deliver([]);
  const lossy: Deps = { ...pipeline.deps, pool: losingAnswer(pipeline.deps.pool, 'BEGIN') };
  await expect(ingest(lossy, batchId)).rejects.toThrow('Connection terminated');
  expect(await asOwner(database.url, 'SELECT attempts, state FROM ingest_batch')).toEqual([{ attempts: 0, state: 'pending' }]);
});

test('a delivery that fails again and again is given up and goes back to its source, and the others are stored', async () => {
  await using database = await testDatabase();
  await using pipeline = await openPipeline(database.url);
  const { source, acknowledged, returned } = sourceOf(3);
  const collected = collect(pipeline.deps, source, options);
  const spoiled = await untilRegistered(database.url, 'file-2');
  await asOwner(database.url, "UPDATE delivery_payload SET bytes = 'no payload' WHERE batch_id = $1", [spoiled]);
  for (let attempt = 1; returned.length === 0; attempt += 1) {
    expect(attempt).toBeLessThan(100);
    await pipeline.work().catch(() => undefined);
    await sleep(20);
  }
  expect(await collected).toEqual({ deliveries: 3, failed: 1 });
  expect(acknowledged).toEqual([1, 3]);
  expect(returned).toEqual([expect.stringMatching(/\w+/)]);
});

async function untilRegistered(url: string, path: string): Promise<number> {
  for (;;) {
    const [batch] = await asOwner<{ id: number }>(url, "SELECT id FROM ingest_batch WHERE locator ->> 'path' = $1", [path]);
    if (batch) return batch.id;
    await sleep(10);
  }
}
