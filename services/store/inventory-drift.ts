/** Differences between inventory and events. One that is gone before late events could have come was none, and leaves no row. */
import type pg from 'pg';
import type { Drift } from '../core/inventory.ts';
import { jsonArray, plainArray, textArray } from './array.ts';
import { TERM } from './terms.ts';

export interface KeyDrift {
  readonly keyId: number;
  readonly runId: number;
  /** Moment of the answers. */
  readonly asOf: number;
  /** Until then a late event may explain it. */
  readonly dueAt: number;
  readonly drift: Drift;
}

/** @param compared keys whose differences these are, all of them */
export async function saveDrift(
  client: pg.ClientBase,
  compared: readonly number[],
  { drifts, now }: { readonly drifts: readonly KeyDrift[]; readonly now: number },
): Promise<void> {
  if (compared.length === 0) return;
  const rows = drifts.toSorted((a, b) => a.keyId - b.keyId || (a.drift.fact < b.drift.fact ? -1 : 1));
  const current = [plainArray(rows.map((row) => row.keyId)), textArray(rows.map(({ drift }) => drift.fact))];
  const open = `d.resolved_at IS NULL AND d.key_id = ANY($1::int[])
    AND NOT EXISTS (SELECT FROM unnest($2::int[], $3::text[]) AS i(k, f) WHERE i.k = d.key_id AND i.f = d.fact)`;
  await client.query(`DELETE FROM inventory_drift d WHERE ${open} AND d.due_at > $4`, [compared, ...current, new Date(now)]);
  await client.query(`UPDATE inventory_drift d SET resolved_at = $4 WHERE ${open}`, [compared, ...current, new Date(now)]);
  if (rows.length === 0) return;
  await client.query(
    `INSERT INTO inventory_drift (key_id, fact, run_id, events_say, inventory_says, first_seen, due_at)
     SELECT k, f, r, e, i, to_timestamp(at / 1000.0), to_timestamp(due / 1000.0)
     FROM unnest($1::int[], $2::text[], $3::int[], $4::jsonb[], $5::jsonb[], $6::float8[], $7::float8[]) AS d(k, f, r, e, i, at, due)
     ON CONFLICT (key_id, fact) WHERE resolved_at IS NULL
       DO UPDATE SET run_id = excluded.run_id, events_say = excluded.events_say, inventory_says = excluded.inventory_says`,
    [
      ...current,
      plainArray(rows.map((row) => row.runId)),
      jsonArray(rows.map(({ drift }) => drift.events)),
      jsonArray(rows.map(({ drift }) => drift.inventory)),
      plainArray(rows.map((row) => row.asOf)),
      plainArray(rows.map((row) => row.dueAt)),
    ],
  );
}

/** Keys with a difference that is not resolved, in id order after `after`. */
export async function keysAdrift(pool: pg.Pool, after: number, limit: number): Promise<number[]> {
  const { rows } = await pool.query<{ id: number }>(
    'SELECT DISTINCT key_id AS id FROM inventory_drift WHERE resolved_at IS NULL AND key_id > $1 ORDER BY 1 LIMIT $2',
    [after, limit],
  );
  return rows.map((row) => row.id);
}

/** Time of the first event about a key of the account and Region, epoch milliseconds; null = there is none. */
export async function watchedSince(
  client: pg.ClientBase,
  { account, region }: { readonly account: string; readonly region: string },
): Promise<number | null> {
  const { rows } = await client.query<{ at: number | null }>(
    `SELECT min(u.first_at) AS at FROM key_actor u
     WHERE u.account_id = (SELECT id FROM term WHERE kind = ${TERM.account} AND value = $1) AND u.region_id = (SELECT id FROM term WHERE kind = ${TERM.region} AND value = $2)`,
    [account, region],
  );
  return rows[0]?.at ?? null;
}
