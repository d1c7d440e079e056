/** Sums that metrics and the status page show: true for all processes together, since they are counted by Postgres. */
import type pg from 'pg';

export interface IngestTotal {
  readonly source: string;
  readonly deliveries: number;
  readonly records: number;
  readonly relevant: number;
  readonly stored: number;
  readonly duplicates: number;
  readonly conflicts: number;
  readonly quarantined: number;
  readonly lostFields: number;
  /** Epoch milliseconds. */
  readonly lastStoredAt: number;
}

/** Sealed batches only: a batch counts some moments after it is detected. */
export async function ingestTotals(pool: pg.Pool): Promise<IngestTotal[]> {
  const { rows } = await pool.query<IngestTotal>(
    `SELECT source, deliveries::float8, records::float8, relevant::float8, stored::float8, duplicates::float8, conflicts::float8, quarantined::float8,
       lost_fields::float8 AS "lostFields", last_stored_at AS "lastStoredAt" FROM ingest_total ORDER BY source`,
  );
  return rows;
}

export async function quarantineTotals(pool: pg.Pool): Promise<{ source: string; reason: string; count: number }[]> {
  const { rows } = await pool.query<{ source: string; reason: string; count: number }>(
    'SELECT source, reason, sum(seen)::float8 AS count FROM quarantine GROUP BY source, reason',
  );
  return rows;
}

export async function openFindings(pool: pg.Pool): Promise<{ severity: string; detector: string; count: number }[]> {
  const { rows } = await pool.query<{ severity: string; detector: string; count: number }>(
    "SELECT severity, detector, count(*)::float8 AS count FROM finding WHERE status IN ('open', 'acknowledged') GROUP BY severity, detector",
  );
  return rows;
}

export async function keyTotals(pool: pg.Pool): Promise<{ state: string; standing: string; count: number }[]> {
  const { rows } = await pool.query<{ state: string; standing: string; count: number }>(
    `SELECT coalesce(state, 'unknown') AS state, coalesce(rotation_standing, 'unknown') AS standing, count(*)::float8 AS count
     FROM kms_key WHERE kind = 'key' GROUP BY 1, 2`,
  );
  return rows;
}

/** When a delivery of each source was last stored, epoch milliseconds; of sealed ones. */
export async function lastStored(pool: pg.Pool): Promise<Map<string, number>> {
  const { rows } = await pool.query<{ source: string; at: number }>('SELECT source, last_stored_at AS at FROM ingest_total');
  return new Map(rows.map(({ source, at }) => [source, at]));
}
