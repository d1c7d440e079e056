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

type Kept = Omit<Token, 'lastUsedAt'> & { readonly hash: Buffer; lastUsedAt: number | null };

/** What is known of a token is asked anew after this time: that long a revoked one may still be taken. */
const KEPT_MS = 1_000;
const MOST_KEPT = 1_000;

/** @returns null for what is no token that holds at the moment, epoch milliseconds */
export type HolderOf = (presented: string, at: number) => Promise<Token | null>;

/** Knows tokens by their id for a second; the secret is compared each time, in constant time, and the end of a token holds at once. */
export function createHolderOf(pool: pg.Pool): HolderOf {
  const kept = new Map<string, { readonly found: Promise<Kept | undefined>; readonly since: number }>();

  async function find(id: string, at: number): Promise<Kept | undefined> {
    const known = kept.get(id);
    if (known && Math.abs(at - known.since) < KEPT_MS) return await known.found;
    if (kept.size >= MOST_KEPT) kept.clear();
    const entry = { found: read(pool, id), since: at };
    kept.set(id, entry);
    const forget = (): void => void (kept.get(id) === entry && kept.delete(id));
    try {
      const found = await entry.found;
      // Ids that there are none of are nothing to remember.
      if (!found) forget();
      return found;
    } catch (error) {
      forget();
      throw error;
    }
  }

  return async (presented, at) => {
    const [, id, secret] = TOKEN.exec(presented) ?? [];
    if (id === undefined || secret === undefined) return null;
    const found = await find(id, at);
    // The comparison is made for unknown ids as well, so that their existence cannot be told from the time it takes.
    const same = timingSafeEqual(found?.hash ?? Buffer.alloc(32), hashOf(secret));
    if (!found || !same || found.revokedAt !== null || (found.expiresAt !== null && found.expiresAt <= at)) return null;
    if (found.lastUsedAt === null || at - found.lastUsedAt >= USE_GRAIN_MS) {
      found.lastUsedAt = at;
      await pool.query('UPDATE api_token SET last_used_at = $2 WHERE id = $1', [id, new Date(at)]);
    }
    const { hash: _hash, ...token } = found;
    return token;
  };
}

async function read(pool: pg.Pool, id: string): Promise<Kept | undefined> {
  const { rows } = await pool.query<Kept>({
    name: 'token-by-id',
    text: `SELECT ${COLUMNS}, secret_sha256 AS hash FROM api_token WHERE id = $1`,
    values: [id],
  });
  return rows[0];
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
