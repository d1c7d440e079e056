/** Habits in the database are those that the same events come to in memory, in whatever order and pieces they were stored. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HOUR } from '../../services/core/clock.ts';
import { simulateMonth } from '../../services/simulate/company.ts';
import { ingest } from '../../services/workers/ingest.ts';
import { subjectsOf } from '../../services/detectors/subjects.ts';
import { eventsOf, storedSubjects } from '../support/oracle.ts';
import { asOwner, NOBODY, openPipeline, type Pipeline } from '../support/pipeline.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { KEYS, record, resources, START, worlds } from '../support/records.ts';

let database: TestDatabase;
let pipeline: Pipeline;

beforeAll(async () => {
  database = await testDatabase();
  pipeline = await openPipeline(database.url);
});

afterAll(async () => {
  await pipeline[Symbol.asyncDispose]();
  await database.drop();
});

/** Stores them in so many pieces, backwards; the last piece comes twice. */
async function store(records: readonly string[], pieces: number): Promise<void> {
  const size = Math.ceil(records.length / pieces);
  const parts = Array.from({ length: pieces }, (_, i) => records.slice(i * size, (i + 1) * size)).filter((part) => part.length > 0);
  for (const part of [...parts.toReversed(), parts[0] ?? []]) await ingest(pipeline.deps, await pipeline.deliver(part));
}

const told = (subjects: readonly object[]): object[] =>
  subjects.map((subject) => {
    const { arn, actor, account, habits, volumes, watched, presence, spreads, sessions, probes, throttled } = subject as Record<
      string,
      unknown
    >;
    return { arn, actor, account, habits, volumes, watched, presence, spreads, sessions, probes, throttled };
  });

describe('habits', () => {
  test('of any small world are what they come to in memory', async () => {
    await fc.assert(
      fc.asyncProperty(worlds(60), fc.integer({ min: 1, max: 5 }), async (records, pieces) => {
        await pipeline.renew();
        await store(records, pieces);
        expect(told(await storedSubjects(pipeline))).toEqual(told(subjectsOf(eventsOf(records), NOBODY)));
      }),
      { numRuns: 8 },
    );
  }, 300_000);

  test("of a company's month are what they come to in memory", async () => {
    await pipeline.renew();
    const files = simulateMonth({ seed: 'habits', end: Date.UTC(2026, 3, 10), scale: 0.02, fileMinutes: 1440 });
    const records = Array.from(files, (file) => file.records.map((fields) => JSON.stringify(fields))).flat();
    await store(records, 7);
    const expected = told(subjectsOf(eventsOf(records), NOBODY));
    expect(told(await storedSubjects(pipeline))).toEqual(expected);
    const has = (name: string): number => expected.filter((one) => ((one as Record<string, unknown[]>)[name]?.length ?? 0) > 0).length;
    expect(['habits', 'volumes', 'presence', 'spreads', 'probes'].filter((name) => has(name) === 0)).toEqual([]);
  }, 300_000);
});

test('a key is judged anew when the calls of an hour or of a day pass a power of two, and not at every call more', async () => {
  await pipeline.renew();
  let n = 0;
  /** @returns whether the batch that stores so many calls of that hour of one day asks for its key to be judged */
  const judges = async (hour: number, calls: number): Promise<boolean> => {
    const times = Array.from({ length: calls }, () => START + hour * HOUR + n++ * 1000);
    await ingest(pipeline.deps, await pipeline.deliver(times.map((at) => JSON.stringify(record('Decrypt', at, resources(KEYS[0]))))));
    const [batch] = await asOwner<{ keys: number[] }>(
      database.url,
      "SELECT touched -> 'keys' AS keys FROM ingest_batch ORDER BY id DESC LIMIT 1",
    );
    return (batch?.keys.length ?? 0) > 0;
  };
  expect(await judges(1, 25)).toBe(true);
  expect(await judges(2, 25)).toBe(false);
  // The day has 64: none of its hours has 32.
  expect(await judges(3, 14)).toBe(true);
  expect(await judges(4, 5)).toBe(false);
  expect(await judges(4, 30)).toBe(true);
  expect(await judges(4, 2)).toBe(false);
});
