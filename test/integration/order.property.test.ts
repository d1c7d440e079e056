import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { simulateMonth } from '../../services/simulate/company.ts';
import { arranged, arrangements, openPlace, type Place, plain } from '../support/arrangement.ts';
import { differences, violations } from '../support/dump.ts';
import { expectAsInMemory } from '../support/oracle.ts';
import { worlds } from '../support/records.ts';

/** What happens in a company's month, in which every detector finds something; file by file. */
const MONTH = Array.from(simulateMonth({ seed: 'order', end: Date.UTC(2026, 3, 10), scale: 0.02, fileMinutes: 1440 }), (file) =>
  file.records.map((fields) => JSON.stringify(fields)),
);
const RECORDS = MONTH.flat();
const PIECE = 150;
const pieces = fc.nat({ max: RECORDS.length - PIECE }).map((at) => RECORDS.slice(at, at + PIECE));

let one: Place;
let other: Place;

beforeAll(async () => {
  one = await openPlace(1);
  other = await openPlace(4);
});

afterAll(async () => {
  await one[Symbol.asyncDispose]();
  await other[Symbol.asyncDispose]();
});

describe('order does not matter', () => {
  test('any order, repetition, spelling and splitting over workers ends in the same events, rollups, keys and findings', async () => {
    // Not by fast-check's own limit, which would leave a run at work on the database while the next test begins.
    const deadline = performance.now() + 200_000;
    await fc.assert(
      fc.asyncProperty(fc.oneof({ weight: 4, arbitrary: worlds(60) }, pieces), arrangements, async (records, arrangement) => {
        if (performance.now() > deadline) return;
        const expected = await plain(one, records);
        expect(differences(expected, await arranged(other, records, arrangement))).toEqual([]);
      }),
      { numRuns: 30 },
    );
  }, 300_000);

  test('a whole month that comes backwards to four workers is what it comes to in memory', async () => {
    await other.pipeline.renew();
    for (const records of MONTH.toReversed()) await other.pipeline.deliver(records);
    await other.pipeline.work();
    await other.pipeline.assess();
    await expectAsInMemory(other.pipeline, RECORDS);
    expect(await violations(other.url)).toEqual([]);
  });
});
