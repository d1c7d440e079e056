/** Aggregated use and failures, as the rollups hold them. */
import type pg from 'pg';
import { type Actor, OUTCOMES, type Outcome } from '../core/event.ts';
import { OPERATION_CLASSES, type OperationClass } from '../core/operations.ts';
import { type AliasSpan, SPANS, spanColumns } from './aliases.ts';
import type { NameCache } from './names.ts';

export interface UseRow {
  readonly keyId: number;
  readonly accountId: number;
  readonly keyArn: string | null;
  readonly account: string;
  readonly region: string;
  readonly actor: Actor;
  readonly operationClass: OperationClass;
  readonly outcome: Outcome;
  readonly count: number;
  readonly firstAt: number;
  readonly firstEventId: string;
  readonly lastAt: number;
  readonly lastEventId: string;
}

export interface FailureRow extends UseRow {
  /** Epoch milliseconds of the hour's begin. */
  readonly hour: number;
  readonly operation: string;
}

interface Row {
  key_id: number;
  account_id: number;
  region_id: number;
  actor_id: number;
  operation_class: number;
  outcome: number;
  count: number;
  first_at: number;
  first_event: string;
  last_at: number;
  last_event: string;
  hour?: number;
  operation_id?: number;
}

const COLUMNS = 'key_id, account_id, region_id, actor_id, operation_class, outcome, count, first_at, first_event, last_at, last_event';

/** Use of the keys by anybody, calls through aliases included. */
export async function usesOfKeys(client: pg.ClientBase, keyIds: readonly number[], names: NameCache): Promise<UseRow[]> {
  const { rows } = await client.query<Row>({
    name: 'uses-of-keys',
    text: `SELECT ${COLUMNS} FROM key_use WHERE key_id = ANY($1::int[])`,
    values: [keyIds],
  });
  return await named(client, rows, names);
}

/** Everything actors did, by key; `keyArn` null where a call names none. */
export async function usesOfActors(client: pg.ClientBase, actorIds: readonly number[], names: NameCache): Promise<UseRow[]> {
  const { rows } = await client.query<Row>({
    name: 'uses-of-actors',
    text: `SELECT ${COLUMNS} FROM key_use WHERE actor_id = ANY($1::int[])`,
    values: [actorIds],
  });
  return await named(client, rows, names);
}

/** Failed calls on the keys (ids of keys or aliases), denied ones excepted, by hour. */
export async function failuresOfKeys(client: pg.ClientBase, keyIds: readonly number[], names: NameCache): Promise<FailureRow[]> {
  const { rows } = await client.query<Row>({
    name: 'failures-of-keys',
    text: `SELECT hour, operation_id, ${COLUMNS} FROM activity_call WHERE outcome > 1 AND key_id <> 0 AND key_id = ANY($1::int[])`,
    values: [keyIds],
  });
  return await named(client, rows, names);
}

/** Failed calls that named only an alias, denied ones excepted, by hour, for the keys of the spans. */
export async function failuresThroughAliases(client: pg.ClientBase, spans: readonly AliasSpan[], names: NameCache): Promise<FailureRow[]> {
  const { rows } = await client.query<Row>(
    `SELECT date_trunc('hour', e.event_time) AS hour, e.operation_id, s.key_id, e.account_id, e.region_id, e.actor_id, e.operation_class, e.outcome,
       count(*) AS count, min(e.event_time) AS first_at, (array_agg(e.event_id ORDER BY e.event_time, e.event_id))[1] AS first_event,
       max(e.event_time) AS last_at, (array_agg(e.event_id ORDER BY e.event_time DESC, e.event_id DESC))[1] AS last_event
     FROM ${SPANS} AND e.outcome > 1
     GROUP BY 1, e.operation_id, s.key_id, e.account_id, e.region_id, e.actor_id, e.operation_class, e.outcome`,
    spanColumns(spans),
  );
  return await named(client, rows, names);
}

