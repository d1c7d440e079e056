import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DAY, HOUR, MINUTE } from '../../services/core/clock.ts';
import type { Json } from '../../services/core/json.ts';
import { sleep } from '../../services/platform/clock.ts';
import type { SourceName } from '../../services/sources/contract.ts';
import { writeCheckpoint } from '../../services/store/checkpoints.ts';
import { markListened, setComplete, setVerified } from '../../services/store/coverage.ts';
import { readCoverage, summarizeCoverage } from '../../services/store/read/coverage.ts';
import { lookupEventsSchema } from '../../services/sources/lookup-events/config.ts';
import { assess } from '../../services/workers/assess.ts';
import { ingest } from '../../services/workers/ingest.ts';
import { keepCoverage } from '../../services/workers/keep-coverage.ts';
import { asOwner, openPipeline, type Pipeline } from '../support/pipeline.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { ACCOUNT, ACCOUNTS, KEYS, record, REGION, resources, START } from '../support/records.ts';

let database: TestDatabase;
let pipeline: Pipeline;
let now = START + DAY;

beforeEach(async () => {
  now = START + DAY;
  database = await testDatabase();
  pipeline = await openPipeline(database.url, { clock: { now: () => now } });
});

afterEach(async () => {
  await pipeline[Symbol.asyncDispose]();
  await database.drop();
});

interface Told {
  readonly source: SourceName;
  readonly records: readonly string[];
}

/** Some are being stored at the same time. */
async function store(deliveries: readonly Told[], atOnce = 3): Promise<void> {
  const ids: number[] = [];
  for (const { source, records } of deliveries) ids.push(await pipeline.deliver(records, { source }));
  const left = ids.values();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (const id of left) await ingest(pipeline.deps, id);
    }),
  );
}

const LEDGER =
  'SELECT account, region, source, hour, events, reads, heard, complete, last_at, last_event FROM coverage_hourly ORDER BY 1, 2, 3, 4';

async function ledger(columns = LEDGER): Promise<Record<string, unknown>[]> {
  return await asOwner(database.url, columns);
}

const RECORDS = Array.from({ length: 12 }, (_, n) =>
  JSON.stringify(
    record(n % 3 === 0 ? 'DisableKey' : n % 3 === 1 ? 'Decrypt' : 'DescribeKey', START + n * 25 * MINUTE, {
      ...resources(KEYS[n % 2] ?? ''),
      recipientAccountId: ACCOUNTS[n % 5 === 4 ? 1 : 0],
    }),
  ),
);
const SOURCES = ['s3-trail', 'eventbridge', 'lookup-events'] as const;

