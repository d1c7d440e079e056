/**
 * What every source owes: nothing lost, nothing twice, nothing acknowledged that is not committed. The same tests for all, against files,
 * and against S3, SQS, STS and CloudTrail over HTTP.
 */
import { describe, expect, test } from 'vitest';
import { sleep } from '../../services/platform/clock.ts';
import { type Dump, differences, dump, violations } from '../support/dump.ts';
import { asOwner } from '../support/pipeline.ts';
import { testDatabase } from '../support/postgres.ts';
import { SOURCES, someRecords, type SourceCase } from '../support/source-contract.ts';
import { Stage } from '../support/source-contract-stage.ts';

/** Two pages, four files. */
const COUNT = 60;
/** Long polls take 20 s. */
const PROMPTLY_MS = 5_000;
const JUDGED = ['events', 'conflicts', 'keys', 'findings', 'hours', 'users', 'habits', 'quarantine'] as const;

async function judged(url: string): Promise<Dump> {
  const all = await dump(url);
  return Object.fromEntries(JUDGED.map((name) => [name, all[name] ?? []]));
}

/** As CloudTrail wrote them. */
async function storedIds(url: string): Promise<Set<unknown>> {
  const texts = await asOwner<{ id: string }>(url, 'SELECT text AS id FROM event_id_text');
  return new Set(texts.map(({ id }) => id));
}

const refusing = SOURCES.flatMap(({ refusals, ...source }) =>
  'expected' in refusals ? [{ ...source, refusals, expected: refusals.expected }] : [],
);