/** Denied calls of actors, by hour. */
export async function denialsOfActors(client: pg.ClientBase, actorIds: readonly number[], names: NameCache): Promise<FailureRow[]> {
  const { rows } = await client.query<Row>({
    name: 'denials-of-actors',
    text: `SELECT hour, operation_id, ${COLUMNS} FROM activity_call WHERE outcome = 1 AND actor_id = ANY($1::int[])`,
    values: [actorIds],
  });
  return await named(client, rows, names);
}

/** Calls of actors on keys that are not there, and dry runs, by hour. */
export async function probesOfActors(client: pg.ClientBase, actorIds: readonly number[], names: NameCache): Promise<FailureRow[]> {
  const { rows } = await client.query<Row>({
    name: 'probes-of-actors',
    text: `SELECT hour, operation_id, ${COLUMNS} FROM activity_call WHERE (outcome = 5 OR outcome = 7) AND actor_id = ANY($1::int[])`,
    values: [actorIds],
  });
  return await named(client, rows, names);
}

/** Throttled KMS calls of accounts, by hour. */
export async function throttledOfAccounts(client: pg.ClientBase, accountIds: readonly number[], names: NameCache): Promise<FailureRow[]> {
  const { rows } = await client.query<Row>({
    name: 'throttled-of-accounts',
    text: `SELECT hour, operation_id, ${COLUMNS} FROM activity_call a
      WHERE outcome = 6 AND account_id = ANY($1::int[]) AND EXISTS (SELECT FROM term o WHERE o.id = a.operation_id AND o.value LIKE 'kms:%')`,
    values: [accountIds],
  });
  return await named(client, rows, names);
}

/** How many KMS calls of an account and Region were recorded in these hours, in their order. */
export async function callsInHours(
  client: pg.ClientBase,
  hours: readonly { readonly account: string; readonly region: string; readonly hour: number }[],
): Promise<number[]> {
  const { rows } = await client.query<{ calls: number }>({
    name: 'calls-in-hours',
    text: `SELECT (SELECT coalesce(sum(a.count), 0)::float8 FROM activity_call a JOIN term o ON o.id = a.operation_id AND o.value LIKE 'kms:%'
        JOIN term c ON c.id = a.account_id JOIN term r ON r.id = a.region_id
        WHERE a.hour = to_timestamp(i.hour / 1000.0) AND c.value = i.account AND r.value = i.region) AS calls
      FROM unnest($1::text[], $2::text[], $3::float8[]) WITH ORDINALITY AS i(account, region, hour, n) ORDER BY n`,
    values: [hours.map((row) => row.account), hours.map((row) => row.region), hours.map((row) => row.hour)],
  });
  return rows.map(({ calls }) => calls);
}

async function named(client: pg.ClientBase, rows: readonly Row[], cache: NameCache): Promise<FailureRow[]> {
  const names = await cache.resolve(client, {
    terms: rows.flatMap((row) => [row.account_id, row.region_id, row.operation_id ?? 0]),
    keys: rows.map((row) => row.key_id),
    actors: rows.map((row) => row.actor_id),
    eventIds: rows.flatMap((row) => [row.first_event, row.last_event]),
  });
  return rows.map((row) => {
    const operation = row.operation_id === undefined ? '' : names.term(row.operation_id);
    return {
      keyId: row.key_id,
      accountId: row.account_id,
      keyArn: names.key(row.key_id)?.arn ?? null,
      account: names.term(row.account_id),
      region: names.term(row.region_id),
      actor: names.actor(row.actor_id),
      operationClass: OPERATION_CLASSES[row.operation_class] ?? 'control',
      outcome: OUTCOMES[row.outcome] ?? 'other',
      count: Number(row.count),
      firstAt: row.first_at,
      firstEventId: names.eventId(row.first_event),
      lastAt: row.last_at,
      lastEventId: names.eventId(row.last_event),
      hour: row.hour ?? 0,
      operation: operation.slice(operation.indexOf(':') + 1),
    };
  });
}
