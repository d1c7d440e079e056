/** What is asked of the coverage ledger. */
import type pg from 'pg';
import { DAY, HOUR } from '../../core/clock.ts';
import type { CoverageCell } from '../coverage.ts';

/** A source said something of the hour: events, a file without any of interest, or that it has read it. */
const SPOKE = '(events > 0 OR heard OR complete)';
/** A replay is no source that could fall silent. */
const MAY_BE_SILENT = "(source <> 'replay' OR missing > 0)";

export interface CoverageRow extends CoverageCell {
  readonly deliveries: number;
  readonly events: number;
  readonly reads: number;
  readonly heard: boolean;
  readonly complete: boolean;
  readonly partial: boolean;
  readonly verified: number;
  readonly missing: number;
  readonly gap: string | null;
}

export interface CoverageFilter {
  readonly account?: string | undefined;
  readonly region?: string | undefined;
  readonly source?: string | undefined;
  /** Epoch milliseconds; the end exclusive. */
  readonly from: number;
  readonly to: number;
}

/** In order of account, Region, hour, source; more than `limit` are not read. */
export async function readCoverage(
  pool: pg.Pool,
  { account, region, source, from, to }: CoverageFilter,
  limit: number,
): Promise<CoverageRow[]> {
  const { rows } = await pool.query<CoverageRow>(
    `SELECT account, region, source, hour, deliveries, events, reads, heard, complete, partial, verified, missing, gap FROM coverage_hourly
     WHERE hour >= $1 AND hour < $2 AND ($3::text IS NULL OR account = $3) AND ($4::text IS NULL OR region = $4) AND ($5::text IS NULL OR source = $5)
     ORDER BY account COLLATE "C", region COLLATE "C", hour, source COLLATE "C" LIMIT $6`,
    [new Date(from), new Date(to), account ?? null, region ?? null, source ?? null, limit],
  );
  return rows;
}

/** Hours in which sources were being read, by source; epoch milliseconds, ascending. */
export async function readListened(
  client: pg.ClientBase | pg.Pool,
  { from, to }: { readonly from: number; readonly to: number },
): Promise<Map<string, number[]>> {
  const { rows } = await client.query<{ source: string; hours: number[] }>(
    `SELECT source, array_agg((extract(epoch FROM hour) / 3600)::int ORDER BY hour) AS hours FROM listened_hour
     WHERE hour >= $1 AND hour <= $2 GROUP BY source`,
    [new Date(from), new Date(to)],
  );
  return new Map(rows.map(({ source, hours }) => [source, hours.map((hour) => hour * HOUR)]));
}

/** All that one source has shown of an account and Region. */
export interface ChannelRow {
  readonly account: string;
  readonly region: string;
  readonly source: string;
  /** Hours of which it said something, ascending. */
  readonly heard: readonly number[];
  readonly missing: readonly { readonly hour: number; readonly files: number; readonly gap: string | null }[];
  /** Id of the newest event, as stored; null when none is known. */
  readonly lastEvent: string | null;
}

/** How far back silence is judged: what is told of it (30 days) and what it is judged by (60), see `detectors/silence.ts`. */
export const COVERAGE_JUDGED_MS = 91 * DAY;

/** What live sources have shown of these accounts, as of a moment. One statement. */
export async function readChannels(client: pg.ClientBase, accounts: readonly string[], asOf: number): Promise<ChannelRow[]> {
  if (accounts.length === 0) return [];
  const { rows } = await client.query<Omit<ChannelRow, 'heard'> & { heard: number[] | null }>(
    `SELECT account, region, source, array_agg((extract(epoch FROM hour) / 3600)::int ORDER BY hour) FILTER (WHERE ${SPOKE}) AS heard,
       coalesce(jsonb_agg(jsonb_build_object('hour', extract(epoch FROM hour)::bigint * 1000, 'files', missing, 'gap', gap) ORDER BY hour)
         FILTER (WHERE missing > 0), '[]') AS missing,
       (array_agg(last_event ORDER BY last_at DESC, last_event DESC) FILTER (WHERE last_event IS NOT NULL))[1] AS "lastEvent"
     FROM coverage_hourly WHERE account = ANY($1::text[]) AND hour > $2 AND hour <= $3 AND ${MAY_BE_SILENT}
     GROUP BY account, region, source ORDER BY account COLLATE "C", region COLLATE "C", source COLLATE "C"`,
    [accounts, new Date(asOf - COVERAGE_JUDGED_MS), new Date(asOf)],
  );
  return rows.map(({ heard, ...row }) => ({ ...row, heard: (heard ?? []).map((hour) => hour * HOUR) }));
}

