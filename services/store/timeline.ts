/** Stored events as detectors see them. All reads are set-based: one statement for any number of subjects. */
import type pg from 'pg';
import { compareEvents, type EventDetail, OUTCOMES, type StoredEvent } from '../core/event.ts';
import { KEY_HARM } from '../core/key-harm.ts';
import { KEY_OPENING } from '../core/key-opening.ts';
import { OPERATION_CLASSES } from '../core/operations.ts';
import { plainArray } from './array.ts';
import { CONTROL, ESSENCE, FLAGS } from './events.ts';
import type { NameCache } from './names.ts';
import { TERM } from './terms.ts';

/** A stored event with the dictionary ids that assembly needs. */
export interface TimelineRow {
  readonly event: StoredEvent;
  readonly keyId: number;
  readonly otherKeyId: number;
  readonly accountId: number;
}

const COLUMNS = `event_time, event_id, ${ESSENCE} AS essence, account_id, region_id, operation_id, operation_class, outcome, coalesce(key_id, 0) AS key_id,
  coalesce(other_key_id, 0) AS other_key_id, actor_id, coalesce(error_id, 0) AS error_id, calling_service_id,
  coalesce(session_id, 0) AS session_id, flags, detail`;

interface Row {
  event_time: number;
  event_id: string;
  essence: string;
  account_id: number;
  region_id: number;
  operation_id: number;
  operation_class: number;
  outcome: number;
  key_id: number;
  other_key_id: number;
  actor_id: number;
  error_id: number;
  calling_service_id: number;
  session_id: number;
  flags: number;
  detail: EventDetail | null;
}

/** Control events that are about the keys, or name them as the other one (replicas, aliases), in event order. */
export async function controlEventsOfKeys(client: pg.ClientBase, keyIds: readonly number[], names: NameCache): Promise<TimelineRow[]> {
  const { rows } = await client.query<Row>({
    name: 'control-events-of-keys',
    text: `SELECT ${COLUMNS} FROM event_call WHERE ${CONTROL} AND key_id = ANY($1::int[])
      UNION ALL
      SELECT ${COLUMNS} FROM event_call WHERE ${CONTROL} AND other_key_id = ANY($1::int[]) AND (key_id IS NULL OR NOT key_id = ANY($1::int[]))`,
    values: [keyIds],
  });
  return await named(client, rows, names);
}

/**
 * Grants of a key that AWS services gave and retired, the latest so many, in event order. Such events have no index of their own: what is
 * known of the key's callers says since when there are any.
 */
export async function grantEventsOfKey(
  client: pg.ClientBase,
  keyId: number,
  options: { readonly limit: number; readonly names: NameCache },
) {
  const { rows } = await client.query<Row>(
    `SELECT ${COLUMNS} FROM event_call WHERE operation_class = 2 AND outcome = 0 AND key_id = $1
       AND event_time >= (SELECT min(first_at) FROM key_use WHERE key_id = $1 AND operation_class = 2 AND outcome = 0)
     ORDER BY event_time DESC, event_id DESC LIMIT $2`,
    [keyId, options.limit],
  );
  return await named(client, rows, options.names);
}

/** Control events of accounts that concern no key (trails, selectors, key stores, other services), and trails that name a key of theirs. */
export async function controlEventsOfAccounts(
  client: pg.ClientBase,
  accountIds: readonly number[],
  names: NameCache,
): Promise<TimelineRow[]> {
  const { rows } = await client.query<Row>({
    name: 'control-events-of-accounts',
    text: `SELECT ${COLUMNS} FROM event_call WHERE ${CONTROL} AND key_id IS NULL AND account_id = ANY($1::int[])
      UNION ALL
      SELECT ${COLUMNS} FROM event_call WHERE ${CONTROL} AND key_id IN (SELECT id FROM kms_key WHERE protects_logs) AND outcome = 0
        AND account_id = ANY($1::int[]) AND operation_id IN (SELECT id FROM term WHERE kind = ${TERM.operation} AND value LIKE 'cloudtrail:%')`,
    values: [accountIds],
  });
  return await named(client, rows, names);
}

