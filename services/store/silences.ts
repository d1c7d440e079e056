/** Silences as people state them. They are never deleted: who kept quiet about what is a question of audits. */
import type pg from 'pg';
import { storableJson, storableText } from './array.ts';
import { wakeGroups } from './alerts-due.ts';

export interface StoredMatcher {
  readonly name: string;
  readonly operator: '=' | '!=' | '=~' | '!~';
  readonly value: string;
}

/** Times are epoch milliseconds. */
export interface StoredSilence {
  readonly id: number;
  readonly matchers: readonly StoredMatcher[];
  readonly author: string;
  readonly comment: string;
  readonly createdAt: number;
  readonly startsAt: number;
  readonly endsAt: number;
}

const COLUMNS = 'id, matchers, author, comment, created_at AS "createdAt", starts_at AS "startsAt", ends_at AS "endsAt"';

export async function addSilence(client: pg.Pool | pg.ClientBase, silence: Omit<StoredSilence, 'id'>): Promise<StoredSilence> {
  const { rows } = await client.query<StoredSilence>(
    `INSERT INTO silence (matchers, author, comment, created_at, starts_at, ends_at) VALUES ($1::jsonb, $2, $3, $4, $5, $6) RETURNING ${COLUMNS}`,
    [
      storableJson(silence.matchers),
      storableText(silence.author),
      storableText(silence.comment),
      new Date(silence.createdAt),
      new Date(silence.startsAt),
      new Date(silence.endsAt),
    ],
  );
  const [added] = rows;
  if (!added) throw new Error('the silence was not stored');
  return added;
}

/** Those that have not ended, or all, the latest first. */
export async function listSilences(
  client: pg.Pool | pg.ClientBase,
  { now, all = false, limit = 1_000 }: { readonly now: number; readonly all?: boolean; readonly limit?: number },
): Promise<StoredSilence[]> {
  const { rows } = await client.query<StoredSilence>(`SELECT ${COLUMNS} FROM silence WHERE $1 OR ends_at > $2 ORDER BY id DESC LIMIT $3`, [
    all,
    new Date(now),
    limit,
  ]);
  return rows;
}

/** Ends a silence now; what it kept quiet is told at once. @returns null when there is none that has not ended */
export async function expireSilence(client: pg.Pool | pg.ClientBase, id: number, now: number): Promise<StoredSilence | null> {
  const { rows } = await client.query<StoredSilence>(
    `UPDATE silence SET ends_at = $2, starts_at = least(starts_at, $2) WHERE id = $1 AND ends_at > $2 RETURNING ${COLUMNS}`,
    [id, new Date(now)],
  );
  if (rows[0]) await wakeGroups(client, now);
  return rows[0] ?? null;
}
