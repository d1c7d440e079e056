/** What the health check asks the database about itself and about work that went wrong. */
import type pg from 'pg';

export interface DatabaseHealth {
  /** As `SHOW server_version` says it. */
  readonly version: string;
  readonly role: string;
  /** The database's own time, epoch milliseconds. */
  readonly now: number;
  readonly sizeBytes: number;
}

export async function readDatabaseHealth(pool: pg.Pool): Promise<DatabaseHealth> {
  const { rows } = await pool.query<DatabaseHealth>(
    `SELECT current_setting('server_version') AS version, current_user::text AS role, clock_timestamp() AS now,
       pg_database_size(current_database())::float8 AS "sizeBytes"`,
  );
  const [row] = rows;
  if (!row) throw new Error('the database answered with nothing');
  return row;
}

export interface Trouble {
  readonly quarantined: number;
  readonly failedBatches: number;
  readonly detectorFailures: readonly { readonly detector: string; readonly count: number }[];
  /** Deliveries that have not been stored and detected although they came before `before`. */
  readonly stale: number;
}

export async function readTrouble(pool: pg.Pool, before: number): Promise<Trouble> {
  const { rows } = await pool.query<{ quarantined: number; failed: number; stale: number }>(
    `SELECT (SELECT count(*) FROM quarantine WHERE released_at IS NULL) AS quarantined,
       (SELECT count(*) FROM ingest_batch WHERE state = 'failed') AS failed,
       (SELECT count(*) FROM ingest_batch WHERE received_at < $1 AND (state = 'pending' OR (state = 'stored' AND detected_at IS NULL))) AS stale`,
    [new Date(before)],
  );
  const failures = await pool.query<{ detector: string; count: number }>(
    'SELECT detector, count(*) AS count FROM detector_failure WHERE resolved_at IS NULL GROUP BY detector ORDER BY detector LIMIT 50',
  );
  const { quarantined = 0, failed = 0, stale = 0 } = rows[0] ?? {};
  return { quarantined, failedBatches: failed, detectorFailures: failures.rows, stale };
}
