import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { sleep } from '../../services/platform/clock.ts';
import { openPostgres } from '../../services/platform/embedded.ts';
import { createLogger } from '../../services/platform/logger.ts';
import { expectSuccess, start } from '../support/kmswatch.ts';
import { temporaryFolder } from '../support/month.ts';
import { serverOf } from '../support/postmaster.ts';
import { testDatabase } from '../support/postgres.ts';
import { watch } from '../support/progress.ts';
import { countsOf, expectSame, replayOf, TIMEOUT, undisturbedMonth } from '../support/undisturbed.ts';

const FILES = 36;
const month = undisturbedMonth(FILES);

test('a replay goes on by itself when Postgres is restarted, and when Postgres crashes', TIMEOUT, async () => {
  const { folder, ...expected } = month();
  const dataDir = join(await temporaryFolder(), 'data');
  const server = await openPostgres({ dataDir, logger: createLogger('silent') });
  onTestFinished(() => server.close());
  const environment = { DATABASE_URL: server.url };
  const running = start(replayOf(folder), environment);
  const { until } = watch(server.url);
  for (const [stored, signal] of [
    [FILES * 0.2, 'SIGINT'],
    [FILES * 0.5, 'SIGQUIT'],
  ] as const) {
    await until((progress) => progress.stored >= stored);
    const before = serverOf(dataDir);
    process.kill(before, signal);
    while (serverOf(dataDir) === before) await sleep(20);
  }
  const ended = await running.ended;
  expectSuccess(ended);
  expect(countsOf(ended.stdout)).toEqual(expected.counts);
  await expectSame(expected.dump, environment);
});

test('connections that are cut again and again during a replay change nothing', TIMEOUT, async () => {
  const { folder, ...expected } = month();
  await using database = await testDatabase();
  const environment = { DATABASE_URL: database.url };
  const running = start(replayOf(folder), environment);
  await watch(database.url).until((progress) => progress.batches > 0);
  for (let cut = 0; cut < 12; cut += 1) {
    await database.disconnectAll();
    await sleep(150 + 50 * cut);
  }
  const ended = await running.ended;
  expectSuccess(ended);
  expect(countsOf(ended.stdout)).toEqual(expected.counts);
  await expectSame(expected.dump, environment);
});