describe.each(SOURCES)('$name', (source: SourceCase) => {
  test('everything upstream becomes an event, once, and is acknowledged', async () => {
    await using database = await testDatabase();
    await using stage = await Stage.open(source, database.url);
    const records = someRecords(COUNT);
    await stage.upstream.put(records);
    expect(await stage.upstream.outstanding()).toBeGreaterThan(0);
    await stage.collect();
    await stage.settled({ events: COUNT });
    await stage.end();
    expect(await storedIds(database.url)).toEqual(new Set(records.map(({ eventID }) => eventID)));
    expect(await violations(database.url)).toEqual([]);
  });

  test('what was stored before a crash and not acknowledged comes again as sightings of the same events', async () => {
    await using database = await testDatabase();
    await using stage = await Stage.open(source, database.url);
    await stage.upstream.put(someRecords(COUNT));
    const all = await stage.upstream.outstanding();
    await stage.collect({ dies: true });
    await stage.until(async () => (await stage.counts()).events > 0 || 'no event');
    await stage.end();
    await stage.until(async () => (await stage.unfinished()) === 0 || 'unfinished deliveries');
    const { events: before } = await stage.counts();
    expect(await stage.upstream.outstanding()).toBe(all);

    await stage.upstream.release();
    await stage.collect();
    await stage.settled({ events: COUNT, duplicates: before });
  });

  test('when everything is told again, nothing but the number of sightings changes', async () => {
    await using database = await testDatabase();
    await using stage = await Stage.open(source, database.url);
    await stage.upstream.put(someRecords(COUNT));
    await stage.collect();
    await stage.settled({ events: COUNT });
    await stage.end();
    const before = await judged(database.url);
    expect(before['findings']).not.toEqual([]);

    await stage.upstream.repeat();
    await stage.collect();
    await stage.settled({ events: COUNT, duplicates: COUNT });
    await stage.end();
    expect(differences(before, await judged(database.url))).toEqual([]);
    expect(await violations(database.url)).toEqual([]);
  });

  test('an abort ends it promptly, and what was not acknowledged comes again', async () => {
    await using database = await testDatabase();
    await using stage = await Stage.open(source, database.url);
    await stage.upstream.put(someRecords(COUNT));
    const all = await stage.upstream.outstanding();
    const stop = new AbortController();
    const deliveries = (await stage.source()).run(stop.signal)[Symbol.asyncIterator]();
    expect((await deliveries.next()).done).not.toBe(true);
    const abortedAt = performance.now();
    stop.abort();
    while ((await deliveries.next()).done !== true);
    expect(performance.now() - abortedAt).toBeLessThan(PROMPTLY_MS);
    expect(await stage.upstream.outstanding()).toBe(all);

    await stage.upstream.release();
    await stage.collect();
    await stage.settled({ events: COUNT });
  });

  test('what is no record is put aside with a reason, its neighbours are stored, and all of it is acknowledged', async () => {
    await using database = await testDatabase();
    await using stage = await Stage.open(source, database.url);
    await stage.upstream.putBroken(someRecords(5));
    await stage.collect();
    await stage.settled({ events: 5, quarantined: 1 });
    const kept = await asOwner(database.url, 'SELECT source, reason, message, length(bytes) > 0 AS whole FROM quarantine');
    expect(kept).toEqual([{ source: source.name, reason: source.brokenReason, message: expect.stringMatching(/\w{3}/), whole: true }]);
  });

  test('as long as nothing can be stored nothing is acknowledged; afterwards nothing is missing', async () => {
    await using database = await testDatabase();
    await using stage = await Stage.open(source, database.url);
    await stage.upstream.put(someRecords(COUNT));
    const all = await stage.upstream.outstanding();
    await asOwner(database.url, 'REVOKE INSERT ON event FROM kmswatch_writer');
    await stage.collect();
    await stage.until(async () => {
      const [row] = await asOwner<{ n: number }>(database.url, 'SELECT count(*)::int AS n FROM ingest_batch WHERE attempts > 0');
      return (row?.n ?? 0) > 0 || 'no failed attempt';
    });
    // Time in which it might tell upstream.
    await sleep(400);
    expect(await stage.counts()).toEqual({ events: 0, duplicates: 0, quarantined: 0 });
    expect(await stage.upstream.outstanding()).toBe(all);

    await asOwner(database.url, 'GRANT INSERT ON event TO kmswatch_writer');
    await stage.settled({ events: COUNT });
  });

  test('the metrics tell what was received, stored, known, put aside, how late and when last', async () => {
    await using database = await testDatabase();
    await using stage = await Stage.open(source, database.url);
    const [beganAt, neighbours] = [Date.now() / 1000, 5];
    await stage.upstream.put(someRecords(COUNT));
    await stage.upstream.putBroken(someRecords(neighbours, 'neighbour'));
    await stage.collect();
    const events = COUNT + neighbours;
    await stage.settled({ events, quarantined: 1 });
    await stage.end();
    await stage.upstream.repeat();
    await stage.collect();
    await stage.settled({ events, duplicates: events, quarantined: 2 });
    await stage.end();

    const samples = await stage.scrape(source.name);
    expect(samples).toMatchObject({
      kmswatch_records_received_total: 2 * (events + 1),
      kmswatch_events_stored_total: events,
      kmswatch_events_duplicate_total: events,
      kmswatch_records_quarantined_total: 2,
    });
    expect(samples['kmswatch_source_last_success_timestamp_seconds']).toBeGreaterThanOrEqual(beganAt);
    expect(samples['kmswatch_source_last_success_timestamp_seconds']).toBeLessThanOrEqual(Date.now() / 1000);
    expect(samples['kmswatch_ingest_lag_seconds_count']).toBe(source.measuresLag ? events : 0);
    // The youngest record is some minutes old.
    expect(samples['kmswatch_ingest_lag_seconds_sum']).toBeGreaterThanOrEqual(source.measuresLag ? events * 60 : 0);
  });
});

describe.each(refusing)('$name', ({ expected, ...source }) => {
  test('throttling, refusals and broken connections are got over without loss', async () => {
    await using database = await testDatabase();
    await using stage = await Stage.open(source, database.url);
    await stage.upstream.put(someRecords(COUNT));
    stage.upstream.trouble();
    await stage.collect();
    await stage.settled({ events: COUNT });
    expect(stage.upstream.refused()).toEqual(expect.arrayContaining([...expected]));
  });
});
