import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { createLeases, type Leases } from '../../services/platform/leases.ts';
import { createLogger } from '../../services/platform/logger.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';

/** The leases of a process of its own. */
function contender({ url }: TestDatabase): Leases {
  const pool = new pg.Pool({ connectionString: url, max: 2 });
  pool.on('error', () => undefined);
  const leases = createLeases(pool, createLogger('silent'));
  onTestFinished(async () => {
    await leases.close();
    await pool.end();
  });
  return leases;
}

test('of all processes that ask, and of all who ask in one process, one holds a lease', async () => {
  await using database = await testDatabase();
  const contenders = [contender(database), contender(database), contender(database)];
  for (let round = 0; round < 5; round++) {
    const asked = contenders.flatMap((leases) => [leases.tryTake('one'), leases.tryTake('one'), leases.tryTake('other')]);
    const taken = (await Promise.all(asked)).filter((lease) => lease !== null);
    expect(taken).toHaveLength(2);
    expect(await Promise.all(taken.map((lease) => lease.holds()))).toEqual([true, true]);
    await Promise.all(taken.map((lease) => lease.release()));
    expect(await Promise.all(taken.map((lease) => lease.holds()))).toEqual([false, false]);
  }
});

test('who has lost the connection has lost the lease, and is told so', async () => {
  await using database = await testDatabase();
  const [first, second] = [contender(database), contender(database)];
  const lease = await first.tryTake('one');
  expect(await second.tryTake('one')).toBeNull();
  await database.disconnectAll();
  expect(await lease?.holds()).toBe(false);
  // The connection of the second was cut too: it may need to be told once.
  const taken = (await second.tryTake('one').catch(() => null)) ?? (await second.tryTake('one'));
  expect(await taken?.holds()).toBe(true);
  await lease?.release();
  expect(await taken?.holds()).toBe(true);
  expect(await first.tryTake('one')).toBeNull();
});

test('closing gives everything up, and nothing can be taken after', async () => {
  await using database = await testDatabase();
  const [first, second] = [contender(database), contender(database)];
  const lease = await first.tryTake('one');
  await first.close();
  expect(await lease?.holds()).toBe(false);
  expect(await first.tryTake('two')).toBeNull();
  await expect.poll(async () => await second.tryTake('one')).not.toBeNull();
});

test('beside the holder there is room for one guest, and each knows of the other', async () => {
  await using database = await testDatabase();
  const [first, second, third] = [contender(database), contender(database), contender(database)];
  const holder = await first.tryTake('one');
  expect(await holder?.isShared()).toBe(false);
  const guest = await second.tryJoin('one');
  expect(await third.tryJoin('one')).toBeNull();
  expect(await third.tryTake('one')).toBeNull();
  expect([await holder?.isShared(), await guest?.isShared()]).toEqual([true, true]);
  // Of another lease they know nothing.
  expect(await (await third.tryTake('two'))?.isShared()).toBe(false);
  await holder?.release();
  expect(await guest?.isShared()).toBe(false);
  const next = await third.tryTake('one');
  expect([await next?.isShared(), await guest?.isShared()]).toEqual([true, true]);
  await guest?.release();
  expect(await next?.isShared()).toBe(false);
  expect(await guest?.holds()).toBe(false);
  // What is lost counts as shared: nothing is known of it.
  expect(await guest?.isShared()).toBe(true);
});

test('asking whether it is shared leaves no lock behind', async () => {
  await using database = await testDatabase();
  const [first, second] = [contender(database), contender(database)];
  const holder = await first.tryTake('one');
  for (let times = 0; times < 5; times += 1) await holder?.isShared();
  expect(await second.tryJoin('one')).not.toBeNull();
  const guest = await first.tryJoin('two');
  for (let times = 0; times < 5; times += 1) await guest?.isShared();
  expect(await second.tryTake('two')).not.toBeNull();
});
