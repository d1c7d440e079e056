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

/** Values by name, of those that are there. */
export async function readCheckpoints(pool: pg.Pool, names: readonly string[]): Promise<Map<string, Json>> {
  const { rows } = await pool.query<{ name: string; value: Json }>('SELECT name, value FROM checkpoint WHERE name = ANY($1::text[])', [
    names,
  ]);
  return new Map(rows.map(({ name, value }) => [name, value]));
}

export interface CheckpointRow {
  readonly name: string;
  readonly value: Json;
  /** Epoch milliseconds. */
  readonly updatedAt: number;
}

/** Those whose name begins so, which moved since `since`; in order of their names. */
export async function checkpointsOf(pool: pg.Pool, prefix: string, since: number): Promise<CheckpointRow[]> {
  const { rows } = await pool.query<CheckpointRow>(
    'SELECT name, value, updated_at AS "updatedAt" FROM checkpoint WHERE starts_with(name, $1) AND updated_at >= $2 ORDER BY name COLLATE "C"',
    [prefix, new Date(since)],
  );
  return rows;
}
