/** Events for people who look for something: by key, actor, operation, time. Every question is bounded by a time and a number. */
import type pg from 'pg';
import { OUTCOMES } from '../../core/event.ts';
import { eventUuid } from '../../core/ids.ts';
import { OPERATION_CLASSES } from '../../core/operations.ts';
import { TERM } from '../terms.ts';

export interface EventListed {
  readonly eventId: string;
  readonly eventTime: number;
  readonly account: string;
  readonly region: string;
  readonly service: string;
  readonly operation: string;
  readonly operationClass: string;
  readonly outcome: string;
  readonly errorCode: string | null;
  readonly actor: string;
  readonly keyArn: string | null;
  readonly session: string | null;
  readonly callingService: string | null;
  readonly network: string | null;
  readonly userAgent: string | null;
  /** Names of the encryption context's entries, never values. */
  readonly contextShape: string | null;
  readonly batchId: number;
  readonly ordinal: number;
}

export interface EventFilter {
  /** Epoch milliseconds; the end exclusive. */
  readonly from: number;
  readonly to: number;
  readonly keyArn?: string | undefined;
  readonly actor?: string | undefined;
  /** `Decrypt`, of KMS, or `service:Operation`. */
  readonly operation?: string | undefined;
  readonly account?: string | undefined;
  readonly region?: string | undefined;
  readonly outcome?: string | undefined;
  readonly eventId?: string | undefined;
}

export type EventCursor = readonly [eventTime: number, uuid: string, batchId: number, ordinal: number];

interface Row extends Omit<EventListed, 'service' | 'operation' | 'operationClass' | 'outcome'> {
  readonly uuid: string;
  readonly operation: string;
  readonly operation_class: number;
  readonly outcome: number;
}

const TERM_OF = (column: string): string => `(SELECT value FROM term WHERE id = p.${column})`;

/** The latest first. Names that are in no dictionary match nothing, without looking further. */
export async function searchEvents(
  pool: pg.Pool,
  filter: EventFilter,
  page: { readonly limit: number; readonly after: EventCursor | null },
): Promise<{ events: EventListed[]; next: EventCursor | null }> {
  const { operation } = filter;
  const named = operation === undefined || operation.includes(':') ? operation : `kms:${operation}`;
  const [at, uuid, batch, ordinal] = page.after ?? [filter.to, '00000000-0000-0000-0000-000000000000', 0, 0];
  const outcome = filter.outcome === undefined ? null : OUTCOMES.findIndex((each) => each === filter.outcome);
  const { rows } = await pool.query<Row>(
    `WITH ids AS MATERIALIZED (SELECT
         (SELECT id FROM kms_key WHERE arn = $3) AS key_id, (SELECT id FROM actor WHERE principal = $4) AS actor_id,
         (SELECT id FROM term WHERE kind = ${TERM.operation} AND value = $5) AS operation_id,
         (SELECT id FROM term WHERE kind = ${TERM.account} AND value = $6) AS account_id,
         (SELECT id FROM term WHERE kind = ${TERM.region} AND value = $7) AS region_id),
     page AS (
       SELECT * FROM event_call e
       WHERE event_time >= $1 AND event_time < $2 AND event_time <= $9
         AND ($3::text IS NULL OR key_id = (SELECT key_id FROM ids)) AND ($4::text IS NULL OR actor_id = (SELECT actor_id FROM ids))
         AND ($5::text IS NULL OR operation_id = (SELECT operation_id FROM ids)) AND ($6::text IS NULL OR account_id = (SELECT account_id FROM ids))
         AND ($7::text IS NULL OR region_id = (SELECT region_id FROM ids)) AND ($8::int IS NULL OR outcome = $8)
         AND ($14::uuid IS NULL OR event_id = $14)
         AND (event_time < $9 OR (event_id, batch_id, ordinal) > ($10, $11, $12))
       ORDER BY event_time DESC, event_id, batch_id, ordinal LIMIT $13)
     SELECT p.event_id AS uuid, coalesce(x.text, p.event_id::text) AS "eventId", p.event_time AS "eventTime", ${TERM_OF('account_id')} AS account,
       ${TERM_OF('region_id')} AS region, ${TERM_OF('operation_id')} AS operation, p.operation_class, p.outcome, ${TERM_OF('error_id')} AS "errorCode",
       (SELECT principal FROM actor WHERE id = p.actor_id) AS actor, (SELECT arn FROM kms_key WHERE id = p.key_id) AS "keyArn",
       ${TERM_OF('session_id')} AS session, ${TERM_OF('calling_service_id')} AS "callingService", ${TERM_OF('network_id')} AS network,
       ${TERM_OF('user_agent_id')} AS "userAgent", ${TERM_OF('context_id')} AS "contextShape", p.batch_id AS "batchId", p.ordinal
     FROM page p LEFT JOIN event_id_text x ON x.event_id = p.event_id
     ORDER BY p.event_time DESC, p.event_id, p.batch_id, p.ordinal`,
    [
      new Date(filter.from),
      new Date(filter.to),
      filter.keyArn ?? null,
      filter.actor ?? null,
      named ?? null,
      filter.account ?? null,
      filter.region ?? null,
      outcome,
      new Date(at),
      uuid,
      batch,
      ordinal,
      page.limit + 1,
      filter.eventId === undefined ? null : eventUuid(filter.eventId),
    ],
  );
  const shown = rows.slice(0, page.limit);
  const last = rows.length > page.limit ? shown.at(-1) : undefined;
  return { events: shown.map(toEvent), next: last ? [last.eventTime, last.uuid, last.batchId, last.ordinal] : null };
}

/** One event may be told in more than one way; more than these are an attack on the reader. */
const TELLINGS_LIMIT = 100;

/** Every telling of one event: the times at which it is said to have been first, of which there are few, then each by the primary key. */
export async function readEvent(pool: pg.Pool, eventId: string): Promise<EventListed[]> {
  const { rows } = await pool.query<{ event_time: number }>('SELECT DISTINCT event_time FROM event WHERE event_id = $1 LIMIT 20', [
    eventUuid(eventId),
  ]);
  const found: EventListed[] = [];
  for (const { event_time: at } of rows) {
    const { events } = await searchEvents(pool, { from: at, to: at + 1, eventId }, { limit: TELLINGS_LIMIT, after: null });
    found.push(...events);
  }
  return found;
}

function toEvent({ uuid: _uuid, operation, operation_class: kind, outcome, ...row }: Row): EventListed {
  const colon = operation.indexOf(':');
  return {
    ...row,
    service: operation.slice(0, colon),
    operation: operation.slice(colon + 1),
    operationClass: OPERATION_CLASSES[kind] ?? 'control',
    outcome: OUTCOMES[outcome] ?? 'other',
  };
}
