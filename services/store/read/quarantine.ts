import type pg from 'pg';
import type { JsonObject } from '../../core/json.ts';

/** A quarantined input with its kept bytes, for trying again. */
export interface KeptInput {
  readonly id: number;
  readonly source: string;
  readonly locator: JsonObject;
  readonly ordinal: number | null;
  readonly offset: number | null;
  readonly reason: string;
  readonly complete: boolean;
  readonly bytes: Buffer;
  /** How often it was put aside. */
  readonly seen: number;
}

/** Inputs that wait in quarantine, in order of their ids after `after`; `ids` null = all. Each holds up to 1 MiB. */
export async function readKept(
  pool: pg.Pool,
  options: { readonly ids: readonly number[] | null; readonly after: number; readonly limit: number },
): Promise<KeptInput[]> {
  const { rows } = await pool.query<KeptInput>(
    `SELECT id, source, locator, ordinal, byte_offset AS "offset", reason, complete, bytes, seen FROM quarantine
     WHERE released_at IS NULL AND id > $1 AND ($2::int[] IS NULL OR id = ANY($2)) ORDER BY id LIMIT $3`,
    [options.after, options.ids, options.limit],
  );
  return rows;
}

/** How often these were put aside by now. */
export async function readSeen(pool: pg.Pool, ids: readonly number[]): Promise<Map<number, number>> {
  const { rows } = await pool.query<{ id: number; seen: number }>('SELECT id, seen FROM quarantine WHERE id = ANY($1::int[])', [ids]);
  return new Map(rows.map((row) => [row.id, row.seen]));
}
