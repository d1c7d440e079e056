/**
 * The coverage ledger: what each source has shown of each account, Region and hour of event time. Every count is of first sightings
 * by that source, whatever other sources have shown, so it is the same after any order, batching and redelivery of the same records.
 */
import type pg from 'pg';
import { HOUR } from '../core/clock.ts';
import { plainArray, textArray } from './array.ts';

/** An hour of event time of one account and Region as one source shows it. */
export interface CoverageCell {
  readonly account: string;
  readonly region: string;
  readonly source: string;
  /** Its begin, epoch milliseconds. */
  readonly hour: number;
}

/** What one batch adds to a cell. */
export interface CoverageCounts extends CoverageCell {
  /** Deliveries that brought events of this hour which their source had not shown before. */
  readonly deliveries: number;
  readonly events: number;
  /** Events among them that only looked: Describe…, Get…, List…. A path on which none ever comes does not show them. */
  readonly reads: number;
  /** Something came, be it that nothing in it was of interest. */
  readonly heard: boolean;
  readonly lastAt: number | null;
  /** Id of the event at `lastAt`, as stored. */
  readonly lastEvent: string | null;
  /** Counts of core/lag.ts; empty where lag says nothing, as in a replay. */
  readonly lag: readonly number[];
}

/**
 * Adds to the ledger, in the transaction that stores the events. The cells stay locked until it ends: who adds to a cell after another
 * sees all that the other has stored.
 */
export async function addCoverage(client: pg.ClientBase, rows: readonly CoverageCounts[], at: number): Promise<void> {
  if (rows.length === 0) return;
  // In primary-key order: two batches with the same cells wait for each other instead of deadlocking.
  const ordered = rows.toSorted(byCell);
  await client.query({
    name: 'add-coverage',
    text: `INSERT INTO coverage_hourly AS t (account, region, source, hour, deliveries, events, reads, heard, last_at, last_event, lag, updated_at)
      SELECT a, r, s, to_timestamp(h / 1000.0), d, e, rd, hd, to_timestamp(la / 1000.0), le, l::int[], to_timestamp($12 / 1000.0)
      FROM unnest($1::text[], $2::text[], $3::text[], $4::float8[], $5::int[], $6::int[], $7::int[], $8::bool[], $9::float8[], $10::uuid[], $11::text[])
        AS i(a, r, s, h, d, e, rd, hd, la, le, l)
      ON CONFLICT (account, region, source, hour) DO UPDATE SET
        deliveries = t.deliveries + excluded.deliveries, events = t.events + excluded.events, reads = t.reads + excluded.reads,
        heard = t.heard OR excluded.heard,
        last_event = CASE WHEN t.last_at IS NULL OR (excluded.last_at, excluded.last_event) > (t.last_at, t.last_event)
          THEN coalesce(excluded.last_event, t.last_event) ELSE t.last_event END,
        last_at = greatest(t.last_at, excluded.last_at),
        lag = CASE WHEN t.lag IS NULL THEN excluded.lag WHEN excluded.lag IS NULL THEN t.lag
          ELSE ARRAY(SELECT coalesce(old, 0) + coalesce(new, 0) FROM unnest(t.lag, excluded.lag) AS u(old, new)) END,
        updated_at = greatest(t.updated_at, excluded.updated_at)`,
    values: [
      ...cellArrays(ordered),
      plainArray(ordered.map((row) => row.deliveries)),
      plainArray(ordered.map((row) => row.events)),
      plainArray(ordered.map((row) => row.reads)),
      plainArray(ordered.map((row) => String(row.heard))),
      plainArray(ordered.map((row) => row.lastAt)),
      plainArray(ordered.map((row) => row.lastEvent)),
      textArray(ordered.map((row) => (row.lag.length === 0 ? null : plainArray(row.lag)))),
      at,
    ],
  });
}

/** Files of an hour by what the digests say of them. */
export interface Verified extends CoverageCell {
  /** Files that were found whole. */
  readonly verified: number;
  /** Files that a digest names and that we never saw. */
  readonly missing: number;
}

/** Says how many files of each hour are verified and missing; what was said of it before is replaced. */
export async function setVerified(client: pg.ClientBase | pg.Pool, rows: readonly Verified[], at: number): Promise<void> {
  if (rows.length === 0) return;
  const ordered = rows.toSorted(byCell);
  await client.query(
    `INSERT INTO coverage_hourly AS t (account, region, source, hour, verified, missing, updated_at)
     SELECT a, r, s, to_timestamp(h / 1000.0), v, m, to_timestamp($7 / 1000.0)
     FROM unnest($1::text[], $2::text[], $3::text[], $4::float8[], $5::int[], $6::int[]) AS i(a, r, s, h, v, m)
     ON CONFLICT (account, region, source, hour) DO UPDATE SET verified = excluded.verified, missing = excluded.missing,
       updated_at = greatest(t.updated_at, excluded.updated_at)
     WHERE (t.verified, t.missing) <> (excluded.verified, excluded.missing)`,
    [...cellArrays(ordered), plainArray(ordered.map((row) => row.verified)), plainArray(ordered.map((row) => row.missing)), at],
  );
}

