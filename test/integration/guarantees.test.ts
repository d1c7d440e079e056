import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DAY, fixedClock, HOUR } from '../../services/core/clock.ts';
import { createLogger } from '../../services/platform/logger.ts';
import { sleep } from '../../services/platform/clock.ts';
import { runCounts } from '../../services/store/batches.ts';
import { ingestTotals } from '../../services/store/totals.ts';
import { detect } from '../../services/workers/detect.ts';
import { ingest } from '../../services/workers/ingest.ts';
import { retryQuarantine } from '../../services/workers/retry.ts';
import { seal } from '../../services/workers/sweep.ts';
import { differences, dump, violations } from '../support/dump.ts';
import { storedFindings } from '../support/oracle.ts';
import { asOwner, NOW, openPipeline, type Pipeline, type PipelineOptions } from '../support/pipeline.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { CALLERS, type Fields, KEYS, record, resources, START } from '../support/records.ts';

let database: TestDatabase;
let pipelines: Pipeline[] = [];

beforeEach(async () => {
  database = await testDatabase();
});

afterEach(async () => {
  for (const pipeline of pipelines) await pipeline[Symbol.asyncDispose]();
  pipelines = [];
  await database.drop();
});

async function open(options: PipelineOptions = {}): Promise<Pipeline> {
  const pipeline = await openPipeline(database.url, options);
  pipelines.push(pipeline);
  return pipeline;
}

async function count(from: string): Promise<number> {
  const [row] = await asOwner<{ n: number }>(database.url, `SELECT count(*)::int AS n FROM ${from}`);
  return row?.n ?? -1;
}

const text = (fields: Fields): string => JSON.stringify(fields);
const disable = record('DisableKey', START, resources(KEYS[0]));

describe('once in effect', () => {
  const tellings = [
    { source: 's3-trail' as const, text: JSON.stringify(disable, null, 2) },
    {
      source: 'eventbridge' as const,
      text: text({ version: '0', 'detail-type': 'AWS API Call via CloudTrail', source: 'aws.kms', detail: disable }),
    },
    { source: 'lookup-events' as const, text: text({ EventId: 'x', CloudTrailEvent: text(disable) }) },
  ];

  test.each([1, 4])(
    'a record that three sources deliver twice each is one event, one finding and one notification, with %i workers',
    async (workers) => {
      const pipeline = await open({ workers });
      for (const { source, text: told } of [...tellings, ...tellings]) await pipeline.deliver([told], { source });
      await pipeline.work();
      expect(await count('event')).toBe(1);
      expect(await count('observation')).toBe(5);
      expect(await asOwner(database.url, 'SELECT DISTINCT event_id, essence FROM observation')).toHaveLength(1);
      expect(await runCounts(pipeline.deps.pool, 'test')).toMatchObject({
        deliveries: 6,
        relevant: 6,
        new: 1,
        duplicates: 5,
        conflicts: 0,
      });
      expect(await asOwner(database.url, 'SELECT detector, occurrences::int, status FROM finding')).toEqual([
        { detector: 'key-disabled', occurrences: 1, status: 'open' },
      ]);
      expect(await asOwner(database.url, 'SELECT reason, state, attempts FROM notification')).toEqual([
        { reason: 'new-group', state: 'delivered', attempts: 1 },
      ]);
      expect(await count('finding_history')).toBe(1);
      expect(await violations(database.url)).toEqual([]);
    },
  );

  test('a change of a finding is one notification, however often its records and jobs come', async () => {
    const pipeline = await open({ workers: 2 });
    const life = [disable, record('EnableKey', START + HOUR, resources(KEYS[0])), record('DisableKey', START + DAY, resources(KEYS[0]))];
    for (const step of life) {
      for (let times = 0; times < 3; times++) await pipeline.deliver([text(step)]);
      await pipeline.work();
    }
    const { deps } = pipeline;
    const batches = await asOwner<{ id: number }>(database.url, 'SELECT id FROM ingest_batch');
    for (const { id } of batches) await ingest(deps, id);
    for (const { id } of batches) await detect(deps, id);
    await pipeline.assess();
    await pipeline.work();
    expect(await asOwner(database.url, 'SELECT reason, attempts FROM notification ORDER BY id')).toEqual(
      ['new-group', 'resolved', 'new-group'].map((reason) => ({ reason, attempts: 1 })),
    );
    expect(await asOwner(database.url, 'SELECT change FROM finding_history ORDER BY id')).toHaveLength(3);
  });
});

