import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { sleep } from '../../services/platform/clock.ts';
import { createLogger } from '../../services/platform/logger.ts';
import { defineQueues, openQueues, type Queues } from '../../services/platform/queues.ts';
import { testDatabase } from '../support/postgres.ts';
import { testRedis } from '../support/redis.ts';

const QUEUES = defineQueues({
  only: {
    payload: z.strictObject({ name: z.string() }),
    options: { attempts: 2, backoff: { type: 'fixed', delay: 20, jitter: 0 } },
    concurrency: 1,
  },
});

async function open(store: 'Redis' | 'PostgreSQL'): Promise<Queues<typeof QUEUES>> {
  const logger = createLogger('silent');
  let queues: Queues<typeof QUEUES>;
  if (store === 'Redis') {
    const redis = await testRedis();
    onTestFinished(() => redis[Symbol.asyncDispose]());
    queues = await openQueues(QUEUES, { redisUrl: redis.url, postgresUrl: 'postgres://unused', logger });
  } else {
    const database = await testDatabase();
    onTestFinished(() => database.drop());
    queues = await openQueues(QUEUES, { postgresUrl: database.url, logger });
  }
  onTestFinished(() => queues.close(3_000));
  return queues;
}

test.each(['Redis', 'PostgreSQL'] as const)(
  'in %s jobs without a priority overtake those that have one, and all are counted as waiting',
  async (store) => {
    const queues = await open(store);
    for (let n = 0; n < 5; n += 1) await queues.add('only', { name: `later ${n}` }, { jobId: `later-${n}`, priority: 10 });
    await queues.add('only', { name: 'sooner' }, { jobId: 'sooner', priority: 2 });
    for (let n = 0; n < 3; n += 1) await queues.add('only', { name: `now ${n}` }, { jobId: `now-${n}` });
    // Still there, so not added again, whatever its priority.
    await queues.add('only', { name: 'later 0' }, { jobId: 'later-0' });
    expect((await queues.counts()).only).toMatchObject({ waiting: 9, active: 0 });
    const done: string[] = [];
    await queues.process({
      only: async ({ name }) => {
        done.push(name);
        // One that comes in the middle goes before the rest.
        if (name === 'later 1') await queues.add('only', { name: 'live' });
        await sleep(5);
      },
    });
    for (let waited = 0; done.length < 10 && waited < 20_000; waited += 20) await sleep(20);
    expect(done).toEqual(['now 0', 'now 1', 'now 2', 'sooner', 'later 0', 'later 1', 'live', 'later 2', 'later 3', 'later 4']);
  },
);
