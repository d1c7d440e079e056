/** The life of a delivery in Postgres: pending → stored → detected (or failed). Postgres is the memory, the queue a conveyor. */
import { promisify } from 'node:util';
import { zstdCompress, zstdDecompress } from 'node:zlib';
import type pg from 'pg';
import type { JsonObject } from '../core/json.ts';
import type { QuarantinedInput } from '../core/quarantine.ts';
import { storableJson } from './array.ts';
import { insertQuarantine } from './quarantine.ts';
import type { Touched } from './ingest.ts';
import { inTransaction } from './transaction.ts';

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

export interface PendingDelivery {
  readonly runId: string;
  readonly source: string;
  readonly locator: JsonObject;
  readonly payload: Uint8Array | null;
  readonly checkpoint: JsonObject | null;
  /** What the source could not turn into records; counted with the batch. */
  readonly quarantined: readonly QuarantinedInput[];
  readonly receivedAt: number;
}

/** Registers a delivery before it is queued, so that an emptied queue loses nothing. @returns its batch id */
export async function registerDelivery(pool: pg.Pool, delivery: PendingDelivery): Promise<number> {
  const bytes = delivery.payload ? await compress(delivery.payload) : null;
  return await inTransaction(pool, async (client) => {
    const { rows } = await client.query<{ id: number }>(
      `INSERT INTO ingest_batch (run_id, source, locator, checkpoint, received_at, records, quarantined)
       VALUES ($1, $2, $3, $4, $5, $6, $6) RETURNING id`,
      [
        delivery.runId,
        delivery.source,
        storableJson(delivery.locator),
        delivery.checkpoint ? storableJson(delivery.checkpoint) : null,
        new Date(delivery.receivedAt),
        delivery.quarantined.length,
      ],
    );
    const id = rows[0]?.id ?? 0;
    await insertQuarantine(client, { ...delivery, batchId: id, storedAt: delivery.receivedAt });
    if (bytes) await client.query('INSERT INTO delivery_payload (batch_id, bytes) VALUES ($1, $2)', [id, bytes]);
    return id;
  });
}

/** Id of the delivery of a run that was registered last; 0 when there is none. */
export async function newestOfRun(pool: pg.Pool, runId: string): Promise<number> {
  const { rows } = await pool.query<{ id: number }>('SELECT coalesce(max(id), 0) AS id FROM ingest_batch WHERE run_id = $1', [runId]);
  return rows[0]?.id ?? 0;
}

export interface OpenBatch {
  readonly id: number;
  readonly source: string;
  readonly locator: JsonObject;
  readonly payload: Uint8Array | null;
  readonly attempts: number;
}

/** A pending batch with what is needed to open it; null when it is not pending (any more). */
export async function readPending(pool: pg.Pool, batchId: number): Promise<OpenBatch | null> {
  const { rows } = await pool.query<{ source: string; locator: JsonObject; attempts: number; bytes: Buffer | null }>({
    name: 'read-pending',
    text: `SELECT b.source, b.locator, b.attempts, p.bytes FROM ingest_batch b LEFT JOIN delivery_payload p ON p.batch_id = b.id
      WHERE b.id = $1 AND b.state = 'pending'`,
    values: [batchId],
  });
  const row = rows[0];
  if (!row) return null;
  return {
    id: batchId,
    source: row.source,
    locator: row.locator,
    attempts: row.attempts,
    payload: row.bytes ? await decompress(row.bytes) : null,
  };
}

/** Notes a failed attempt; after `limit` of them the batch is given up and its delivery goes back to its source. */
export async function noteFailure(pool: pg.Pool, batchId: number, failure: { message: string; limit: number }): Promise<void> {
  await pool.query(
    `UPDATE ingest_batch SET attempts = attempts + 1, failure = $2, state = CASE WHEN attempts + 1 >= $3 THEN 'failed' ELSE state END
     WHERE id = $1 AND state = 'pending'`,
    [batchId, failure.message.slice(0, 1000), failure.limit],
  );
}

/** Where batches stand; a batch that does not exist is absent. */
export async function standings(pool: pg.Pool, ids: readonly number[]): Promise<Map<number, { state: string; failure: string | null }>> {
  const { rows } = await pool.query<{ id: number; state: string; failure: string | null }>(
    'SELECT id, state, failure FROM ingest_batch WHERE id = ANY($1::int[])',
    [ids],
  );
  return new Map(rows.map((row) => [row.id, row]));
}