/** What actors took from keys: see `core/key-harm.ts`. Found by way of the keys that they changed. */
export async function harmsOfActors(client: pg.ClientBase, actorIds: readonly number[], names: NameCache): Promise<TimelineRow[]> {
  const { rows } = await client.query<Row>({
    name: 'harms-of-actors',
    text: `SELECT ${COLUMNS} FROM event_call WHERE ${CONTROL} AND outcome = 0 AND actor_id = ANY($1::int[])
      AND key_id IN (SELECT key_id FROM key_actor WHERE operation_class = 3 AND outcome = 0 AND actor_id = ANY($1::int[]))
      AND operation_id IN (SELECT id FROM term WHERE kind = ${TERM.operation} AND value = ANY($2::text[]))`,
    values: [actorIds, KEY_HARM.map((operation) => `kms:${operation}`)],
  });
  return await named(client, rows, names);
}

export interface AccountPeriod {
  readonly accountId: number;
  /** Epoch milliseconds, both included. */
  readonly from: number;
  readonly to: number;
}

/** Calls that may let others use keys of the accounts, each account in its period: see `core/key-opening.ts`. */
export async function openingsOfAccounts(
  client: pg.ClientBase,
  periods: readonly AccountPeriod[],
  names: NameCache,
): Promise<TimelineRow[]> {
  if (periods.length === 0) return [];
  const { rows } = await client.query<Row>({
    name: 'openings-of-accounts',
    text: `SELECT ${COLUMNS} FROM unnest($1::int[], $2::float8[], $3::float8[]) AS p(account, since, until)
      JOIN term a ON a.id = p.account
      JOIN kms_key k ON k.kind = 'key' AND k.account = a.value
      JOIN event_call e ON ${CONTROL} AND e.key_id = k.id AND e.account_id = p.account AND e.outcome = 0
        AND e.event_time BETWEEN to_timestamp(p.since / 1000.0) AND to_timestamp(p.until / 1000.0)
      WHERE e.operation_id IN (SELECT id FROM term WHERE kind = ${TERM.operation} AND value = ANY($4::text[]))`,
    values: [
      plainArray(periods.map(({ accountId }) => accountId)),
      plainArray(periods.map(({ from }) => from)),
      plainArray(periods.map(({ to }) => to)),
      KEY_OPENING.map((operation) => `kms:${operation}`),
    ],
  });
  return await named(client, rows, names);
}

/** Events by stored event id, for showing; every telling of a conflicting one. */
export async function eventsById(client: pg.ClientBase | pg.Pool, uuids: readonly string[], names: NameCache): Promise<TimelineRow[]> {
  const { rows } = await client.query<Row>(`SELECT ${COLUMNS} FROM event_call WHERE event_id = ANY($1::uuid[])`, [uuids]);
  return await named(client, rows, names);
}

async function named(client: pg.ClientBase | pg.Pool, rows: readonly Row[], cache: NameCache): Promise<TimelineRow[]> {
  const names = await cache.resolve(client, {
    terms: rows.flatMap((row) => [row.account_id, row.region_id, row.operation_id, row.error_id, row.calling_service_id, row.session_id]),
    keys: rows.flatMap((row) => [row.key_id, row.other_key_id]),
    actors: rows.map((row) => row.actor_id),
    eventIds: rows.map((row) => row.event_id),
  });
  const optional = (id: number): string | null => (id === 0 ? null : names.term(id));
  return rows
    .map((row) => {
      const operation = names.term(row.operation_id);
      const colon = operation.indexOf(':');
      const event: StoredEvent = {
        eventId: names.eventId(row.event_id),
        eventTime: row.event_time,
        essence: row.essence,
        account: names.term(row.account_id),
        region: names.term(row.region_id),
        service: operation.slice(0, colon),
        operation: operation.slice(colon + 1),
        operationClass: OPERATION_CLASSES[row.operation_class] ?? 'control',
        outcome: OUTCOMES[row.outcome] ?? 'other',
        key: names.key(row.key_id),
        otherKey: names.key(row.other_key_id),
        actor: names.actor(row.actor_id),
        errorCode: optional(row.error_id),
        callingService: optional(row.calling_service_id),
        sessionName: optional(row.session_id),
        ...((row.flags & FLAGS.console) !== 0 && { console: true as const }),
        ...((row.flags & FLAGS.mfaKnown) !== 0 && { mfa: (row.flags & FLAGS.mfa) !== 0 }),
        detail: row.detail,
      };
      return { event, keyId: row.key_id, otherKeyId: row.other_key_id, accountId: row.account_id };
    })
    .toSorted((a, b) => compareEvents(a.event, b.event));
}
