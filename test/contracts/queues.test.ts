import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { sleep } from '../../services/platform/clock.ts';
import { openPostgres } from '../../services/platform/embedded.ts';
import { createLogger } from '../../services/platform/logger.ts';
import { defineQueues, openQueues, type Queues } from '../../services/platform/queues.ts';
import { freePort } from '../support/port.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { type TestRedis, testRedis } from '../support/redis.ts';

const retries = { attempts: 3, backoff: { type: 'exponential', delay: 20, jitter: 0.5 } } as const;
const QUEUES = defineQueues({
  first: { payload: z.strictObject({ n: z.int() }), options: retries, concurrency: 2 },
  second: { payload: z.strictObject({ text: z.string() }), options: { ...retries, attempts: 1, keepFailed: 10 }, concurrency: 1 },
});

interface Store {
  open(): Promise<Queues<typeof QUEUES>>;
  /** Away and back again. */
  interrupt(): Promise<void>;
}

let redis: TestRedis;
let database: TestDatabase;
const logger = createLogger('silent');

beforeAll(async () => {
  redis = await testRedis();
  database = await testDatabase();
});

afterAll(async () => {
  await redis?.[Symbol.asyncDispose]();
  await database?.drop();
});

const stores: [string, Store][] = [
  [
    'Redis',
    {
      open: () => openQueues(QUEUES, { redisUrl: redis.url, postgresUrl: 'postgres://unused', logger, lockMs: 1_500 }),
      async interrupt() {
        await redis.stop();
        await sleep(300);
        await redis.start();
      },
    },
  ],
  [
    'PostgreSQL',
    {
      open: () => openQueues(QUEUES, { postgresUrl: database.url, logger, lockMs: 1_500 }),
      interrupt: () => database.disconnectAll(),
    },
  ],
];

