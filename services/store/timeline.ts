/** Stored events as detectors see them. All reads are set-based: one statement for any number of subjects. */
import type pg from 'pg';
import { compareEvents, type EventDetail, OUTCOMES, type StoredEvent } from '../core/event.ts';
import { OPERATION_CLASSES } from '../core/operations.ts';
import type { NameCache } from './names.ts';

/** A stored event with the dictionary ids that assembly needs. */
export interface TimelineRow {
  readonly event: StoredEvent;
  readonly keyId: number;
  readonly otherKeyId: number;
  readonly accountId: number;
}

const COLUMNS = `event_time, event_id, essence, account_id, region_id, operation_id, operation_class, outcome, coalesce(key_id, 0) AS key_id,
  coalesce(other_key_id, 0) AS other_key_id, actor_id, coalesce(error_id, 0) AS error_id, coalesce(calling_service_id, 0) AS calling_service_id,
  coalesce(session_id, 0) AS session_id, detail`;

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
  detail: EventDetail | null;
}

/** Control events that are about the keys, or name them as the other one (replicas, aliases), in event order. */
export async function controlEventsOfKeys(client: pg.ClientBase, keyIds: readonly number[], names: NameCache): Promise<TimelineRow[]> {
  const { rows } = await client.query<Row>({
    name: 'control-events-of-keys',
    text: `SELECT ${COLUMNS} FROM event WHERE operation_class = 3 AND key_id = ANY($1::int[])
      UNION ALL
      SELECT ${COLUMNS} FROM event WHERE operation_class = 3 AND other_key_id = ANY($1::int[]) AND (key_id IS NULL OR NOT key_id = ANY($1::int[]))`,
    values: [keyIds],
  });
  return await named(client, rows, names);
}

/** Control events of accounts that concern no key: trails, selectors, key stores. */
export async function controlEventsOfAccounts(
  client: pg.ClientBase,
  accountIds: readonly number[],
  names: NameCache,
): Promise<TimelineRow[]> {
  const { rows } = await client.query<Row>({
    name: 'control-events-of-accounts',
    text: `SELECT ${COLUMNS} FROM event WHERE operation_class = 3 AND key_id IS NULL AND account_id = ANY($1::int[])`,
    values: [accountIds],
  });
  return await named(client, rows, names);
}

/** Events by stored event id, for showing; every telling of a conflicting one. */
export async function eventsById(client: pg.ClientBase | pg.Pool, uuids: readonly string[], names: NameCache): Promise<TimelineRow[]> {
  const { rows } = await client.query<Row>(`SELECT ${COLUMNS} FROM event WHERE event_id = ANY($1::uuid[])`, [uuids]);
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
        essence: row.essence.replaceAll('-', ''),
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
        detail: row.detail,
      };
      return { event, keyId: row.key_id, otherKeyId: row.other_key_id, accountId: row.account_id };
    })
    .toSorted((a, b) => compareEvents(a.event, b.event));
}