/** Accounts of which there is anything to judge, in order after `after`. */
export async function accountsWithCoverage(
  pool: pg.Pool,
  { after, limit, asOf }: { readonly after: string; readonly limit: number; readonly asOf: number },
): Promise<string[]> {
  const { rows } = await pool.query<{ account: string }>(
    `SELECT DISTINCT account COLLATE "C" AS account FROM coverage_hourly
     WHERE hour > $1 AND account COLLATE "C" > $2 AND ${MAY_BE_SILENT} ORDER BY 1 LIMIT $3`,
    [new Date(asOf - COVERAGE_JUDGED_MS), after, limit],
  );
  return rows.map(({ account }) => account);
}

/** Ends of what the ledger has as complete, by `account/region`, epoch milliseconds. */
export async function completeUntil(pool: pg.Pool, source: string): Promise<Map<string, number>> {
  const { rows } = await pool.query<{ name: string; newest: number }>(
    `SELECT account || '/' || region AS name, max(hour) AS newest FROM coverage_hourly WHERE source = $1 AND complete GROUP BY account, region`,
    [source],
  );
  return new Map(rows.map(({ name, newest }) => [name, newest + HOUR]));
}

export interface SourceCoverage {
  readonly source: string;
  /** Accounts × Regions of which it has said something in the last 30 days. */
  readonly channels: number;
  /** Epoch milliseconds, of the last 30 days. */
  readonly newestEvent: number | null;
  /** How late the events of the last day were stored, as counted by core/lag.ts. */
  readonly lag: readonly number[];
  /** Hours of the last seven days of which something is missing. */
  readonly missingHours: number;
  /** Those of which it has shown calls that only read. */
  readonly channelsWithReads: number;
}

/** In order of source. */
export async function summarizeCoverage(pool: pg.Pool, now: number): Promise<SourceCoverage[]> {
  const [sums, lags] = await Promise.all([
    pool.query<Omit<SourceCoverage, 'lag'>>(
      `SELECT source, count(*) FILTER (WHERE spoke) AS channels, max(newest) AS "newestEvent", sum(missing)::int AS "missingHours",
         count(*) FILTER (WHERE reads) AS "channelsWithReads"
       FROM (SELECT source, bool_or(${SPOKE}) AS spoke, max(last_at) AS newest, bool_or(reads > 0) AS reads,
           count(*) FILTER (WHERE missing > 0 AND hour > $2) AS missing
         FROM coverage_hourly WHERE hour > $1 GROUP BY source, account, region) c
       GROUP BY source ORDER BY source COLLATE "C"`,
      [new Date(now - 30 * DAY), new Date(now - 7 * DAY)],
    ),
    pool.query<{ source: string; bucket: number; count: number }>(
      `SELECT source, bucket, sum(n)::float8 AS count FROM coverage_hourly, unnest(lag) WITH ORDINALITY AS u(n, bucket)
       WHERE hour > $1 AND lag IS NOT NULL GROUP BY source, bucket ORDER BY source, bucket`,
      [new Date(now - DAY)],
    ),
  ]);
  const bySource = Map.groupBy(lags.rows, ({ source }) => source);
  return sums.rows.map((row) => ({ ...row, lag: (bySource.get(row.source) ?? []).map(({ count }) => count) }));
}

/** Hours since `since` of which something is missing, by source. */
export async function missingHours(pool: pg.Pool, since: number): Promise<Map<string, number>> {
  const { rows } = await pool.query<{ source: string; hours: number }>(
    'SELECT source, count(*) AS hours FROM coverage_hourly WHERE missing > 0 AND hour > $1 GROUP BY source',
    [new Date(since)],
  );
  return new Map(rows.map(({ source, hours }) => [source, hours]));
}
