/** What was read from KMS, for showing and for metrics. */
import type pg from 'pg';
import type { DriftFact, DriftSide, InventoryCall, KeyReading, LastUsage, UnreadReason } from '../../core/inventory.ts';

export interface KeyInventory {
  readonly keyId: number;
  readonly runId: number;
  /** Epoch milliseconds. */
  readonly asOf: number;
  readonly reading: KeyReading;
  readonly reason: UnreadReason | null;
  readonly unread: Readonly<Partial<Record<InventoryCall, UnreadReason>>>;
  readonly lastUsage: LastUsage | null;
}

export interface DriftListed {
  readonly keyId: number;
  readonly fact: DriftFact;
  readonly eventsSay: DriftSide;
  readonly inventorySays: DriftSide;
  /** Epoch milliseconds. */
  readonly firstSeen: number;
}

/** By key id; keys that were never read are not among them. */
export async function readKeyInventory(pool: pg.Pool, keyIds: readonly number[]): Promise<Map<number, KeyInventory>> {
  const { rows } = await pool.query<KeyInventory>(
    `SELECT key_id AS "keyId", run_id AS "runId", as_of AS "asOf", reading, reason, unread, last_usage AS "lastUsage"
     FROM inventory_key WHERE key_id = ANY($1::int[])`,
    [keyIds],
  );
  return new Map(rows.map((row) => [row.keyId, row]));
}

/** Differences that late events can no longer explain, by key id. @param now epoch milliseconds */
export async function readDrift(pool: pg.Pool, keyIds: readonly number[], now: number): Promise<Map<number, DriftListed[]>> {
  const { rows } = await pool.query<DriftListed>(
    `SELECT key_id AS "keyId", fact, events_say AS "eventsSay", inventory_says AS "inventorySays", first_seen AS "firstSeen"
     FROM inventory_drift WHERE key_id = ANY($1::int[]) AND resolved_at IS NULL AND due_at <= $2 ORDER BY key_id, fact`,
    [keyIds, new Date(now)],
  );
  return Map.groupBy(rows, (row) => row.keyId);
}

export interface RunSummary {
  readonly id: number;
  readonly account: string;
  readonly region: string;
  readonly startedAt: number;
  readonly finishedAt: number | null;
  readonly attempts: number;
  readonly failure: string | null;
  readonly readings: Readonly<Partial<Record<KeyReading, number>>>;
  /** Keys that are unreadable, or partly so, by reason. */
  readonly unread: Readonly<Partial<Record<UnreadReason, number>>>;
  /** Differences of the keys that were read in it, by fact; `pending`: late events may still explain them. */
  readonly drift: Readonly<Partial<Record<DriftFact, { readonly due: number; readonly pending: number }>>>;
}

/** @param now epoch milliseconds */
export async function readRun(pool: pg.Pool, id: number, now: number): Promise<RunSummary | null> {
  const { rows } = await pool.query<RunSummary>(
    `SELECT r.id, r.account, r.region, r.started_at AS "startedAt", r.finished_at AS "finishedAt", r.attempts, r.failure,
       (SELECT coalesce(jsonb_object_agg(reading, n), '{}') FROM (SELECT reading, count(*) AS n FROM inventory_key WHERE run_id = r.id GROUP BY 1) s) AS readings,
       (SELECT coalesce(jsonb_object_agg(reason, n), '{}') FROM (SELECT reason, count(*) AS n FROM inventory_key WHERE run_id = r.id AND reason IS NOT NULL GROUP BY 1) s)
         AS unread,
       (SELECT coalesce(jsonb_object_agg(fact, jsonb_build_object('due', due, 'pending', pending)), '{}') FROM (
         SELECT d.fact, count(*) FILTER (WHERE d.due_at <= $2) AS due, count(*) FILTER (WHERE d.due_at > $2) AS pending
         FROM inventory_drift d JOIN inventory_key k ON k.key_id = d.key_id WHERE k.run_id = r.id AND d.resolved_at IS NULL GROUP BY 1) s) AS drift
     FROM inventory_run r WHERE r.id = $1`,
    [id, new Date(now)],
  );
  return rows[0] ?? null;
}

export interface InventoryTotals {
  readonly finished: number;
  readonly failed: number;
  readonly resumed: number;
  readonly unread: readonly { readonly reading: KeyReading; readonly reason: UnreadReason; readonly count: number }[];
  readonly drift: readonly { readonly fact: DriftFact; readonly count: number }[];
}

/** @param now epoch milliseconds */
export async function inventoryTotals(pool: pg.Pool, now: number): Promise<InventoryTotals> {
  const runs = await pool.query<Pick<InventoryTotals, 'finished' | 'failed' | 'resumed'>>(
    `SELECT count(finished_at)::float8 AS finished, coalesce(sum(failures), 0)::float8 AS failed, coalesce(sum(attempts - 1), 0)::float8 AS resumed FROM inventory_run`,
  );
  const unread = await pool.query<InventoryTotals['unread'][number]>(
    `SELECT reading, reason, count(*)::float8 AS count FROM inventory_key WHERE reason IS NOT NULL AND reading <> 'gone' GROUP BY 1, 2`,
  );
  const drift = await pool.query<InventoryTotals['drift'][number]>(
    'SELECT fact, count(*)::float8 AS count FROM inventory_drift WHERE resolved_at IS NULL AND due_at <= $1 GROUP BY 1',
    [new Date(now)],
  );
  const [counts = { finished: 0, failed: 0, resumed: 0 }] = runs.rows;
  return { ...counts, unread: unread.rows, drift: drift.rows };
}