describe('append-only', () => {
  const kept = ['event', 'event_202602', 'evidence', 'batch_seal', 'observation', 'event_id_text', 'finding_history'];
  const columns = ['outcome', 'outcome', 'records', 'content_hash', 'ordinal', 'text', 'change'];

  test('the role that the service works as can add events, evidence and seals, and neither change nor remove them', async () => {
    const { deps, deliver, work } = await open();
    await deliver([text({ ...disable, eventID: 'no uuid' })]);
    await deliver([text({ ...disable, eventID: 'no uuid' })]);
    await work();
    const before = await Promise.all(kept.map(count));
    expect(before.every((n) => n > 0)).toBe(true);
    expect((await deps.pool.query('SELECT current_user::text AS role')).rows).toEqual([{ role: 'kmswatch_writer' }]);
    const attempts = kept.flatMap((table, i) => [
      `UPDATE ${table} SET ${columns[i]} = ${columns[i]}`,
      `DELETE FROM ${table}`,
      `TRUNCATE ${table} CASCADE`,
      `DROP TABLE ${table} CASCADE`,
      `ALTER TABLE ${table} DISABLE TRIGGER ALL`,
    ]);
    for (const statement of attempts) {
      const refusal = await deps.pool.query(statement).then(
        () => 'done',
        ({ code }: { code: string }) => code,
      );
      expect([statement, refusal]).toEqual([statement, '42501']);
    }
    expect(await Promise.all(kept.map(count))).toEqual(before);
  });
});

describe('conflicts', () => {
  const one = text(disable);
  const other = text({ ...disable, userIdentity: CALLERS[5] });
  const third = text({ ...disable, eventTime: '2026-03-01T10:00:00Z' });

  test('are stored, marked and raised, and the order of the tellings does not matter', async () => {
    const dumps = [];
    for (const order of [
      [one, other, third],
      [third, other, one],
      [other, one, third],
    ]) {
      await using place = await testDatabase();
      await using pipeline = await openPipeline(place.url);
      for (const telling of order) {
        await pipeline.deliver([telling]);
        await pipeline.work();
      }
      await pipeline.assess();
      expect(await violations(place.url)).toEqual([]);
      expect(await runCounts(pipeline.deps.pool, 'test')).toMatchObject({ relevant: 3, new: 1, duplicates: 0, conflicts: 2 });
      const raised = (await storedFindings(pipeline)).filter(({ detector }) => detector === 'event-conflict');
      expect(raised).toMatchObject([{ open: true, occurrences: 3, evidence: [disable['eventID']] }]);
      dumps.push(await dump(place.url));
    }
    const [first, ...rest] = dumps;
    for (const next of rest) expect(differences(first!, next)).toEqual([]);
    expect(first?.['conflicts']).toHaveLength(3);
    expect(first?.['events']).toHaveLength(3);
  });

  test('are counted once when concurrent workers store the tellings, and relevant = new + duplicates + conflicts', async () => {
    const pipeline = await open({ workers: 4 });
    const of = (n: number, caller: number): string => text({ ...disable, eventID: `event ${n}`, userIdentity: CALLERS[caller] });
    const numbers = Array.from({ length: 40 }, (_, n) => n);
    for (const caller of [0, 2, 5, 0])
      for (let part = 0; part < 4; part++) await pipeline.deliver(numbers.filter((n) => n % 4 === part).map((n) => of(n, caller)));
    await pipeline.work();
    const counts = await runCounts(pipeline.deps.pool, 'test');
    expect(counts).toMatchObject({ relevant: 160, new: 40, duplicates: 40, conflicts: 80, unfinished: 0 });
    expect(await ingestTotals(pipeline.deps.pool)).toMatchObject([{ relevant: 160, stored: 40, duplicates: 40, conflicts: 80 }]);
    expect(await count("finding WHERE detector = 'event-conflict' AND status = 'open' AND occurrences = 3")).toBe(40);
    expect(await violations(database.url)).toEqual([]);
  });

  test('of a delivery that is stored after later ones were sealed are in the running totals too', async () => {
    const { deps, deliver } = await open();
    const [late, early] = [await deliver([one]), await deliver([other])];
    for (const id of [early, late]) {
      await ingest(deps, id);
      await detect(deps, id);
      await seal(deps);
    }
    expect(await ingestTotals(deps.pool)).toMatchObject([{ deliveries: 2, relevant: 2, stored: 1, conflicts: 1 }]);
    expect(await violations(database.url)).toEqual([]);
  });

  test('are found by the next worker when one died between storing a delivery and looking for them', async () => {
    const pipeline = await open();
    await pipeline.deliver([one]);
    await pipeline.deliver([other]);
    await pipeline.work();
    const expected = await dump(database.url);
    await asOwner(database.url, 'UPDATE ingest_batch SET checked_at = NULL, detected_at = NULL, conflicts = 0');
    for (const table of ['event_conflict', 'finding', 'batch_seal', 'ingest_total']) await asOwner(database.url, `DELETE FROM ${table}`);
    await pipeline.work();
    expect(differences(expected, await dump(database.url))).toEqual([]);
    expect(await violations(database.url)).toEqual([]);
  });
});

