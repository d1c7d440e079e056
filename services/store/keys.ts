/** Rows of `kms_key`: names, and the projection of what is known of a key. */
import type pg from 'pg';
import type { KeyFacts } from '../core/key.ts';
import { jsonArray, plainArray, textArray } from './array.ts';

export interface KeyRow {
  readonly id: number;
  readonly arn: string;
  readonly kind: 'key' | 'alias';
  readonly account: string;
  readonly region: string;
  readonly name: string;
  readonly facts: KeyFacts;
  readonly protectsLogs: boolean;
}

export async function readKeys(client: pg.ClientBase, ids: readonly number[]): Promise<KeyRow[]> {
  const { rows } = await client.query<KeyRow>(
    'SELECT id, arn, kind, account, region, name, facts, protects_logs AS "protectsLogs" FROM kms_key WHERE id = ANY($1::int[]) ORDER BY id',
    [ids],
  );
  return rows;
}

/** Of these keys, the ones whose findings depend on when they were used. */
export async function whereUseMatters(client: pg.ClientBase, ids: readonly number[]): Promise<number[]> {
  if (ids.length === 0) return [];
  const { rows } = await client.query<{ id: number }>({
    name: 'where-use-matters',
    text: 'SELECT id FROM kms_key WHERE id = ANY($1::int[]) AND use_matters',
    values: [ids],
  });
  return rows.map((row) => row.id);
}

export interface KeyProjection {
  readonly id: number;
  readonly facts: KeyFacts;
  readonly state: string | null;
  readonly rotationStanding: string | null;
  readonly useMatters: boolean;
}

export async function saveProjections(client: pg.ClientBase, keys: readonly KeyProjection[]): Promise<void> {
  if (keys.length === 0) return;
  const rows = keys.toSorted((a, b) => a.id - b.id);
  // Locked in id order, as `ingest` does, so that the two never wait for each other in a circle.
  await client.query(
    `WITH locked AS (SELECT id FROM kms_key WHERE id = ANY($1::int[]) ORDER BY id FOR NO KEY UPDATE)
     UPDATE kms_key k SET facts = i.facts, state = i.state, rotation_standing = i.standing, use_matters = k.use_matters OR i.matters
     FROM unnest($1::int[], $2::jsonb[], $3::text[], $4::text[], $5::boolean[]) AS i(id, facts, state, standing, matters) JOIN locked USING (id)
     WHERE k.id = i.id`,
    [
      plainArray(rows.map((row) => row.id)),
      jsonArray(rows.map((row) => row.facts)),
      textArray(rows.map((row) => row.state)),
      textArray(rows.map((row) => row.rotationStanding)),
      rows.map((row) => row.useMatters),
    ],
  );
}

/** Keys that an assessment must look at, in id order after `after`: all, since habits alone can make findings. */
export async function keysToAssess(client: pg.ClientBase | pg.Pool, after: number, limit: number): Promise<number[]> {
  const { rows } = await client.query<{ id: number }>("SELECT id FROM kms_key WHERE kind = 'key' AND id > $1 ORDER BY id LIMIT $2", [
    after,
    limit,
  ]);
  return rows.map((row) => row.id);
}

/** Ids of keys by ARN. */
export async function readKeyIds(client: pg.ClientBase, arns: readonly string[]): Promise<Map<string, number>> {
  if (arns.length === 0) return new Map();
  const { rows } = await client.query<{ id: number; arn: string }>('SELECT id, arn FROM kms_key WHERE arn = ANY($1::text[])', [arns]);
  return new Map(rows.map((row) => [row.arn, row.id]));
}