describe('the ledger', () => {
  test('counts what each source has shown, by account, Region and hour, once for each event whoever else has shown it', async () => {
    await store([
      { source: 's3-trail', records: RECORDS },
      { source: 'eventbridge', records: RECORDS.slice(0, 5) },
    ]);
    const rows = await ledger();
    const of = (source: string): number =>
      rows.filter((row) => row['source'] === source).reduce((sum, row) => sum + Number(row['events']), 0);
    expect([of('s3-trail'), of('eventbridge')]).toEqual([12, 5]);
    const first = rows.find((row) => row['source'] === 's3-trail' && row['account'] === ACCOUNT);
    // At 0:00, 0:25 and 0:50; the last of them only looked.
    expect(first).toMatchObject({ region: REGION, hour: new Date(START), events: 3, reads: 1, heard: false, complete: false });
    expect(first?.['last_at']).toEqual(new Date(START + 50 * MINUTE));
  });

  test('a redelivery changes nothing at all, the number of deliveries included', async () => {
    const told = SOURCES.map((source) => ({ source, records: RECORDS }));
    await store(told, 1);
    const before = await ledger(
      'SELECT account, region, source, hour, deliveries, events, reads, lag, last_event FROM coverage_hourly ORDER BY 1, 2, 3, 4',
    );
    expect(before.every((row) => row['deliveries'] === 1)).toBe(true);
    await store([...told, ...told.toReversed()]);
    expect(
      await ledger(
        'SELECT account, region, source, hour, deliveries, events, reads, lag, last_event FROM coverage_hourly ORDER BY 1, 2, 3, 4',
      ),
    ).toEqual(before);
  });

  test('is the same after any order, batching, repetition and interleaving of the same records', async () => {
    const sighting = fc.record({ record: fc.nat(RECORDS.length - 1), source: fc.constantFrom(...SOURCES), delivery: fc.nat(5) });
    await fc.assert(
      fc.asyncProperty(fc.array(sighting, { minLength: 1, maxLength: 60 }), fc.integer({ min: 1, max: 4 }), async (sightings, atOnce) => {
        await pipeline.renew();
        const seen = Map.groupBy(sightings, ({ source }) => source);
        await store(
          [...seen].map(([source, of]) => ({ source, records: [...new Set(of.map(({ record: at }) => RECORDS[at] ?? ''))].sort() })),
          1,
        );
        const plain = await ledger();
        await pipeline.renew();
        const batches = Map.groupBy(sightings, ({ source, delivery }) => `${source} ${delivery}`);
        await store(
          [...batches.values()].map((of) => ({
            source: of[0]?.source ?? 'replay',
            records: of.map(({ record: at }) => RECORDS[at] ?? ''),
          })),
          atOnce,
        );
        expect(await ledger()).toEqual(plain);
      }),
      { numRuns: 12, interruptAfterTimeLimit: 60_000 },
    );
  });

  test('counts an event once that a source brings twice at the same moment, when another has shown it before', async () => {
    const [only = ''] = RECORDS;
    await store([{ source: 's3-trail', records: [only] }]);
    const ids = [await pipeline.deliver([only], { source: 'eventbridge' }), await pipeline.deliver([only], { source: 'eventbridge' })];
    const { pool } = pipeline.deps;
    const holder = await pool.connect();
    await holder.query('BEGIN');
    // Both get as far as to the end of their transactions, or to where one waits for the other.
    await holder.query('SELECT FROM delivery_payload WHERE batch_id = ANY($1::int[]) FOR UPDATE', [ids]);
    const stored = Promise.all(ids.map((id) => ingest(pipeline.deps, id)));
    const waiting = "SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while ((await asOwner<{ n: number }>(database.url, waiting))[0]?.n !== 2) await sleep(20);
    await holder.query('COMMIT');
    holder.release();
    await stored;
    expect((await ledger()).map((row) => [row['source'], row['events']])).toEqual([
      ['eventbridge', 1],
      ['s3-trail', 1],
    ]);
  });

  test('a log file without anything of interest shows that its account and Region are heard, however often it comes', async () => {
    const key = `AWSLogs/${ACCOUNT}/CloudTrail/${REGION}/2026/02/01/${ACCOUNT}_CloudTrail_${REGION}_20260201T0510Z_x.json.gz`;
    for (let n = 0; n < 2; n++) {
      const id = await pipeline.deliver([JSON.stringify(record('RunInstances', START, { eventSource: 'ec2.amazonaws.com' }))], {
        source: 's3-trail',
        locator: { bucket: 'logs', key },
      });
      await ingest(pipeline.deps, id);
    }
    expect(await ledger()).toEqual([
      expect.objectContaining({
        account: ACCOUNT,
        region: REGION,
        source: 's3-trail',
        hour: new Date(START + 5 * HOUR),
        events: 0,
        heard: true,
      }),
    ]);
  });

  test('measures how late events of a live source are stored, and not those of a replay', async () => {
    now = START + 11 * 25 * MINUTE + 40_000;
    await store([
      { source: 's3-trail', records: RECORDS },
      { source: 'replay', records: RECORDS },
    ]);
    const bySource = new Map((await summarizeCoverage(pipeline.deps.pool, now)).map((each) => [each.source, each]));
    expect(bySource.get('s3-trail')?.lag.reduce((sum, count) => sum + count, 0)).toBe(12);
    // The newest was 40 seconds old, the next 25 minutes more.
    expect(bySource.get('s3-trail')?.lag.slice(0, 5)).toEqual([0, 0, 0, 0, 1]);
    expect(bySource.get('replay')?.lag).toEqual([]);
    expect(bySource.get('s3-trail')).toMatchObject({ channels: 2, channelsWithReads: 1, newestEvent: START + 11 * 25 * MINUTE });
  });

  test('takes what a digest says of an hour as it is said last, beside what was counted', async () => {
    await store([{ source: 's3-trail', records: RECORDS }]);
    const cell = { account: ACCOUNT, region: REGION, source: 's3-trail', hour: START };
    await setVerified(pipeline.deps.pool, [{ ...cell, verified: 11, missing: 1 }], now);
    await setVerified(pipeline.deps.pool, [{ ...cell, verified: 12, missing: 0 }], now);
    const [row] = await readCoverage(pipeline.deps.pool, { ...cell, from: START, to: START + HOUR }, 10);
    expect(row).toMatchObject({ verified: 12, missing: 0, events: 3 });
  });
});