/** Work that Postgres knows of and that nobody has finished for a while: what the sweep puts on the queue again. */
export async function unfinished(
  pool: pg.Pool,
  options: { olderThan: number; limit: number },
): Promise<{ pending: number[]; undetected: number[] }> {
  const { rows } = await pool.query<{ id: number; state: string }>(
    `(SELECT id, state FROM ingest_batch WHERE state = 'pending' AND received_at < $1 ORDER BY id LIMIT $2)
     UNION ALL
     (SELECT id, state FROM ingest_batch WHERE state = 'stored' AND detected_at IS NULL AND stored_at < $1 ORDER BY id LIMIT $2)`,
    [new Date(options.olderThan), options.limit],
  );
  return {
    pending: rows.filter((row) => row.state === 'pending').map((row) => row.id),
    undetected: rows.filter((row) => row.state === 'stored').map((row) => row.id),
  };
}

export interface RunCounts {
  readonly deliveries: number;
  readonly records: number;
  readonly relevant: number;
  readonly new: number;
  readonly duplicates: number;
  readonly conflicts: number;
  readonly quarantined: number;
  /** Deliveries that are not stored and detected yet. */
  readonly unfinished: number;
  readonly failed: number;
  /** Epoch milliseconds; null when nothing relevant came. */
  readonly newestEvent: number | null;
}

/** What one run (a replay, a backfill) has brought. */
export async function runCounts(pool: pg.Pool, runId: string): Promise<RunCounts> {
  const { rows } = await pool.query<Record<string, string | number | null>>(
    `SELECT count(*) AS deliveries, coalesce(sum(records), 0) AS records, coalesce(sum(relevant), 0) AS relevant, coalesce(sum(inserted), 0) AS inserted,
       coalesce(sum(duplicates), 0) AS duplicates, coalesce(sum(conflicts), 0) AS conflicts, coalesce(sum(quarantined), 0) AS quarantined,
       count(*) FILTER (WHERE state = 'pending' OR (state = 'stored' AND detected_at IS NULL)) AS unfinished,
       count(*) FILTER (WHERE state = 'failed') AS failed, max(newest_event) AS newest
     FROM ingest_batch WHERE run_id = $1`,
    [runId],
  );
  const row = rows[0] ?? {};
  const number = (name: string): number => Number(row[name] ?? 0);
  return {
    deliveries: number('deliveries'),
    records: number('records'),
    relevant: number('relevant'),
    new: number('inserted') - number('conflicts'),
    duplicates: number('duplicates'),
    conflicts: number('conflicts'),
    quarantined: number('quarantined'),
    unfinished: number('unfinished'),
    failed: number('failed'),
    newestEvent: row['newest'] === null || row['newest'] === undefined ? null : number('newest'),
  };
}

export interface UndetectedBatch {
  readonly id: number;
  /** Epoch milliseconds. */
  readonly newestEvent: number | null;
  readonly storedAt: number;
  readonly touched: Touched;
}

/** Claims checked batches that wait for detection, in id order; others' claims are passed over. */
export async function takeUndetected(client: pg.ClientBase, limit: number): Promise<UndetectedBatch[]> {
  const { rows } = await client.query<{ id: number; newest_event: number | null; stored_at: number; touched: Touched }>({
    name: 'take-undetected',
    text: `SELECT id, newest_event, stored_at, touched FROM ingest_batch WHERE state = 'stored' AND detected_at IS NULL AND checked_at IS NOT NULL
      ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED`,
    values: [limit],
  });
  return rows.map((row) => ({ id: row.id, newestEvent: row.newest_event, storedAt: row.stored_at, touched: row.touched }));
}

export async function hasUndetected(pool: pg.Pool, batchId: number): Promise<boolean> {
  const { rows } = await pool.query("SELECT FROM ingest_batch WHERE id = $1 AND state = 'stored' AND detected_at IS NULL", [batchId]);
  return rows.length > 0;
}

/** Is there a delivery waiting to be stored that came after `since` (epoch milliseconds)? */
export async function hasFreshPending(pool: pg.Pool, since: number): Promise<boolean> {
  const { rows } = await pool.query({
    name: 'has-fresh-pending',
    text: "SELECT FROM ingest_batch WHERE state = 'pending' AND received_at > $1 LIMIT 1",
    values: [new Date(since)],
  });
  return rows.length > 0;
}

/** The batch is stored, but nobody has looked for conflicts yet. */
export async function unchecked(pool: pg.Pool, batchId: number): Promise<boolean> {
  const { rows } = await pool.query("SELECT FROM ingest_batch WHERE id = $1 AND state = 'stored' AND checked_at IS NULL", [batchId]);
  return rows.length > 0;
}

export async function markDetected(client: pg.ClientBase, ids: readonly number[], at: number): Promise<void> {
  await client.query({
    name: 'mark-detected',
    text: 'UPDATE ingest_batch SET detected_at = $2 WHERE id = ANY($1::int[])',
    values: [ids, new Date(at)],
  });
}
