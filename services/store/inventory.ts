/** The latest answers of KMS about each key. Written in the transaction that derives what follows from them. */
import type pg from 'pg';
import type { InventoryCall, InventoryFacts, KeyReading, LastUsage, UnreadReason } from '../core/inventory.ts';
import { jsonArray, plainArray, textArray } from './array.ts';

export interface InventoryKey {
  readonly keyId: number;
  readonly runId: number;
  /** When the reading of the key began, epoch milliseconds. */
  readonly asOf: number;
  readonly reading: KeyReading;
  /** Why it is unreadable, or why the first call was refused that is not answered. */
  readonly reason: UnreadReason | null;
  readonly unread: Readonly<Partial<Record<InventoryCall, UnreadReason>>>;
  readonly facts: InventoryFacts;
  readonly lastUsage: LastUsage | null;
}

/** Rows of the keys that were ever read, by key id. */
export async function inventoryOf(client: pg.ClientBase | pg.Pool, keyIds: readonly number[]): Promise<Map<number, InventoryKey>> {
  const { rows } = await client.query<InventoryKey>({
    name: 'inventory-of-keys',
    text: `SELECT key_id AS "keyId", run_id AS "runId", as_of AS "asOf", reading, reason, unread, facts, last_usage AS "lastUsage"
      FROM inventory_key WHERE key_id = ANY($1::int[])`,
    values: [keyIds],
  });
  return new Map(rows.map((row) => [row.keyId, row]));
}

export async function saveInventory(client: pg.ClientBase, keys: readonly InventoryKey[]): Promise<void> {
  if (keys.length === 0) return;
  await client.query(
    `INSERT INTO inventory_key (key_id, run_id, as_of, reading, reason, unread, facts, last_usage)
     SELECT k, run, to_timestamp(at / 1000.0), reading, reason, unread, facts, usage
     FROM unnest($1::int[], $2::int[], $3::float8[], $4::text[], $5::text[], $6::jsonb[], $7::jsonb[], $8::jsonb[])
       AS i(k, run, at, reading, reason, unread, facts, usage) ORDER BY k
     ON CONFLICT (key_id) DO UPDATE SET run_id = excluded.run_id, as_of = excluded.as_of, reading = excluded.reading, reason = excluded.reason,
       unread = excluded.unread, facts = excluded.facts, last_usage = coalesce(excluded.last_usage, inventory_key.last_usage)`,
    [
      plainArray(keys.map((key) => key.keyId)),
      plainArray(keys.map((key) => key.runId)),
      plainArray(keys.map((key) => key.asOf)),
      textArray(keys.map((key) => key.reading)),
      textArray(keys.map((key) => key.reason)),
      jsonArray(keys.map((key) => key.unread)),
      jsonArray(keys.map((key) => key.facts)),
      jsonArray(keys.map((key) => key.lastUsage)),
    ],
  );
}