describe('a polled account', () => {
  const config = lookupEventsSchema.parse({ accounts: [{ account: ACCOUNT, regions: [REGION] }] });
  const keep = () => keepCoverage(pipeline.deps, { sources: ['lookup-events'], lookupEvents: config, services: ['kms', 'cloudtrail'] });
  const FILTERS = { kms: 'EventSource=kms.amazonaws.com', changes: 'ReadOnly=false' } as const;
  const checkpoint = (filter: keyof typeof FILTERS, value: Json): Promise<void> =>
    writeCheckpoint(pipeline.deps.pool, `lookup-events/${ACCOUNT}/${REGION}/${FILTERS[filter]}`, { value, at: now });
  const progress = (since: number, settled: number, gaps: readonly (readonly [number, number])[] = []): Json => ({
    since: new Date(since).toISOString(),
    high_water: new Date(settled + 30 * MINUTE).toISOString(),
    settled: new Date(settled).toISOString(),
    gaps: gaps.map(([from, to]) => ({
      from: new Date(from).toISOString(),
      to: new Date(to).toISOString(),
      found_at: new Date(to).toISOString(),
    })),
  });
  const hours = async (where: string): Promise<number[]> =>
    (await asOwner<{ hour: Date }>(database.url, `SELECT hour FROM coverage_hourly WHERE ${where} ORDER BY hour`)).map(
      ({ hour }) => (hour.getTime() - START) / HOUR,
    );

  test('has a quiet hour as complete when every filter has read it to its end, and not before', async () => {
    await checkpoint('kms', progress(START + 10 * MINUTE, START + 5 * HOUR + MINUTE));
    await keep()();
    expect(await ledger()).toEqual([]);
    await checkpoint('changes', progress(START + 10 * MINUTE, START + 3 * HOUR + 45 * MINUTE));
    await keep()();
    expect(await hours('complete AND events = 0')).toEqual([1, 2]);
    // Read for the first time, but later events may come.
    expect(await hours('heard AND NOT complete')).toEqual([3]);
  });

  test('fills the ledger by itself after it was down, as the gap is read', async () => {
    await checkpoint('kms', progress(START, START + 2 * HOUR));
    await checkpoint('changes', progress(START, START + 2 * HOUR));
    await keep()();
    expect(await hours('complete')).toEqual([0, 1]);
    // Hours later another process goes on.
    await checkpoint('kms', progress(START, START + 9 * HOUR));
    await checkpoint('changes', progress(START, START + 9 * HOUR));
    const again = keep();
    await again();
    await again();
    expect(await hours('complete')).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(await hours('missing > 0')).toEqual([]);
  });

  test('has hours that can no longer be read as missing with the reason, for good', async () => {
    const gap = [START + 2 * HOUR + MINUTE, START + 4 * HOUR + MINUTE] as const;
    await checkpoint('kms', progress(START, START + 7 * HOUR, [gap]));
    await checkpoint('changes', progress(START, START + 7 * HOUR));
    const again = keep();
    await again();
    await again();
    expect(await hours("missing = 1 AND gap = 'expired' AND NOT complete")).toEqual([2, 3, 4]);
    expect(await hours('complete')).toEqual([0, 1, 5, 6]);
  });
});

