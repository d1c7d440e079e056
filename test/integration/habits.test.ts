/** Habits in the database are those that the same events come to in memory, in whatever order and pieces they were stored. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { simulateMonth } from '../../services/simulate/company.ts';
import { ingest } from '../../services/workers/ingest.ts';
import { subjectsOf } from '../../services/detectors/subjects.ts';
import { eventsOf, storedSubjects } from '../support/oracle.ts';
import { NOBODY, openPipeline, type Pipeline } from '../support/pipeline.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { worlds } from '../support/records.ts';

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
