/** The same records, told in different ways to two databases that are emptied in between. */
import fc from 'fast-check';
import { expect } from 'vitest';
import { type Dump, dump, violations } from './dump.ts';
import { expectAsInMemory } from './oracle.ts';
import { openPipeline, type Pipeline } from './pipeline.ts';
import { testDatabase } from './postgres.ts';
import { respelled } from './records.ts';

/** How records come: in which order and spelling, how often, in which deliveries, to how many workers. */
export interface Arrangement {
  readonly workers: number;
  /** One entry a sighting. Records that none of them names come after them. */
  readonly sightings: readonly { readonly record: number; readonly delivery: number; readonly respelled: boolean }[];
  readonly deliveries: number;
  /** Deliveries that are done with before the rest comes. */
  readonly early: number;
}

export const arrangements: fc.Arbitrary<Arrangement> = fc.record({
  workers: fc.integer({ min: 1, max: 4 }),
  sightings: fc.array(fc.record({ record: fc.nat(), delivery: fc.nat(), respelled: fc.boolean() }), { maxLength: 150, size: 'max' }),
  deliveries: fc.integer({ min: 1, max: 12 }),
  early: fc.nat({ max: 6 }),
});

export interface Place extends AsyncDisposable {
  readonly pipeline: Pipeline;
  readonly url: string;
}

export async function openPlace(workers: number): Promise<Place> {
  const database = await testDatabase();
  const pipeline = await openPipeline(database.url, { workers });
  return {
    pipeline,
    url: database.url,
    async [Symbol.asyncDispose]() {
      await pipeline[Symbol.asyncDispose]();
      await database.drop();
    },
  };
}

/** All at once to one worker, and held against what they come to in memory. */
export async function plain({ pipeline, url }: Place, records: readonly string[]): Promise<Dump> {
  await pipeline.renew();
  await pipeline.deliver(records);
  await pipeline.work(1);
  await pipeline.assess();
  await expectAsInMemory(pipeline, records);
  return await dump(url);
}

export async function arranged({ pipeline, url }: Place, records: readonly string[], arrangement: Arrangement): Promise<Dump> {
  await pipeline.renew();
  const lists = deliveriesOf(records, arrangement);
  for (const list of lists.slice(0, arrangement.early)) await pipeline.deliver(list);
  await pipeline.work(arrangement.workers);
  for (const list of lists.slice(arrangement.early)) await pipeline.deliver(list);
  await pipeline.work(arrangement.workers);
  await pipeline.assess();
  expect(await violations(url)).toEqual([]);
  return await dump(url);
}

function deliveriesOf(records: readonly string[], { sightings, deliveries }: Arrangement): string[][] {
  const lists = Array.from({ length: deliveries }, (): string[] => []);
  const seen = new Set<number>();
  const put = (record: number, delivery: number, isRespelled: boolean): void => {
    const text = records[record] ?? '';
    seen.add(record);
    lists[delivery % deliveries]?.push(isRespelled ? respelled(text) : text);
  };
  for (const sighting of sightings) put(sighting.record % records.length, sighting.delivery, sighting.respelled);
  for (const at of [...records.keys()].toReversed()) if (!seen.has(at)) put(at, at * 7, false);
  return lists.filter((list) => list.length > 0);
}
