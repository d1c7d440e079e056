import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { sleep } from '../../services/platform/clock.ts';
import { openPostgres } from '../../services/platform/embedded.ts';
import { createLogger } from '../../services/platform/logger.ts';
import { Random } from '../../services/simulate/random.ts';
import { collectFrom } from '../support/collector.ts';
import { expectSuccess, start, untilStarted } from '../support/kmswatch.ts';
import { temporaryFolder } from '../support/month.ts';
import { serverOf, urlOf } from '../support/postmaster.ts';
import { testDatabase } from '../support/postgres.ts';
import { isFinished, watch } from '../support/progress.ts';
import { countsOf, expectSame, replayOf, TIMEOUT, undisturbedMonth } from '../support/undisturbed.ts';

const FILES = 36;
const KILLS = 10;
const WORKER = ['run', '--role', 'ingest', '--role', 'detect'];
const month = undisturbedMonth(FILES);

test('a worker killed at ten random points of a replay loses, doubles and changes nothing', TIMEOUT, async () => {
  const { folder, ...expected } = month();
  const seed = `kill-${Date.now()}`;
  say(`kill points by seed ${seed}`);
  const random = new Random(seed);
  await using database = await testDatabase();
  const environment = { DATABASE_URL: database.url };
  const { until } = watch(database.url);
  const replayed = collectFrom(folder, { database_url: database.url });
  const events = expected.counts.new + expected.counts.conflicts;
  for (let kill = 0; kill < KILLS; kill += 1) {
    const worker = start(WORKER, environment);
    const point = Math.floor(((kill + random.float()) / KILLS) * events);
    await untilStarted(worker);
    const reached = await until((progress) => progress.events >= point);
    const pause = random.int(0, 120);
    await sleep(pause);
    say(`killed ${pause} ms after ${point} of ${events} events: ${JSON.stringify(reached)}`);
    expect(await worker.end('SIGKILL')).toMatchObject({ signal: 'SIGKILL' });
  }
  const last = start(WORKER, environment);
  // The workers before may have finished everything: a signal that comes before it listens would end it as any process.
  await untilStarted(last);
  await until(isFinished);
  expect((await replayed)?.counts).toMatchObject(expected.counts);
  expectSuccess(await last.end('SIGTERM'));
  await expectSame(expected.dump, environment);
});

test('a replay killed in its own data directory, once with its database server, is made good by the next one', TIMEOUT, async () => {
  const { folder, ...expected } = month();
  const dataDir = join(await temporaryFolder(), 'data');
  const environment = { KMSWATCH_DATA_DIR: dataDir };
  for (const share of [0.3, 0.7]) {
    const replay = start(replayOf(folder), environment);
    await watch(() => urlOf(dataDir)).until((progress) => progress.events >= share * expected.counts.relevant);
    if (share > 0.5) process.kill(serverOf(dataDir), 'SIGKILL');
    expect(await replay.end('SIGKILL')).toMatchObject({ signal: 'SIGKILL' });
  }
  const replay = await start(replayOf(folder), environment).ended;
  expectSuccess(replay);
  expect(countsOf(replay.stdout)).toMatchObject({ deliveries: FILES, relevant: expected.counts.relevant });

  const server = await openPostgres({ dataDir, logger: createLogger('silent') });
  onTestFinished(() => server.close());
  const worker = start(WORKER, environment);
  await untilStarted(worker);
  await watch(server.url).until(isFinished);
  expectSuccess(await worker.end('SIGTERM'));
  await expectSame(expected.dump, { DATABASE_URL: server.url });
});

/** For the log of the run: a failure can be looked into with the same points. */
function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
