/**
 * API tokens: `kmsw_ID_SECRET`. Of the secret, 32 random bytes, only the SHA-256 is stored: it has too much entropy to be guessed
 * from its hash, so a slow hash would add nothing.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type pg from 'pg';
import type { Scope } from '../core/scope.ts';

const TOKEN = /^kmsw_([a-z0-9]{12})_([A-Za-z0-9_-]{43})$/;
/** `last_used_at` is for people: to the minute is enough. */
const USE_GRAIN_MS = 60_000;

export interface Token {
  readonly id: string;
  readonly name: string;
  readonly scope: Scope;
  readonly createdAt: number;
  readonly createdBy: string;
  /** Null = never. */
  readonly expiresAt: number | null;
  readonly revokedAt: number | null;
  readonly lastUsedAt: number | null;
}

const COLUMNS =
  'id, name, scope, created_at AS "createdAt", created_by AS "createdBy", expires_at AS "expiresAt", revoked_at AS "revokedAt", last_used_at AS "lastUsedAt"';

export interface NewToken {
  readonly name: string;
  readonly scope: Scope;
  readonly createdBy: string;
  readonly createdAt: number;
  readonly expiresAt: number | null;
  /** So many random bytes, fit for secrets. */
  readonly random: (bytes: number) => Buffer;
}

/** @returns the token as its holder needs it; it cannot be shown again */
export async function createToken(pool: pg.Pool, added: NewToken): Promise<{ token: string; id: string }> {
  const id = added.random(6).toString('hex');
  const secret = added.random(32).toString('base64url');
  await pool.query(
    'INSERT INTO api_token (id, name, scope, secret_sha256, created_at, created_by, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)',
    [
      id,
      added.name,
      added.scope,
      hashOf(secret),
      new Date(added.createdAt),
      added.createdBy,
      added.expiresAt === null ? null : new Date(added.expiresAt),
    ],
  );
  return { token: `kmsw_${id}_${secret}`, id };
}

/** @returns null for what is no token that holds at the moment */
export async function holderOf(pool: pg.Pool, presented: string, at: number): Promise<Token | null> {
  const [, id, secret] = TOKEN.exec(presented) ?? [];
  if (id === undefined || secret === undefined) return null;
  const { rows } = await pool.query<Token & { hash: Buffer }>({
    name: 'token-by-id',
    text: `SELECT ${COLUMNS}, secret_sha256 AS hash FROM api_token WHERE id = $1`,
    values: [id],
  });
  const [found] = rows;
  // The comparison is made for unknown ids as well, so that their existence cannot be told from the time it takes.
  const same = timingSafeEqual(found?.hash ?? Buffer.alloc(32), hashOf(secret));
  if (!found || !same || found.revokedAt !== null || (found.expiresAt !== null && found.expiresAt <= at)) return null;
  if (found.lastUsedAt === null || at - found.lastUsedAt >= USE_GRAIN_MS)
    await pool.query('UPDATE api_token SET last_used_at = $2 WHERE id = $1', [id, new Date(at)]);
  const { hash: _hash, ...token } = found;
  return token;
}

/** @returns false when there is none such that holds */
export async function revokeToken(pool: pg.Pool, id: string, at: number): Promise<boolean> {
  const { rowCount } = await pool.query('UPDATE api_token SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL', [id, new Date(at)]);
  return (rowCount ?? 0) > 0;
}

/** The latest first, at most 1,000. */
export async function listTokens(pool: pg.Pool): Promise<Token[]> {
  const { rows } = await pool.query<Token>(`SELECT ${COLUMNS} FROM api_token ORDER BY created_at DESC, id LIMIT 1000`);
  return rows;
}

function hashOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}
