/** What people and programs changed: added to, never changed. */
import type pg from 'pg';
import type { JsonObject } from '../core/json.ts';
import { storableJson } from './array.ts';

export interface AuditEntry {
  readonly id: number;
  readonly at: number;
  readonly principal: string;
  readonly scope: string;
  /** As in `finding.acknowledge`. */
  readonly action: string;
  readonly target: string | null;
  readonly detail: JsonObject;
}

export async function recordAudit(client: pg.Pool | pg.ClientBase, { at, ...entry }: Omit<AuditEntry, 'id'>): Promise<void> {
  await client.query('INSERT INTO audit_log (at, principal, scope, action, target, detail) VALUES ($1, $2, $3, $4, $5, $6::jsonb)', [
    new Date(at),
    entry.principal,
    entry.scope,
    entry.action,
    entry.target,
    storableJson(entry.detail),
  ]);
}

/** The latest first, before the id given. */
export async function readAudit(
  pool: pg.Pool,
  { before, limit }: { readonly before: number | null; readonly limit: number },
): Promise<AuditEntry[]> {
  const { rows } = await pool.query<AuditEntry>(
    'SELECT id, at, principal, scope, action, target, detail FROM audit_log WHERE $1::bigint IS NULL OR id < $1 ORDER BY id DESC LIMIT $2',
    [before, limit],
  );
  return rows;
}
