import { expect, test } from 'vitest';
import { collectFrom } from '../support/collector.ts';
import { expectSuccess, start, untilStarted } from '../support/kmswatch.ts';
import { testDatabase } from '../support/postgres.ts';
import { watch } from '../support/progress.ts';
import { testRedis } from '../support/redis.ts';
import { countsOf, expectSame, replayOf, TIMEOUT, undisturbedMonth } from '../support/undisturbed.ts';

const FILES = 36;
const month = undisturbedMonth(FILES);

test(
  'two processes that ingest and two that judge, on Redis, with the same files replayed by two others at once, come to what one process comes to',
  TIMEOUT,
  async () => {
    const { folder, ...expected } = month();
    await using database = await testDatabase();
    await using redis = await testRedis();
    const environment = { DATABASE_URL: database.url, REDIS_URL: redis.url };
    const debug = { ...environment, KMSWATCH_LOG_LEVEL: 'debug' };
    const ingesting = [start(['run', '--role', 'ingest'], debug), start(['run', '--role', 'ingest'], debug)];
    const judging = [start(['run', '--role', 'detect'], debug), start(['run', '--role', 'detect'], debug)];
    const workers = [...ingesting, ...judging];
    await Promise.all(workers.map(untilStarted));

    const collected = collectFrom(folder, { database_url: database.url, redis_url: redis.url });
    await watch(database.url).until((progress) => progress.stored > 0);
    const other = await start(replayOf(folder), environment).ended;
    const one = await collected;
    expectSuccess(other);
    const counts = [one?.counts, countsOf(other.stdout)];
    const sum = (name: 'relevant' | 'new' | 'conflicts'): number => counts.reduce((total, each) => total + (each?.[name] ?? 0), 0);
    expect({ new: sum('new'), conflicts: sum('conflicts') }).toEqual({ new: expected.counts.new, conflicts: expected.counts.conflicts });
    expect(sum('relevant')).toBe(2 * expected.counts.relevant);
    for (const worker of ingesting) expect(worker.stderr()).toContain('"batch stored"');
    for (const worker of workers) expectSuccess(await worker.end('SIGTERM'));
    await expectSame(expected.dump, environment);
  },
);