/** A time of one account and Region; epoch milliseconds, the end exclusive. */
export interface CoverageSpan {
  readonly account: string;
  readonly region: string;
  readonly source: string;
  readonly from: number;
  readonly to: number;
}

export interface ReadSpan extends CoverageSpan {
  /** The source is set up to show some of the calls only. */
  readonly partial: boolean;
  /** Nothing more is expected. Default true; false where late events may still come. */
  readonly complete?: boolean;
}

/**
 * Says that a pull source has read these times to their end, events or none: quiet is not silent. Of an hour that is not within the
 * span as a whole nothing is said.
 */
export async function setComplete(client: pg.ClientBase | pg.Pool, rows: readonly ReadSpan[], at: number): Promise<void> {
  const spans = wholeHours(rows, { from: Math.ceil, to: Math.floor });
  if (spans.length === 0) return;
  await client.query(
    `INSERT INTO coverage_hourly AS t (account, region, source, hour, heard, complete, partial, updated_at)
     SELECT a, r, s, h, true, bool_or(c), bool_or(p), to_timestamp($8 / 1000.0)
     FROM unnest($1::text[], $2::text[], $3::text[], $4::float8[], $5::float8[], $6::bool[], $7::bool[]) AS i(a, r, s, f, e, p, c),
       generate_series(to_timestamp(f / 1000.0), to_timestamp(e / 1000.0) - interval '1 hour', interval '1 hour') h
     GROUP BY a, r, s, h ORDER BY a, r, s, h
     ON CONFLICT (account, region, source, hour) DO UPDATE SET heard = true, complete = t.complete OR excluded.complete, partial = excluded.partial,
       updated_at = greatest(t.updated_at, excluded.updated_at)
     WHERE NOT t.heard OR (excluded.complete AND NOT t.complete) OR t.partial <> excluded.partial`,
    [
      ...spanArrays(spans),
      plainArray(spans.map((span) => String(span.partial))),
      plainArray(spans.map((span) => String(span.complete ?? true))),
      at,
    ],
  );
}

/** Why an hour can never be had any more. Stored; append only. */
export const COVERAGE_GAPS = {
  /** It was not read before CloudTrail dropped it from its event history. */
  expired: 'CloudTrail keeps events for 90 days, and these were not read in time',
} as const;

export type CoverageGap = keyof typeof COVERAGE_GAPS;

/** Says that these times can no longer be had: every hour that a span touches is missing. */
export async function setGaps(
  client: pg.ClientBase | pg.Pool,
  rows: readonly (CoverageSpan & { readonly gap: CoverageGap })[],
  at: number,
): Promise<void> {
  const spans = wholeHours(rows, { from: Math.floor, to: Math.ceil });
  if (spans.length === 0) return;
  await client.query(
    `INSERT INTO coverage_hourly AS t (account, region, source, hour, gap, missing, updated_at)
     SELECT a, r, s, h, min(g), 1, to_timestamp($7 / 1000.0) FROM unnest($1::text[], $2::text[], $3::text[], $4::float8[], $5::float8[], $6::text[]) AS i(a, r, s, f, e, g),
       generate_series(to_timestamp(f / 1000.0), to_timestamp(e / 1000.0) - interval '1 hour', interval '1 hour') h
     GROUP BY a, r, s, h ORDER BY a, r, s, h
     ON CONFLICT (account, region, source, hour) DO UPDATE SET gap = excluded.gap, missing = greatest(t.missing, 1), complete = false,
       updated_at = greatest(t.updated_at, excluded.updated_at)
     WHERE t.gap IS DISTINCT FROM excluded.gap`,
    [...spanArrays(spans), textArray(spans.map((span) => span.gap)), at],
  );
}

/** Notes that sources were being read in this hour: only then is it silence when nothing came. */
export async function markListened(pool: pg.Pool, sources: readonly string[], hour: number): Promise<void> {
  await pool.query('INSERT INTO listened_hour (source, hour) SELECT s, $2 FROM unnest($1::text[]) AS i(s) ON CONFLICT DO NOTHING', [
    sources,
    new Date(hour),
  ]);
}

function wholeHours<S extends CoverageSpan>(
  spans: readonly S[],
  round: { readonly from: (hours: number) => number; readonly to: (hours: number) => number },
): S[] {
  return spans
    .map((span) => ({ ...span, from: round.from(span.from / HOUR) * HOUR, to: round.to(span.to / HOUR) * HOUR }))
    .filter((span) => span.from < span.to);
}

function cellArrays(cells: readonly CoverageCell[]): string[] {
  return [
    textArray(cells.map((cell) => cell.account)),
    textArray(cells.map((cell) => cell.region)),
    textArray(cells.map((cell) => cell.source)),
    plainArray(cells.map((cell) => cell.hour)),
  ];
}

function spanArrays(spans: readonly CoverageSpan[]): string[] {
  return [
    textArray(spans.map((span) => span.account)),
    textArray(spans.map((span) => span.region)),
    textArray(spans.map((span) => span.source)),
    plainArray(spans.map((span) => span.from)),
    plainArray(spans.map((span) => span.to)),
  ];
}

function byCell(a: CoverageCell, b: CoverageCell): number {
  return compare(a.account, b.account) || compare(a.region, b.region) || compare(a.source, b.source) || a.hour - b.hour;
}

function compare(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
