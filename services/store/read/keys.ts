/** Keys for showing: what is known of them, when they were last used, and by whom. */
import type pg from 'pg';
import type { KeyFacts } from '../../core/key.ts';

export interface KeyListed {
  readonly id: number;
  readonly arn: string;
  readonly account: string;
  readonly region: string;
  readonly facts: KeyFacts;
  readonly state: string | null;
  readonly rotationStanding: string | null;
  readonly protectsLogs: boolean;
  /** Alias names that point to it now, sorted. */
  readonly aliases: readonly string[];
  /** Latest successful cryptographic call, epoch milliseconds; null when none was seen. */
  readonly lastUsedAt: number | null;
}

const COMPLETED = `SELECT p.id, p.arn, p.account, p.region, p.facts, p.state, p.rotation_standing AS "rotationStanding", p.protects_logs AS "protectsLogs",
    ARRAY(SELECT n.name FROM key_alias l JOIN kms_key n ON n.id = l.alias_id WHERE l.target_key_id = p.id ORDER BY n.name) AS aliases, u.last_used AS "lastUsedAt"
  FROM page p LEFT JOIN (
    SELECT key_id, max(last_at) AS last_used FROM key_use WHERE key_id IN (SELECT id FROM page) AND operation_class = 0 AND outcome = 0 GROUP BY key_id
  ) u ON u.key_id = p.id ORDER BY p.arn COLLATE "C"`;

/** KMS keys (not aliases) in order of their ARNs, after `after`. */
export async function readKeyPage(pool: pg.Pool, after: string, limit: number): Promise<KeyListed[]> {
  const { rows } = await pool.query<KeyListed>(
    `WITH page AS MATERIALIZED (SELECT * FROM kms_key WHERE kind = 'key' AND arn COLLATE "C" > $1 ORDER BY arn COLLATE "C" LIMIT $2) ${COMPLETED}`,
    [after, limit],
  );
  return rows;
}

export async function readKeysById(pool: pg.Pool, ids: readonly number[]): Promise<KeyListed[]> {
  const { rows } = await pool.query<KeyListed>(
    `WITH page AS MATERIALIZED (SELECT * FROM kms_key WHERE kind = 'key' AND id = ANY($1::int[])) ${COMPLETED}`,
    [ids],
  );
  return rows;
}

export interface KeyFound {
  /** Null: the alias is known, but not what it points to. */
  readonly id: number | null;
  readonly arn: string | null;
  /** ARN of the alias by which it was found. */
  readonly alias: string | null;
}

/**
 * Keys by what people call them: ARN, key id, alias ARN, alias name with or without its prefix. Several when accounts or
 * Regions share the name; at most `limit`.
 */
export async function findKeys(pool: pg.Pool, named: string, limit: number): Promise<KeyFound[]> {
  const { rows } = await pool.query<KeyFound>(
    `SELECT DISTINCT CASE WHEN k.kind = 'key' THEN k.id ELSE t.id END AS id, CASE WHEN k.kind = 'key' THEN k.arn ELSE t.arn END AS arn,
       CASE WHEN k.kind = 'alias' THEN k.arn END AS alias
     FROM kms_key k LEFT JOIN key_alias l ON l.alias_id = k.id LEFT JOIN kms_key t ON t.id = l.target_key_id
     WHERE k.arn = $1 OR k.name = $1 OR k.name = 'alias/' || $1 ORDER BY 2, 3 LIMIT $2`,
    [named, limit],
  );
  return rows;
}

export interface KeyUser {
  readonly principal: string;
  readonly type: string;
  readonly name: string;
  /** Successful cryptographic calls. */
  readonly uses: number;
  /** Successful calls of any other kind. */
  readonly others: number;
  readonly denied: number;
  /** Failed for another reason. */
  readonly failed: number;
  readonly firstAt: number;
  readonly lastAt: number;
}

/** Who called the key, through aliases too, the latest first; at most `limit`. */
export async function usersOfKey(pool: pg.Pool, keyId: number, limit: number): Promise<KeyUser[]> {
  const { rows } = await pool.query<KeyUser>(
    `SELECT a.principal, a.type, a.name,
       coalesce(sum(u.count) FILTER (WHERE u.outcome = 0 AND u.operation_class = 0), 0)::float8 AS uses,
       coalesce(sum(u.count) FILTER (WHERE u.outcome = 0 AND u.operation_class <> 0), 0)::float8 AS others,
       coalesce(sum(u.count) FILTER (WHERE u.outcome = 1), 0)::float8 AS denied,
       coalesce(sum(u.count) FILTER (WHERE u.outcome > 1), 0)::float8 AS failed,
       min(u.first_at) AS "firstAt", max(u.last_at) AS "lastAt"
     FROM key_use u JOIN actor a ON a.id = u.actor_id WHERE u.key_id = $1
     GROUP BY a.principal, a.type, a.name ORDER BY max(u.last_at) DESC, a.principal LIMIT $2`,
    [keyId, limit],
  );
  return rows;
}

export async function countKeys(pool: pg.Pool): Promise<number> {
  const { rows } = await pool.query<{ count: number }>("SELECT count(*) AS count FROM kms_key WHERE kind = 'key'");
  return rows[0]?.count ?? 0;
}
