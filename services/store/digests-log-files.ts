/** Log files that digests list: what was found of each, and whether we have ingested it. */
import type pg from 'pg';
import { DAY } from '../core/clock.ts';
import { plainArray, textArray } from './array.ts';

/** Files that are as they should be are forgotten after so long: their digests are kept, and name them again when they are asked. */
const REMEMBERED_MS = 35 * DAY;

export interface LogFileRow {
  readonly bucket: string;
  readonly key: string;
  readonly digestKey: string;
  readonly account: string;
  readonly region: string;
  /** Epoch milliseconds. */
  readonly hour: number;
  /** SHA-256 of the content, lower-case hex. */
  readonly listed: string;
  readonly found: string | null;
  /** Of the object that was hashed. */
  readonly etag: string | null;
  readonly verdict: string;
  readonly reason: string | null;
}

export interface KnownLogFile {
  readonly etag: string | null;
  /** SHA-256 of its content; null where it could not be hashed. */
  readonly found: string | null;
}

/** What is known of an account's and Region's log files since an hour, by key. */
export async function knownLogFiles(
  pool: pg.Pool,
  { bucket, account, region, from }: { bucket: string; account: string; region: string; from: number },
): Promise<Map<string, KnownLogFile>> {
  const { rows } = await pool.query<KnownLogFile & { key: string }>(
    `SELECT object_key AS key, etag, encode(found_sha256, 'hex') AS found FROM digest_log_file
     WHERE bucket = $1 AND account = $2 AND region = $3 AND hour >= to_timestamp($4 / 1000.0)`,
    [bucket, account, region, from],
  );
  return new Map(rows.map(({ key, etag, found }) => [key, { etag, found }]));
}

/** Hashes of contents that were ingested, by key: those of every object that lay under it, by ETag. */
export async function ingestedHashes(pool: pg.Pool, bucket: string, keys: readonly string[]): Promise<Map<string, Map<string, string>>> {
  const known = new Map<string, Map<string, string>>();
  if (keys.length === 0) return known;
  const { rows } = await pool.query<{ key: string; etag: string; sha256: string }>(
    `SELECT locator ->> 'key' AS key, locator ->> 'etag' AS etag, encode(content_sha256, 'hex') AS sha256 FROM ingest_batch
     WHERE source = 's3-trail' AND locator ->> 'key' = ANY($2::text[]) AND locator ->> 'bucket' = $1
       AND state = 'stored' AND content_sha256 IS NOT NULL AND locator ->> 'etag' IS NOT NULL ORDER BY id`,
    [bucket, textArray(keys)],
  );
  for (const { key, etag, sha256 } of rows) known.set(key, (known.get(key) ?? new Map<string, string>()).set(etag, sha256));
  return known;
}

/** An hour of an account and Region. */
export interface LogFileHour {
  readonly account: string;
  readonly region: string;
  /** Epoch milliseconds. */
  readonly hour: number;
}

/** Writes what was found. @returns the verdicts of files of which something else, or nothing, was said before */
export async function recordLogFiles(client: pg.ClientBase, rows: readonly LogFileRow[], at: number): Promise<string[]> {
  const byKey = new Map(rows.map((row) => [`${row.bucket}/${row.key}`, row]));
  if (byKey.size === 0) return [];
  const sorted = [...byKey].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
  const text = (pick: (row: LogFileRow) => string | null): string => textArray(sorted.map(pick));
  const { rows: changed } = await client.query<{ verdict: string }>(
    `WITH told AS (
       SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::float8[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[])
         AS i(bucket, key, digest, account, region, hour, listed, found, etag, verdict, reason)),
     before AS (SELECT d.bucket, d.object_key, d.verdict FROM digest_log_file d JOIN told ON (d.bucket, d.object_key) = (told.bucket, told.key)),
     written AS (
       INSERT INTO digest_log_file AS d (bucket, object_key, digest_key, account, region, hour, listed_sha256, found_sha256, etag, verdict, reason, ingested, checked_at)
       SELECT bucket, key, digest, account, region, to_timestamp(hour / 1000.0), decode(listed, 'hex'), decode(found, 'hex'), etag, verdict, reason,
         EXISTS (SELECT FROM ingest_batch b WHERE b.source = 's3-trail' AND b.locator ->> 'key' = told.key AND b.locator ->> 'bucket' = told.bucket
           AND b.state = 'stored'), to_timestamp($12 / 1000.0)
       FROM told
       ON CONFLICT (bucket, object_key) DO UPDATE SET digest_key = excluded.digest_key, listed_sha256 = excluded.listed_sha256,
         found_sha256 = excluded.found_sha256, etag = excluded.etag, verdict = excluded.verdict, reason = excluded.reason,
         ingested = d.ingested OR excluded.ingested, checked_at = excluded.checked_at)
     SELECT told.verdict FROM told LEFT JOIN before ON (before.bucket, before.object_key) = (told.bucket, told.key)
     WHERE before.verdict IS DISTINCT FROM told.verdict`,
    [
      text((row) => row.bucket),
      text((row) => row.key),
      text((row) => row.digestKey),
      text((row) => row.account),
      text((row) => row.region),
      plainArray(sorted.map((row) => row.hour)),
      text((row) => row.listed),
      text((row) => row.found),
      text((row) => row.etag),
      text((row) => row.verdict),
      text((row) => row.reason),
      at,
    ],
  );
  return changed.map(({ verdict }) => verdict);
}

/** Notes which files were ingested after they had been found unseen. @returns the hours that they are of */
export async function noteIngested(client: pg.Pool | pg.ClientBase): Promise<LogFileHour[]> {
  const { rows } = await client.query<LogFileHour>(
    `WITH seen AS (
       UPDATE digest_log_file d SET ingested = true WHERE NOT ingested AND EXISTS (
         SELECT FROM ingest_batch b WHERE b.source = 's3-trail' AND b.locator ->> 'key' = d.object_key AND b.locator ->> 'bucket' = d.bucket AND b.state = 'stored')
       RETURNING account, region, hour)
     SELECT DISTINCT account, region, hour FROM seen`,
  );
  return rows;
}

/** How many files of each hour are verified, and how many that digests list were never ingested. */
export async function countLogFiles(
  client: pg.Pool | pg.ClientBase,
  hours: readonly LogFileHour[],
): Promise<(LogFileHour & { readonly verified: number; readonly unseen: number })[]> {
  if (hours.length === 0) return [];
  const { rows } = await client.query<LogFileHour & { verified: number; unseen: number }>(
    `SELECT d.account, d.region, d.hour, count(*) FILTER (WHERE verdict = 'verified')::int AS verified, count(*) FILTER (WHERE NOT ingested)::int AS unseen
     FROM digest_log_file d JOIN (SELECT DISTINCT a, r, to_timestamp(h / 1000.0) AS h FROM unnest($1::text[], $2::text[], $3::float8[]) AS i(a, r, h)) i
       ON (d.hour, d.account, d.region) = (i.h, i.a, i.r)
     GROUP BY d.account, d.region, d.hour ORDER BY d.account, d.region, d.hour`,
    [
      textArray(hours.map(({ account }) => account)),
      textArray(hours.map(({ region }) => region)),
      plainArray(hours.map(({ hour }) => hour)),
    ],
  );
  return rows;
}

/** Forgets sound files of long ago. */
export async function forgetLogFiles(pool: pg.Pool, now: number): Promise<void> {
  await pool.query(`DELETE FROM digest_log_file WHERE hour < to_timestamp($1 / 1000.0) AND verdict = 'verified' AND ingested`, [
    now - REMEMBERED_MS,
  ]);
}
