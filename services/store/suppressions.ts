/**
 * Suppressions: reasoned, authored, expiring statements that findings are expected. Matching findings are kept and counted, and
 * stand as `suppressed` as long as a statement holds.
 */
import type pg from 'pg';
import { signalChanges } from './alerts-signals.ts';
import { inTransaction } from './transaction.ts';

/** All that is given must hold; null = any. At least one is given. */
export interface SuppressionScope {
  readonly detector: string | null;
  readonly keyArn: string | null;
  /** Canonical id of an actor. */
  readonly actor: string | null;
  readonly account: string | null;
  /** A tag of the key. */
  readonly tag: { readonly key: string; readonly value: string } | null;
}

export interface Suppression extends SuppressionScope {
  readonly id: number;
  readonly reason: string;
  readonly author: string;
  readonly createdAt: number;
  /** It holds until then, unless it was ended before. Epoch milliseconds. */
  readonly endsAt: number;
  readonly endedAt: number | null;
  readonly endedBy: string | null;
  /** Findings that stand as suppressed by it now. */
  readonly findings: number;
}

export interface NewSuppression extends SuppressionScope {
  readonly reason: string;
  readonly author: string;
  readonly endsAt: number;
}

/** @returns its id, and how many findings it suppressed at once */
export async function addSuppression(pool: pg.Pool, added: NewSuppression, at: number): Promise<{ id: number; findings: number }> {
  return await inTransaction(pool, async (client) => {
    const { rows } = await client.query<{ id: number }>(
      `INSERT INTO suppression (detector, key_arn, actor, account, tag_key, tag_value, reason, author, created_at, ends_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING id`,
      [
        added.detector,
        added.keyArn,
        added.actor,
        added.account,
        added.tag?.key ?? null,
        added.tag?.value ?? null,
        added.reason,
        added.author,
        new Date(at),
        new Date(added.endsAt),
      ],
    );
    const id = rows[0]?.id ?? 0;
    const changed = await applySuppressions(client, { at });
    return { id, findings: changed.filter((change) => change.suppression === id).length };
  });
}

/** Ends one before its time. @returns false when there is none such that still holds */
export async function endSuppression(pool: pg.Pool, id: number, { by, at }: { by: string; at: number }): Promise<boolean> {
  return await inTransaction(pool, async (client) => {
    const { rowCount } = await client.query(
      'UPDATE suppression SET ended_at = $2, ended_by = $3 WHERE id = $1 AND ended_at IS NULL AND ends_at > $2',
      [id, new Date(at), by],
    );
    if (rowCount === 0) return false;
    await applySuppressions(client, { at });
    return true;
  });
}

/** The latest first, at most 1,000. */
export async function listSuppressions(pool: pg.Pool, { at, all }: { at: number; all: boolean }): Promise<Suppression[]> {
  const { rows } = await pool.query<Omit<Suppression, 'tag'> & { tag_key: string | null; tag_value: string | null }>(
    `SELECT id, detector, key_arn AS "keyArn", actor, account, tag_key, tag_value, reason, author, created_at AS "createdAt", ends_at AS "endsAt",
       ended_at AS "endedAt", ended_by AS "endedBy",
       (SELECT count(*)::int FROM finding f WHERE f.suppression_id = s.id AND f.status = 'suppressed') AS findings
     FROM suppression s WHERE $2 OR (ended_at IS NULL AND ends_at > $1) ORDER BY id DESC LIMIT 1000`,
    [new Date(at), all],
  );
  return rows.map(({ tag_key: key, tag_value: value, ...row }) => ({
    ...row,
    tag: key === null || value === null ? null : { key, value },
  }));
}

export interface SuppressionChange {
  readonly findingId: string;
  readonly suppression: number | null;
}

/**
 * Makes findings stand as the suppressions of the moment say: all of them, or those given. Rows are locked in order of id, as
 * detection does.
 */
export async function applySuppressions(
  client: pg.ClientBase,
  { at, findings = null }: { at: number; findings?: readonly string[] | null },
): Promise<SuppressionChange[]> {
  const { rows } = await client.query<SuppressionChange & { status: string }>({
    name: 'apply-suppressions',
    text: `WITH active AS (SELECT * FROM suppression WHERE ended_at IS NULL AND ends_at > $1),
      standing AS (
        SELECT f.id, f.status, f.suppression_id, (
          SELECT s.id FROM active s WHERE (s.detector IS NULL OR s.detector = f.detector) AND (s.key_arn IS NULL OR s.key_arn = f.key_arn)
            AND (s.actor IS NULL OR s.actor = f.actor) AND (s.account IS NULL OR s.account = f.account)
            AND (s.tag_key IS NULL OR EXISTS (
              SELECT FROM kms_key k WHERE k.arn = f.key_arn AND k.facts -> 'tags' -> s.tag_key ->> 'value' = s.tag_value))
          ORDER BY s.id LIMIT 1) AS by
        FROM finding f WHERE f.status <> 'resolved' AND ($2::text[] IS NULL OR f.id = ANY($2))
          AND (f.status = 'suppressed' OR EXISTS (SELECT FROM active))),
      changing AS (
        SELECT f.id, s.by FROM finding f JOIN standing s ON s.id = f.id
        WHERE CASE WHEN s.by IS NULL THEN s.status = 'suppressed' ELSE s.status <> 'suppressed' OR s.suppression_id IS DISTINCT FROM s.by END
        ORDER BY f.id FOR UPDATE OF f)
      UPDATE finding f SET status = CASE WHEN c.by IS NULL THEN 'open' ELSE 'suppressed' END, suppression_id = c.by FROM changing c
      WHERE f.id = c.id AND f.status <> 'resolved' RETURNING f.id AS "findingId", f.suppression_id AS suppression, f.status`,
    values: [new Date(at), findings],
  });
  if (rows.length === 0) return [];
  await client.query(
    `INSERT INTO finding_history (finding_id, at, change, by, detail)
     SELECT f, $1, CASE WHEN s IS NULL THEN 'unsuppressed' ELSE 'suppressed' END, coalesce((SELECT author FROM suppression WHERE id = s), 'expiry'),
       jsonb_build_object('suppression', s, 'reason', (SELECT reason FROM suppression WHERE id = s))
     FROM unnest($2::text[], $3::int[]) AS i(f, s)`,
    [new Date(at), rows.map((row) => row.findingId), rows.map((row) => row.suppression)],
  );
  await signalChanges(client, {
    changes: rows.map(({ findingId, status }) => ({ findingId, change: status === 'suppressed' ? 'suppressed' : 'unsuppressed' })),
    committedAt: at,
  });
  return rows.map(({ findingId, suppression }) => ({ findingId, suppression }));
}

/** The same for all findings, where time alone has ended suppressions. */
export async function expireSuppressions(pool: pg.Pool, at: number): Promise<number> {
  return await inTransaction(pool, async (client) => (await applySuppressions(client, { at })).length);
}