describe('one bad record stops nothing', () => {
  const inputs = [
    { reason: null, bytes: Buffer.from(text(disable)) },
    { reason: 'invalid-json', bytes: Buffer.from('{"eventSource":"kms.amazonaws.com",') },
    { reason: 'invalid-utf8', bytes: Buffer.from([0x7b, 0xff, 0xfe, 0x7d]) },
    { reason: 'no-event-id', bytes: Buffer.from(text({ ...disable, eventID: null })) },
    { reason: 'no-event-time', bytes: Buffer.from(text({ ...disable, eventID: 'a', eventTime: 'yesterday' })) },
    { reason: 'unsupported-version', bytes: Buffer.from(text({ ...disable, eventID: 'b', eventVersion: '2.0' })) },
    { reason: 'implausible-time', bytes: Buffer.from(text({ ...disable, eventID: 'c', eventTime: '2012-12-31T23:59:59Z' })) },
    { reason: 'implausible-time', bytes: Buffer.from(text({ ...disable, eventID: 'd', eventTime: '2028-01-01T00:00:00Z' })) },
    { reason: 'not-a-record', bytes: Buffer.from('["kms"]') },
    { reason: null, bytes: Buffer.from(text(record('EnableKey', START + HOUR, resources(KEYS[1])))) },
  ];
  const bad = inputs.filter(({ reason }) => reason !== null);

  test('its neighbours are stored, and it is kept byte for byte with reason and place, once however often it comes', async () => {
    const { deps, deliver, work } = await open();
    for (const seen of [1, 2]) {
      await deliver(
        inputs.map(({ bytes }) => bytes),
        { locator: { path: 'mixed.json', nested: { z: 1, a: '\u0000' } } },
      );
      await work();
      expect(await count('event')).toBe(2);
      const rows = await asOwner(
        database.url,
        'SELECT ordinal, byte_offset::int, reason, bytes, complete, seen FROM quarantine ORDER BY ordinal',
      );
      expect(rows).toEqual(
        inputs.flatMap(({ reason, bytes }, i) =>
          reason === null ? [] : [{ ordinal: i, byte_offset: i, reason, bytes, complete: true, seen }],
        ),
      );
    }
    expect(await runCounts(deps.pool, 'test')).toMatchObject({ records: 20, relevant: 4, quarantined: 16, failed: 0 });
    expect(await violations(database.url)).toEqual([]);
  });

  test('a retry stores what can be stored by then and is released; what cannot stays, and trying again changes nothing', async () => {
    const before = await open();
    await before.deliver(inputs.map(({ bytes }) => bytes));
    await before.work();
    // Two years later the date that lay ahead is plausible.
    const later = await open({ clock: fixedClock(NOW + 730 * DAY) });
    for (const run of [1, 2]) {
      const retried = await whileWorking(later, (signal) =>
        retryQuarantine(later, { ids: null, runId: `retry ${run}`, inFlight: 4, asOf: 'newest', signal, logger: createLogger('silent') }),
      );
      expect(retried).toMatchObject(run === 1 ? { tried: bad.length, released: 1 } : { tried: bad.length - 1, released: 0 });
      expect(await count('event')).toBe(3);
      expect(await count('quarantine')).toBe(bad.length);
      expect(await count('quarantine WHERE released_at IS NULL')).toBe(bad.length - 1);
    }
    const kept = await asOwner<{ bytes: Buffer }>(database.url, 'SELECT bytes FROM quarantine ORDER BY ordinal');
    expect(kept.map(({ bytes }) => bytes)).toEqual(bad.map(({ bytes }) => bytes));
    expect(await violations(database.url)).toEqual([]);
  });
});

describe('old records', () => {
  test('of 2017 land in a partition of their month, also when several workers need the same new months at once', async () => {
    const pipeline = await open({ workers: 4 });
    const months = Array.from({ length: 24 }, (_, n) => Date.UTC(2017, n, 15));
    for (let delivery = 0; delivery < 8; delivery++) {
      await pipeline.deliver(months.map((at, n) => text(record('Decrypt', at, { ...resources(KEYS[0]), eventID: `${delivery} ${n}` }))));
    }
    await pipeline.work();
    expect(await count('event')).toBe(8 * 24);
    expect(await count('event_201701')).toBe(8);
    expect(await count("pg_inherits WHERE inhparent = 'event'::regclass")).toBe(24);
    expect(await runCounts(pipeline.deps.pool, 'test')).toMatchObject({ failed: 0, unfinished: 0, new: 8 * 24 });
  });

  test('on the borders of a month land on their side of it', async () => {
    const { deliver, work } = await open();
    const times = ['2017-12-31T23:59:59Z', '2018-01-01T00:00:00Z', '2018-01-31T23:59:59Z', '2018-02-01T00:00:00Z'];
    await deliver(times.map((eventTime) => text({ ...disable, eventTime, eventID: eventTime })));
    await work();
    expect(await Promise.all(['event_201712', 'event_201801', 'event_201802'].map(count))).toEqual([1, 2, 1]);
  });
});

/** Work that polls for the results of jobs, and workers that take them. */
async function whileWorking<T>(pipeline: Pipeline, start: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const done = new AbortController();
  const result = start(done.signal).finally(() => done.abort());
  while (!done.signal.aborted) {
    await pipeline.work();
    await sleep(20, done.signal);
  }
  return await result;
}