describe('silence', () => {
  const findings = (): Promise<Record<string, unknown>[]> =>
    asOwner(
      database.url,
      "SELECT status, account, region, details ->> 'silent_hours' AS hours FROM finding WHERE detector = 'source-silent' ORDER BY region",
    );
  const place = { account: ACCOUNT, region: REGION, source: 'lookup-events' };

  async function listen(from: number, to: number): Promise<void> {
    for (let hour = from; hour < to; hour += HOUR) await markListened(pipeline.deps.pool, ['lookup-events', 's3-trail'], hour);
  }

  test('is raised for an account that was always read, though it never had an event, and resolved when it is read again', async () => {
    await listen(START, START + 20 * DAY);
    await setComplete(pipeline.deps.pool, [{ ...place, from: START, to: START + 18 * DAY, partial: false }], now);
    await assess(pipeline.deps, START + 18 * DAY + HOUR);
    expect(await findings()).toEqual([]);
    await assess(pipeline.deps, START + 18 * DAY + 3 * HOUR + 10 * MINUTE);
    expect(await findings()).toEqual([{ status: 'open', account: ACCOUNT, region: REGION, hours: '2' }]);
    // Time goes by.
    await assess(pipeline.deps, START + 18 * DAY + 6 * HOUR + 10 * MINUTE);
    expect(await findings()).toEqual([{ status: 'open', account: ACCOUNT, region: REGION, hours: '5' }]);
    await setComplete(
      pipeline.deps.pool,
      [{ ...place, from: START + 18 * DAY + 6 * HOUR, to: START + 18 * DAY + 8 * HOUR, partial: false }],
      now,
    );
    await assess(pipeline.deps, START + 18 * DAY + 8 * HOUR + 10 * MINUTE);
    expect(await findings()).toEqual([{ status: 'resolved', account: ACCOUNT, region: REGION, hours: '6' }]);
  });

  test('is withdrawn when what was missed comes after all: then there was none', async () => {
    await listen(START, START + 20 * DAY);
    await setComplete(pipeline.deps.pool, [{ ...place, from: START, to: START + 18 * DAY, partial: false }], now);
    await assess(pipeline.deps, START + 18 * DAY + 4 * HOUR);
    expect(await findings()).toHaveLength(1);
    await setComplete(pipeline.deps.pool, [{ ...place, from: START + 18 * DAY, to: START + 18 * DAY + 4 * HOUR, partial: false }], now);
    await assess(pipeline.deps, START + 18 * DAY + 4 * HOUR + 10 * MINUTE);
    expect(await findings()).toEqual([]);
  });

  test('is not what kmswatch itself has caused by being down, nor what a replay does not go on with', async () => {
    await listen(START, START + 18 * DAY);
    await setComplete(pipeline.deps.pool, [{ ...place, from: START, to: START + 18 * DAY, partial: false }], now);
    await asOwner(
      database.url,
      "INSERT INTO coverage_hourly (account, region, source, hour, heard, updated_at) SELECT account, region, 'replay', hour, true, updated_at FROM coverage_hourly",
    );
    await assess(pipeline.deps, START + 19 * DAY);
    expect(await findings()).toEqual([]);
  });

  test('is raised for files that a digest names and nobody has seen, with an event of the source as evidence', async () => {
    await store([{ source: 's3-trail', records: RECORDS }]);
    await setVerified(pipeline.deps.pool, [{ ...place, source: 's3-trail', hour: START + HOUR, verified: 3, missing: 2 }], now);
    await assess(pipeline.deps, now);
    const [row] = await asOwner(
      database.url,
      `SELECT status, occurrences::int, ARRAY(SELECT event_id FROM finding_evidence e WHERE e.finding_id = f.id) AS evidence FROM finding f WHERE detector = 'source-silent'`,
    );
    const newest = JSON.parse(RECORDS.findLast((text) => text.includes(`"recipientAccountId":"${ACCOUNT}"`)) ?? '{}') as {
      eventID: string;
    };
    expect(row).toEqual({ status: 'open', occurrences: 2, evidence: [newest.eventID] });
  });
});