describe.each(stores)('queues in %s', (_name, store) => {
  /** Opens fresh queues for one test and clears up after it. */
  async function withQueues(work: (queues: Queues<typeof QUEUES>) => Promise<void>): Promise<void> {
    const queues = await store.open();
    try {
      await queues.obliterate();
      await work(queues);
    } finally {
      await queues.close(3_000);
    }
  }

  async function until(condition: () => boolean | Promise<boolean>, ms = 20_000): Promise<void> {
    for (const end = performance.now() + ms; !(await condition()); ) {
      if (performance.now() > end) throw new Error('it has not come about in time');
      await sleep(20);
    }
  }

  const nothing = async (): Promise<void> => undefined;

  test('every job reaches its own queue’s handler exactly once, with its payload', () =>
    withQueues(async (queues) => {
      const seen: unknown[] = [];
      await queues.process({ first: async ({ n }) => void seen.push(n), second: async ({ text }) => void seen.push(text) });
      await queues.addBulk(
        'first',
        Array.from({ length: 50 }, (_, n) => ({ payload: { n }, options: { jobId: `job-${n}` } })),
      );
      await queues.add('second', { text: 'hello' });
      await until(() => seen.length >= 51);
      await sleep(100);
      expect(new Set(seen)).toEqual(new Set([...Array(50).keys(), 'hello']));
      expect(seen).toHaveLength(51);
    }));

  test('a job id that is on the queue is not added again, and can be added again when it is done', () =>
    withQueues(async (queues) => {
      for (let i = 0; i < 3; i += 1) await queues.add('first', { n: 1 }, { jobId: 'same' });
      await queues.addBulk('first', [{ payload: { n: 1 }, options: { jobId: 'same' } }]);
      expect((await queues.counts()).first.waiting).toBe(1);
      let runs = 0;
      await queues.process({ first: async () => void (runs += 1), second: nothing });
      await until(async () => runs === 1 && (await queues.counts()).first.active === 0);
      await queues.add('first', { n: 1 }, { jobId: 'same' });
      await until(() => runs === 2);
    }));

  test('a job that fails is tried again and told which try it is; given up, it frees its id', () =>
    withQueues(async (queues) => {
      const tries: [number, boolean][] = [];
      await queues.process({
        first: async (_payload, { attempt, last }) => {
          tries.push([attempt, last]);
          throw new Error('no');
        },
        second: nothing,
      });
      await queues.add('first', { n: 1 }, { jobId: 'failing' });
      await until(() => tries.length === 3);
      expect(tries).toEqual([
        [1, false],
        [2, false],
        [3, true],
      ]);
      await until(async () => Object.values((await queues.counts()).first).every((count) => count === 0));
      await queues.add('first', { n: 1 }, { jobId: 'failing' });
      await until(() => tries.length >= 4);
    }));

  test('given-up jobs are kept where the queue says so, and counted', () =>
    withQueues(async (queues) => {
      await queues.process({ first: nothing, second: async () => Promise.reject(new Error('no')) });
      await queues.add('second', { text: 'x' });
      await until(async () => (await queues.counts()).second.failed > 0);
      expect((await queues.counts()).second).toEqual({ waiting: 0, active: 0, delayed: 0, failed: 1 });
    }));

  test('a payload that does not fit is refused when added', () =>
    withQueues(async (queues) => {
      await expect(queues.add('first', { n: 1.5 })).rejects.toThrow(z.ZodError);
      await expect(queues.addBulk('first', [{ payload: { n: 1 } }, { payload: { n: 'x' } as never }])).rejects.toThrow(z.ZodError);
      expect((await queues.counts()).first.waiting).toBe(0);
    }));

  test.each(['1:2', '123', ''])('the job id %j is refused', (jobId) =>
    withQueues(async (queues) => {
      await expect(queues.add('first', { n: 1 }, { jobId })).rejects.toThrow(TypeError);
    }),
  );

  test('a queue without a handler, or a handler without a queue, stops the start', () =>
    withQueues(async (queues) => {
      await expect(queues.process({ first: nothing } as never)).rejects.toMatchObject({
        code: 'QUEUE_UNHANDLED',
        message: expect.stringContaining('second has no handler'),
      });
      await expect(queues.process({ first: nothing, second: nothing } as never, ['first'])).rejects.toMatchObject({
        message: expect.stringContaining('second has no queue'),
      });
      await expect(queues.process({ third: nothing } as never, ['third'] as never)).rejects.toMatchObject({
        message: expect.stringContaining('no queue third'),
      });
      await queues.add('first', { n: 1 });
      await sleep(100);
      expect((await queues.counts()).first.waiting).toBe(1);
    }));

  test('a process works only on the queues that it asks for', () =>
    withQueues(async (queues) => {
      let runs = 0;
      await queues.process({ first: async () => void (runs += 1) }, ['first']);
      await queues.add('second', { text: 'x' });
      await queues.add('first', { n: 1 });
      await until(() => runs === 1);
      expect((await queues.counts()).second.waiting).toBe(1);
    }));

  test('counts tell waiting, delayed and active jobs, and the age of the oldest waiting one', () =>
    withQueues(async (queues) => {
      await queues.add('first', { n: 1 });
      await sleep(1_100);
      await queues.add('first', { n: 2 });
      await queues.add('first', { n: 3 }, { delay: 60_000 });
      expect((await queues.counts()).first).toEqual({ waiting: 2, delayed: 1, active: 0, failed: 0 });
      const ages = await queues.oldestAgeSeconds();
      expect(ages.first).toBeGreaterThan(1);
      expect(ages.first).toBeLessThan(30);
      expect(ages.second).toBe(0);
      let release = (): void => undefined;
      const held = new Promise<void>((resolve) => (release = resolve));
      await queues.process({ first: () => held, second: nothing });
      await until(async () => (await queues.counts()).first.active === 2);
      release();
    }));

  test('a delayed job comes when it is due and not before', () =>
    withQueues(async (queues) => {
      let at = 0;
      await queues.process({ first: async () => void (at = performance.now()), second: nothing });
      const since = performance.now();
      await queues.add('first', { n: 1 }, { delay: 700 });
      await until(() => at > 0);
      expect(at - since).toBeGreaterThanOrEqual(650);
      expect(at - since).toBeLessThan(6_000);
    }));

  test('concurrency is kept', () =>
    withQueues(async (queues) => {
      let running = 0;
      let most = 0;
      let done = 0;
      const work = async (): Promise<void> => {
        running += 1;
        most = Math.max(most, running);
        await sleep(30);
        running -= 1;
        done += 1;
      };
      await queues.process({ first: work, second: nothing });
      await queues.addBulk(
        'first',
        Array.from({ length: 12 }, (_, n) => ({ payload: { n } })),
      );
      await until(() => done === 12);
      expect(most).toBe(2);
    }));

  test('emptying removes what waits, and the queue goes on working', () =>
    withQueues(async (queues) => {
      await queues.addBulk(
        'first',
        Array.from({ length: 20 }, (_, n) => ({ payload: { n } })),
      );
      await queues.add('first', { n: 99 }, { delay: 60_000 });
      await queues.drain();
      expect((await queues.counts()).first).toEqual({ waiting: 0, delayed: 0, active: 0, failed: 0 });
      await queues.addBulk(
        'first',
        Array.from({ length: 20 }, (_, n) => ({ payload: { n } })),
      );
      await queues.obliterate();
      let runs = 0;
      await queues.process({ first: async () => void (runs += 1), second: nothing });
      await queues.add('first', { n: 1 });
      await until(() => runs === 1);
      await sleep(100);
      expect(runs).toBe(1);
    }));

  test('pausing takes no further job, resuming goes on', () =>
    withQueues(async (queues) => {
      let runs = 0;
      await queues.process({ first: async () => void (runs += 1), second: nothing });
      await queues.add('first', { n: 1 });
      await until(() => runs === 1);
      await queues.pause();
      await queues.add('first', { n: 2 });
      await sleep(400);
      expect(runs).toBe(1);
      queues.resume();
      await until(() => runs === 2);
    }));

  test('closing waits for the job in work', async () => {
    const queues = await store.open();
    await queues.obliterate();
    let finished = false;
    let started = false;
    await queues.process({
      first: async () => {
        started = true;
        await sleep(400);
        finished = true;
      },
      second: nothing,
    });
    await queues.add('first', { n: 1 });
    await until(() => started);
    await queues.close();
    expect(finished).toBe(true);
  });

  test('closing does not wait beyond its time: the job’s signal aborts, and another worker takes the job over', async () => {
    const queues = await store.open();
    await queues.obliterate();
    let signal: AbortSignal | undefined;
    await queues.process({
      first: (_payload, job) => {
        signal = job.signal;
        return new Promise<void>(() => undefined);
      },
      second: nothing,
    });
    await queues.add('first', { n: 7 }, { jobId: 'stuck' });
    await until(() => signal !== undefined);
    const since = performance.now();
    await queues.close(500);
    expect(performance.now() - since).toBeLessThan(5_000);
    expect(signal?.aborted).toBe(true);

    const others = await store.open();
    try {
      const seen: number[] = [];
      await others.process({ first: async ({ n }) => void seen.push(n), second: nothing });
      await until(() => seen.length > 0);
      expect(seen).toEqual([7]);
    } finally {
      await others.close(3_000);
    }
  });

  test('work goes on by itself after the store was away', () =>
    withQueues(async (queues) => {
      const seen = new Set<number>();
      await queues.process({ first: async ({ n }) => void seen.add(n), second: nothing });
      await queues.add('first', { n: 0 });
      await until(() => seen.has(0));
      await store.interrupt();
      await until(() =>
        queues.add('first', { n: 1 }, { jobId: 'after' }).then(
          () => true,
          () => false,
        ),
      );
      await until(() => seen.has(1), 30_000);
      await store.interrupt();
      await sleep(500);
      await until(() =>
        queues.add('first', { n: 2 }, { jobId: 'after-2' }).then(
          () => true,
          () => false,
        ),
      );
      await until(() => seen.has(2), 30_000);
      expect(seen).toEqual(new Set([0, 1, 2]));
      await queues.ping();
    }));
});

