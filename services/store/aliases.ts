/** Aliases: where they point now, and whose the calls were that named only an alias. */
import type pg from 'pg';
import { plainArray, textArray } from './array.ts';
import { CONTROL, FLAGS } from './events.ts';
import { TERM } from './terms.ts';

/** Events that named only the alias, `e`, within spans of it, `s`; takes the parameters of `spanColumns`. */
export const SPANS = `unnest($1::int[], $2::int[], $3::float8[], $4::float8[]) AS s(alias_id, key_id, since, until)
  JOIN event_call e ON e.key_id = s.alias_id AND e.event_time >= to_timestamp(s.since / 1000.0) AND e.event_time < to_timestamp(s.until / 1000.0)`;

export function spanColumns(spans: readonly AliasSpan[]): string[] {
  return [
    plainArray(spans.map((span) => span.aliasId)),
    plainArray(spans.map((span) => span.keyId)),
    plainArray(spans.map((span) => span.from)),
    plainArray(spans.map((span) => span.to)),
  ];
}

/** From `from` (inclusive) to `to` (exclusive), epoch milliseconds, the alias pointed to this key; 0 = to none that is known. */
export interface AliasSpan {
  readonly aliasId: number;
  readonly keyId: number;
  readonly from: number;
  readonly to: number;
}

export interface AliasNow {
  readonly aliasId: number;
  readonly targetKeyId: number | null;
  readonly asOf: number;
  readonly origin: string;
}

export async function saveAliases(client: pg.ClientBase, aliases: readonly AliasNow[]): Promise<void> {
  if (aliases.length === 0) return;
  await client.query(
    `INSERT INTO key_alias (alias_id, target_key_id, as_of, origin)
     SELECT a, t, to_timestamp(at / 1000.0), o FROM unnest($1::int[], $2::int[], $3::float8[], $4::text[]) AS i(a, t, at, o)
     ON CONFLICT (alias_id) DO UPDATE SET target_key_id = excluded.target_key_id, as_of = excluded.as_of, origin = excluded.origin`,
    [
      plainArray(aliases.map((alias) => alias.aliasId)),
      plainArray(aliases.map((alias) => alias.targetKeyId)),
      plainArray(aliases.map((alias) => alias.asOf)),
      textArray(aliases.map((alias) => alias.origin)),
    ],
  );
}

/**
 * Counts the calls that named only the alias for the keys it pointed to when they were made. Replaces what was counted before,
 * so that an alias record that arrives late corrects the past.
 */
export async function attributeAliasUse(client: pg.ClientBase, aliasIds: readonly number[], spans: readonly AliasSpan[]): Promise<void> {
  await client.query('DELETE FROM alias_use WHERE alias_id = ANY($1::int[])', [aliasIds]);
  await client.query(
    `INSERT INTO alias_use (alias_id, key_id, actor_id, operation_class, outcome, account_id, region_id, count, first_at, first_event, last_at, last_event)
     SELECT s.alias_id, s.key_id, e.actor_id, e.operation_class, e.outcome, e.account_id, e.region_id, count(*),
       min(e.event_time), (array_agg(e.event_id ORDER BY e.event_time, e.event_id))[1],
       max(e.event_time), (array_agg(e.event_id ORDER BY e.event_time DESC, e.event_id DESC))[1]
     FROM ${SPANS}
     GROUP BY s.alias_id, s.key_id, e.actor_id, e.operation_class, e.outcome, e.account_id, e.region_id`,
    spanColumns(spans),
  );
}

/** Of the keys to which the spans belong, those of which a call through the alias shows that they protect logs. */
export async function logKeysThroughAliases(client: pg.ClientBase, spans: readonly AliasSpan[]): Promise<Set<number>> {
  const { rows } = await client.query<{ id: number }>(
    `SELECT DISTINCT s.key_id AS id FROM ${SPANS} AND (e.flags & ${FLAGS.protectsLogs}) <> 0`,
    spanColumns(spans),
  );
  return new Set(rows.map((row) => row.id));
}

/**
 * Aliases whose findings depend on the use of these keys, or of keys that these aliases ever pointed to: those that pointed there
 * and were deleted, as control events say.
 */
export async function aliasesWhereUseMatters(
  client: pg.ClientBase,
  ids: { keys: readonly number[]; aliases: readonly number[] },
): Promise<number[]> {
  const { rows } = await client.query<{ id: number }>(
    `SELECT DISTINCT a.id FROM kms_key k JOIN event e ON (e.flags & ${FLAGS.control}) = ${FLAGS.control} AND e.key_id = k.id JOIN kms_key a ON a.id = e.other_key_id AND a.kind = 'alias'
     WHERE k.use_matters AND k.id IN (SELECT unnest($1::int[])
       UNION SELECT key_id FROM event WHERE ${CONTROL} AND other_key_id = ANY($2::int[]))
     AND EXISTS (SELECT FROM event_call d JOIN term o ON o.id = d.operation_id AND o.kind = ${TERM.operation} AND o.value = 'kms:DeleteAlias'
       WHERE (d.flags & ${FLAGS.control}) = ${FLAGS.control} AND d.other_key_id = a.id)`,
    [ids.keys, ids.aliases],
  );
  return rows.map((row) => row.id);
}
