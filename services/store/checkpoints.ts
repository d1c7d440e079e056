/** How far pull sources have safely got. Moved with events it is part of the ingest transaction (see ingest.ts); this is for when there are none. */
import type pg from 'pg';
import type { Json } from '../core/json.ts';

/** The value, or null when there is none yet. */
export async function readCheckpoint(pool: pg.Pool, name: string): Promise<Json> {
  const { rows } = await pool.query<{ value: Json }>('SELECT value FROM checkpoint WHERE name = $1', [name]);
  return rows[0]?.value ?? null;
}

export async function writeCheckpoint(
  pool: pg.Pool,
  name: string,
  { value, at }: { readonly value: Json; readonly at: number },
): Promise<void> {
  await pool.query(
    `INSERT INTO checkpoint (name, value, updated_at) VALUES ($1, $2::jsonb, $3)
     ON CONFLICT (name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at`,
    [name, JSON.stringify(value), new Date(at)],
  );
}
