import { expect, test } from 'vitest';
import { sleep } from '../../services/platform/clock.ts';
import { createLogger } from '../../services/platform/logger.ts';
import { openQueues } from '../../services/platform/queues.ts';
import { QUEUES } from '../../services/workers/queues.ts';
import { type Environment, expectSuccess, start } from '../support/kmswatch.ts';
import { testDatabase } from '../support/postgres.ts';
import { watch } from '../support/progress.ts';
import { testRedis } from '../support/redis.ts';
import { countsOf, expectSame, replayOf, TIMEOUT, undisturbedMonth } from '../support/undisturbed.ts';

const FILES = 36;
/** How long a command to the queues is waited for. */
const ANSWER_TIMEOUT_MS = 15_000;
const month = undisturbedMonth(FILES);

/** Waits until so many deliveries are stored and there is something in the queues, then empties them. */
async function emptyWhen(
  stored: number,
  run: { environment: Environment & { DATABASE_URL: string }; empty?: () => Promise<void> },
): Promise<void> {
  const { DATABASE_URL: postgresUrl, REDIS_URL: redisUrl } = run.environment;
  const queues = await openQueues(QUEUES, { redisUrl, postgresUrl, logger: createLogger('silent') });
  try {
    await watch(postgresUrl).until((progress) => progress.stored >= stored);
    let lost = 0;
    for (const end = performance.now() + 5_000; lost === 0 && performance.now() < end; ) {
      const { ingest, detect } = await queues.counts();
      lost = ingest.waiting + detect.waiting;
    }
    expect(lost).toBeGreaterThan(0);
    await (run.empty ?? queues.obliterate)();
  } finally {
    await queues.close();
  }
}

test('queues in PostgreSQL that are emptied during a replay are filled again from what is known to be unfinished', TIMEOUT, async () => {
  const { folder, ...expected } = month();
  await using database = await testDatabase();
  const environment = { DATABASE_URL: database.url };
  const running = start(replayOf(folder), environment);
  await emptyWhen(FILES * 0.25, { environment });
  await emptyWhen(FILES * 0.6, { environment });
  const ended = await running.ended;
  expectSuccess(ended);
  expect(countsOf(ended.stdout)).toEqual(expected.counts);
  await expectSame(expected.dump, environment);
});

test('a replay outlasts a Redis that is flushed, and then away for longer than a command waits', TIMEOUT, async () => {
  const { folder, ...expected } = month();
  await using database = await testDatabase();
  await using redis = await testRedis();
  const environment = { DATABASE_URL: database.url, REDIS_URL: redis.url };
  const running = start(replayOf(folder), environment);
  await emptyWhen(FILES * 0.25, { environment, empty: redis.flush });
  await watch(database.url).until((progress) => progress.stored >= FILES * 0.5);
  await redis.stop();
  await sleep(ANSWER_TIMEOUT_MS + 2_000);
  await redis.start();
  const ended = await running.ended;
  expectSuccess(ended);
  expect(countsOf(ended.stdout)).toEqual(expected.counts);
  await expectSame(expected.dump, environment);
});
