import { expect, test } from 'vitest';
import { collectFrom } from '../support/collector.ts';
import { type Ended, expectSuccess, type Running, start, untilStarted } from '../support/kmswatch.ts';
import { testDatabase } from '../support/postgres.ts';
import { isFinished, watch } from '../support/progress.ts';
import { expectSame, replayOf, TIMEOUT, undisturbedMonth } from '../support/undisturbed.ts';

const FILES = 36;
const month = undisturbedMonth(FILES);
const WORKER = ['run', '--role', 'ingest', '--role', 'detect'];
/** Orchestrators kill after 30 seconds. */
const STOP_MS = 25_000;

test('a worker and a replay that are told to stop under load do so in time, cleanly, and lose nothing', TIMEOUT, async () => {
  const { folder, ...expected } = month();
  await using database = await testDatabase();
  const environment = { DATABASE_URL: database.url };
  const { until } = watch(database.url);

  const replayed = collectFrom(folder, { database_url: database.url });
  const worker = start(WORKER, environment);
  await untilStarted(worker);
  const before = await until((progress) => progress.stored >= FILES / 4);
  expect(before.stored).toBeLessThan(FILES);
  const stopped = await stop(worker);
  expectSuccess(stopped);
  expect(stopped.stderr).not.toContain('"level":"error"');

  const replay = start(replayOf(folder), environment);
  await until((progress) => progress.batches > FILES && progress.stored >= FILES / 2);
  expect(await stop(replay)).toMatchObject({ code: 1, signal: null, stdout: '', stderr: expect.stringMatching(/^Interrupted\.$/m) });

  const last = start(WORKER, environment);
  await untilStarted(last);
  await until(isFinished);
  await replayed;
  expectSuccess(await stop(last));
  await expectSame(expected.dump, environment);
});

async function stop(running: Running): Promise<Ended> {
  const since = performance.now();
  const ended = await running.end('SIGTERM');
  expect(performance.now() - since).toBeLessThan(STOP_MS);
  return ended;
}
