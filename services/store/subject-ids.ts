import type pg from 'pg';
import { TERM } from './terms.ts';

const OF = {
  key: "SELECT id FROM kms_key WHERE kind = 'key' AND id > $1 ORDER BY id LIMIT $2",
  alias: "SELECT id FROM kms_key WHERE kind = 'alias' AND id > $1 ORDER BY id LIMIT $2",
  account: `SELECT id FROM term WHERE kind = ${TERM.account} AND id > $1 ORDER BY id LIMIT $2`,
  actor: 'SELECT id FROM actor WHERE id > $1 ORDER BY id LIMIT $2',
} as const;

/** Ids of all subjects of a kind, ascending, a page at a time. */
export async function subjectIds(
  pool: pg.Pool,
  kind: keyof typeof OF,
  { after, limit }: { readonly after: number; readonly limit: number },
): Promise<number[]> {
  const { rows } = await pool.query<{ id: number }>(OF[kind], [after, limit]);
  return rows.map(({ id }) => id);
}
