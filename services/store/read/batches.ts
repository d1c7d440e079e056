/** What was ingested and what went wrong with it, for people and for the health check. */
import type pg from 'pg';

export interface SourceSummary {
  readonly source: string;
  readonly deliveries: number;
  readonly records: number;
  readonly relevant: number;
  readonly new: number;
  readonly duplicates: number;
  readonly conflicts: number;
  readonly quarantined: number;
  readonly failed: number;
  /** Not stored, or not detected yet. */
  readonly unfinished: number;
  readonly lastStoredAt: number | null;
  readonly oldestEvent: number | null;
  readonly newestEvent: number | null;
}

/** Everything that has come, by source; counted anew, unlike the running totals, which leave out what is not sealed yet. */
export async function summarizeSources(pool: pg.Pool): Promise<SourceSummary[]> {
  const { rows } = await pool.query<SourceSummary>(
    `SELECT source, count(*) AS deliveries, sum(records)::float8 AS records, sum(relevant)::float8 AS relevant, sum(inserted - conflicts)::float8 AS new,
       sum(duplicates)::float8 AS duplicates, sum(conflicts)::float8 AS conflicts, sum(quarantined)::float8 AS quarantined,
       count(*) FILTER (WHERE state = 'failed') AS failed,
       count(*) FILTER (WHERE state = 'pending' OR (state = 'stored' AND detected_at IS NULL)) AS unfinished,
       max(stored_at) AS "lastStoredAt", min(oldest_event) AS "oldestEvent", max(newest_event) AS "newestEvent"
     FROM ingest_batch GROUP BY source ORDER BY source`,
  );
  return rows;
}

/** Time of the newest event that is stored; null when there is none. */
export async function newestEvent(pool: pg.Pool): Promise<number | null> {
  const { rows } = await pool.query<{ newest: number | null }>('SELECT max(newest_event) AS newest FROM ingest_batch');
  return rows[0]?.newest ?? null;
}

export async function hasBatches(pool: pg.Pool): Promise<boolean> {
  const { rows } = await pool.query('SELECT FROM ingest_batch LIMIT 1');
  return rows.length > 0;
}

/** Deliveries of a run whose input could not be read at all, such as a file without permission. */
export async function unreadableOfRun(pool: pg.Pool, runId: string): Promise<number> {
  const { rows } = await pool.query<{ count: number }>(
    `SELECT count(*) AS count FROM ingest_batch b WHERE b.run_id = $1 AND b.quarantined > 0
       AND EXISTS (SELECT FROM quarantine q WHERE q.reason = 'unreadable' AND q.source = b.source AND q.locator = b.locator)`,
    [runId],
  );
  return rows[0]?.count ?? 0;
}

export interface FailedBatch {
  readonly id: number;
  readonly source: string;
  readonly failure: string | null;
}

/** Deliveries that were given up, latest first. */
export async function readFailedBatches(
  pool: pg.Pool,
  options: { readonly runId?: string; readonly limit: number },
): Promise<FailedBatch[]> {
  const { rows } = await pool.query<FailedBatch>(
    "SELECT id, source, failure FROM ingest_batch WHERE state = 'failed' AND ($1::text IS NULL OR run_id = $1) ORDER BY id DESC LIMIT $2",
    [options.runId ?? null, options.limit],
  );
  return rows;
}