test('work goes on by itself after the PostgreSQL server was killed and has come back', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kmswatch-queues-'));
  // What no commit has waited for is lost for certain: nothing else writes the log in that time.
  const server = await openPostgres({ dataDir: join(folder, 'data'), logger, settings: { wal_writer_delay: '10s' } });
  const queues = await openQueues(QUEUES, { postgresUrl: server.url, logger, lockMs: 1_500 });
  try {
    const seen = new Set<number>();
    await queues.process({ first: async ({ n }) => void seen.add(n), second: async () => undefined });
    await queues.add('first', { n: 0 });
    await vi.waitUntil(() => seen.has(0), 20_000);
    const pid = Number((await readFile(join(folder, 'data', 'postgres', 'postmaster.pid'), 'utf8')).split('\n', 1)[0]);
    process.kill(pid, 'SIGKILL');
    await vi.waitUntil(
      () =>
        queues.ping().then(
          () => false,
          () => true,
        ),
      20_000,
    );
    await vi.waitUntil(
      () =>
        queues.add('first', { n: 1 }, { jobId: 'after' }).then(
          () => true,
          () => false,
        ),
      60_000,
    );
    await vi.waitUntil(() => seen.has(1), 30_000);
    expect(seen).toEqual(new Set([0, 1]));
  } finally {
    await queues.close(3_000);
    await server.close();
    await rm(folder, { recursive: true });
  }
});

test('a Redis that is not there is QUEUE_UNREACHABLE, without the password', async () => {
  const redisUrl = `redis://user:pass-word@127.0.0.1:${await freePort()}`;
  const failure = await openQueues(QUEUES, { redisUrl, postgresUrl: '', logger }).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: 'QUEUE_UNREACHABLE', hint: expect.stringContaining('REDIS_URL') });
  expect(String(failure)).not.toContain('pass-word');
});

test('a PostgreSQL that is not there is QUEUE_UNREACHABLE, without the password', async () => {
  const postgresUrl = `postgres://user:pass-word@127.0.0.1:${await freePort()}/x`;
  const failure = await openQueues(QUEUES, { postgresUrl, logger }).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: 'QUEUE_UNREACHABLE' });
  expect(String(failure)).not.toContain('pass-word');
});
