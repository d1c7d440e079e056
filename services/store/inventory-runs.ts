/** Runs of reading an account's keys in a Region. A run that was cut off is gone on with: what was read in it is not read again. */
import type pg from 'pg';

export interface Place {
  readonly account: string;
  readonly region: string;
}

export interface InventoryRun {
  readonly id: number;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  /** It was begun before. */
  readonly isResumed: boolean;
}

/**
 * The unfinished run of the place, or a new one. The caller holds the place's lease.
 * @param notBefore an unfinished run that is older is left alone: what was read in it is out of date
 */
export async function openRun(
  pool: pg.Pool,
  { account, region }: Place,
  { now, notBefore }: { readonly now: number; readonly notBefore: number },
): Promise<InventoryRun> {
  const resumed = await pool.query<InventoryRun>(
    `UPDATE inventory_run SET attempts = attempts + 1, failure = NULL, failed_at = NULL
     WHERE id = (SELECT max(id) FROM inventory_run WHERE account = $1 AND region = $2) AND finished_at IS NULL AND started_at >= $3
     RETURNING id, started_at AS "startedAt", true AS "isResumed"`,
    [account, region, new Date(notBefore)],
  );
  if (resumed.rows[0]) return resumed.rows[0];
  const { rows } = await pool.query<InventoryRun>(
    `INSERT INTO inventory_run (account, region, started_at) VALUES ($1, $2, $3) RETURNING id, started_at AS "startedAt", false AS "isResumed"`,
    [account, region, new Date(now)],
  );
  return rows[0] as InventoryRun;
}

export async function finishRun(
  pool: pg.Pool,
  id: number,
  { listed, now }: { readonly listed: number; readonly now: number },
): Promise<void> {
  await pool.query('UPDATE inventory_run SET finished_at = $2, listed = $3 WHERE id = $1', [id, new Date(now), listed]);
}

/** @param failure reason of the failure, a word */
export async function failRun(
  pool: pg.Pool,
  id: number,
  { failure, now }: { readonly failure: string; readonly now: number },
): Promise<void> {
  await pool.query('UPDATE inventory_run SET failures = failures + 1, failure = $2, failed_at = $3 WHERE id = $1', [
    id,
    failure,
    new Date(now),
  ]);
}

/** ARNs of the keys that were read in the run. */
export async function readInRun(pool: pg.Pool, id: number): Promise<Set<string>> {
  const { rows } = await pool.query<{ arn: string }>(
    'SELECT k.arn FROM inventory_key i JOIN kms_key k ON k.id = i.key_id WHERE i.run_id = $1',
    [id],
  );
  return new Set(rows.map((row) => row.arn));
}

/** ARNs of keys of the place of which something is known and not that they are gone: they are asked about even when they are not listed. */
export async function knownKeys(pool: pg.Pool, { account, region }: Place): Promise<string[]> {
  const { rows } = await pool.query<{ arn: string }>(
    `SELECT arn FROM kms_key WHERE kind = 'key' AND account = $1 AND region = $2 AND facts <> '{}' AND state IS DISTINCT FROM 'Deleted' ORDER BY arn`,
    [account, region],
  );
  return rows.map((row) => row.arn);
}

export interface PlaceStanding extends Place {
  /** Of the latest run. */
  readonly startedAt: number;
  readonly finishedAt: number | null;
  readonly failedAt: number | null;
  /** When any run last came to its end; null = never. */
  readonly lastSuccessAt: number | null;
}

/** Every place that was ever read. */
export async function placeStandings(pool: pg.Pool): Promise<PlaceStanding[]> {
  const { rows } = await pool.query<PlaceStanding>(
    `SELECT DISTINCT ON (account, region) account, region, started_at AS "startedAt", finished_at AS "finishedAt", failed_at AS "failedAt",
       max(finished_at) OVER (PARTITION BY account, region) AS "lastSuccessAt"
     FROM inventory_run ORDER BY account, region, id DESC`,
  );
  return rows;
}
