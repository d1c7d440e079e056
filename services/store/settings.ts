/** What one database remembers about itself, by name: JSON values that processes share. */
import type pg from 'pg';
import type { Json } from '../core/json.ts';

/** The value, or null when it has never been set. */
export async function readSetting(client: pg.Pool | pg.ClientBase, name: string): Promise<Json> {
  const { rows } = await client.query<{ value: Json }>('SELECT value FROM setting WHERE name = $1', [name]);
  return rows[0]?.value ?? null;
}

export async function writeSetting(client: pg.Pool | pg.ClientBase, name: string, value: Json): Promise<void> {
  await client.query('INSERT INTO setting (name, value) VALUES ($1, $2::jsonb) ON CONFLICT (name) DO UPDATE SET value = excluded.value', [
    name,
    JSON.stringify(value),
  ]);
}

/**
 * Raises a number that only grows, such as "assessed up to this hour".
 * @returns whether this call raised it: of several processes that try the same, one
 */
export async function raiseSetting(client: pg.Pool | pg.ClientBase, name: string, value: number): Promise<boolean> {
  const { rows } = await client.query(
    `INSERT INTO setting AS s (name, value) VALUES ($1, to_jsonb($2::float8))
     ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE (s.value)::float8 < $2::float8 RETURNING name`,
    [name, value],
  );
  return rows.length > 0;
}
