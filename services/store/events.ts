/**
 * The insert of a batch's events. Arrays of ids, one `INSERT … SELECT FROM unnest(…) ON CONFLICT DO NOTHING RETURNING`:
 * the unique constraint decides what is new, whoever else is inserting the same at that moment.
 */
import type pg from 'pg';
import { alsoUsedKey } from '../core/also-used.ts';
import { type KmsEvent, OUTCOMES } from '../core/event.ts';
import { sessionFlags } from '../core/habit.ts';
import { eventUuid, isCanonicalUuid } from '../core/ids.ts';
import { OPERATION_CLASSES } from '../core/operations.ts';
import { jsonArray, plainArray, textArray } from './array.ts';
import type { RolledEvent } from './rollup.ts';
import { TERM, type TermKind, type Terms } from './terms.ts';

/** Bits of `event.flags`. Stored; append only. Two bits for what can be true, false or not said. */
export const FLAGS = {
  readOnlyKnown: 1,
  readOnly: 2,
  mfaKnown: 4,
  mfa: 8,
  console: 16,
  dryRun: 32,
  correction: 64,
  protectsLogs: 128,
  serviceEvent: 256,
  control: 512,
} as const;

/** Control events, in the words of the partial indexes of `event`. Said with `=`, of which the planner expects few rows: it knows nothing of the bits. */
export const CONTROL = `(flags & ${FLAGS.control}) = ${FLAGS.control}`;

/** A normalized event with its place in the batch's evidence. */
export interface PlacedEvent {
  readonly event: KmsEvent;
  /** Index of its record among the batch's evidence frames. */
  readonly ordinal: number;
  /** Ids of the user's rules that its record matches. */
  readonly rules?: readonly string[];
}

/** One row as inserted, ids resolved. */
export interface EventRow extends RolledEvent {
  readonly ordinal: number;
  readonly event: KmsEvent;
  /** As `bigint`, in decimal digits. */
  readonly essence: string;
  readonly otherKeyId: number;
  readonly networkId: number;
  /** The way of calling without account, Region, encryption context, key material and session. */
  readonly how: string;
  /** Ids of the user's rules that its record matches. */
  readonly rules: readonly string[];
}

/** Asks the dictionary for what the events refer to; `resolve` must have run before `toRows`, which asks for the rest. */
export function wantTerms(terms: Terms, events: readonly PlacedEvent[]): void {
  for (const { event } of events) {
    terms.wantTerm(TERM.account, event.account);
    terms.wantTerm(TERM.region, event.region);
    terms.wantTerm(TERM.operation, `${event.service}:${event.operation}`);
    if (event.session.name !== null) terms.wantTerm(TERM.session, event.session.name);
    if (event.session.accessKeyId !== null) terms.wantTerm(TERM.accessKey, event.session.accessKeyId);
    if (event.callingService !== null) terms.wantTerm(TERM.callingService, event.callingService);
    if (event.network.prefix !== null) terms.wantTerm(TERM.network, event.network.prefix);
    if (event.userAgentFamily !== null) terms.wantTerm(TERM.userAgent, event.userAgentFamily);
    if (event.vpcEndpoint !== null) terms.wantTerm(TERM.vpcEndpoint, event.vpcEndpoint);
    if (event.errorCode !== null) terms.wantTerm(TERM.error, event.errorCode);
    if (event.encryptionContext !== null) terms.wantTerm(TERM.contextShape, event.encryptionContext.shape);
    if (event.keyMaterialId !== null) terms.wantTerm(TERM.keyMaterial, event.keyMaterialId);
    if (event.key) terms.wantKey(event.key);
    if (event.otherKey) terms.wantKey(event.otherKey);
    terms.wantActor(event.actor);
  }
}

/** Asks for the profiles of the rows; `resolve` must run before they are inserted. */
export function toRows(terms: Terms, events: readonly PlacedEvent[]): EventRow[] {
  return events.map((placed) => {
    const row = toRow(terms, placed);
    terms.wantProfile(row.profile);
    return row;
  });
}

function toRow(terms: Terms, { event, ordinal, rules = [] }: PlacedEvent): EventRow {
  const term = (kind: TermKind, value: string | null): number => (value === null ? 0 : terms.term(kind, value));
  const also = alsoUsedKey(event);
  const operationId = terms.term(TERM.operation, `${event.service}:${event.operation}`);
  const [accountId, regionId] = [terms.term(TERM.account, event.account), terms.term(TERM.region, event.region)];
  const [callingServiceId, networkId] = [term(TERM.callingService, event.callingService), term(TERM.network, event.network.prefix)];
  const operationClass = OPERATION_CLASSES.indexOf(event.operationClass);
  const how = `${operationId},${operationClass},${callingServiceId},${networkId},${term(TERM.userAgent, event.userAgentFamily)},${term(TERM.vpcEndpoint, event.vpcEndpoint)}`;
  const what = `${term(TERM.contextShape, event.encryptionContext?.shape ?? null)},${term(TERM.keyMaterial, event.keyMaterialId)}`;
  return {
    event,
    ordinal,
    eventTime: event.eventTime,
    eventUuid: eventUuid(event.eventId),
    essence: essenceColumn(event.essence),
    keyId: event.key ? terms.key(event.key) : 0,
    byAlias: event.key?.kind === 'alias',
    alsoKeyId: also ? terms.key(also) : 0,
    otherKeyId: event.otherKey ? terms.key(event.otherKey) : 0,
    rules,
    actorId: terms.actor(event.actor),
    operationId,
    accountId,
    regionId,
    networkId,
    how,
    profile: `${accountId},${regionId},${how},${what},${sessionFlags(event)}`,
    operationClass,
    outcome: OUTCOMES.indexOf(event.outcome),
  };
}

/** 16 hex digits as the text of a `bigint`. */
function essenceColumn(hex: string): string {
  return String(BigInt.asIntN(64, BigInt(`0x${hex}`)));
}

/** `essence` as hex digits again. */
export const ESSENCE = "lpad(to_hex(essence), 16, '0')";

/** @returns ordinals of the rows that were new */
export async function insertEvents(
  client: pg.ClientBase,
  batchId: number,
  scope: { terms: Terms; rows: readonly EventRow[] },
): Promise<Set<number>> {
  // In primary-key order: two batches that hold the same events wait for each other instead of deadlocking.
  const rows = scope.rows.toSorted(byIdentity);
  const { terms } = scope;
  const term = (kind: TermKind, value: string | null): number | null => (value === null ? null : terms.term(kind, value));
  const columns = [
    plainArray(rows.map((row) => row.eventTime)),
    plainArray(rows.map((row) => row.essence)),
    plainArray(rows.map((row) => row.eventUuid)),
    plainArray(rows.map((row) => row.ordinal)),
    plainArray(rows.map((row) => row.actorId)),
    plainArray(rows.map((row) => terms.profile(row.profile))),
    plainArray(rows.map((row) => row.keyId || null)),
    plainArray(rows.map((row) => term(TERM.session, row.event.session.name))),
    plainArray(rows.map((row) => term(TERM.accessKey, row.event.session.accessKeyId))),
    plainArray(rows.map((row) => flagsOf(row.event))),
    plainArray(rows.map((row) => row.outcome)),
    plainArray(rows.map((row) => row.otherKeyId || null)),
    plainArray(rows.map((row) => term(TERM.error, row.event.errorCode))),
    plainArray(rows.map((row) => (row.event.sharedEventId === null ? null : eventUuid(row.event.sharedEventId)))),
    jsonArray(rows.map((row) => row.event.detail)),
  ];
  const inserted = await client.query<{ ordinal: number }>({
    name: 'insert-events',
    text: `INSERT INTO event (event_time, essence, event_id, batch_id, ordinal, actor_id, profile_id, key_id, session_id, access_key_id, flags, outcome,
        other_key_id, error_id, shared_event_id, detail)
      SELECT to_timestamp(t / 1000.0), es, id, $16, ord, act, p, k, s, ak, fl, oc, ok, er, sh, d
      FROM unnest($1::float8[], $2::bigint[], $3::uuid[], $4::int[], $5::int[], $6::int[], $7::int[], $8::int[], $9::int[], $10::smallint[],
        $11::smallint[], $12::int[], $13::int[], $14::uuid[], $15::jsonb[]) AS i(t, es, id, ord, act, p, k, s, ak, fl, oc, ok, er, sh, d)
      ON CONFLICT DO NOTHING RETURNING ordinal`,
    values: [...columns, batchId],
  });
  await insertIdTexts(client, rows);
  return new Set(inserted.rows.map((row) => row.ordinal));
}

/** Sightings of events that were stored before: which batch saw them again. */
export async function insertObservations(client: pg.ClientBase, batchId: number, rows: readonly EventRow[]): Promise<void> {
  if (rows.length === 0) return;
  await client.query(
    `INSERT INTO observation (batch_id, ordinal, event_time, event_id, essence, account_id, region_id)
     SELECT $1, ord, to_timestamp(t / 1000.0), id, es, acc, reg
     FROM unnest($2::int[], $3::float8[], $4::uuid[], $5::bigint[], $6::int[], $7::int[]) AS i(ord, t, id, es, acc, reg)`,
    [
      batchId,
      plainArray(rows.map((row) => row.ordinal)),
      plainArray(rows.map((row) => row.eventTime)),
      plainArray(rows.map((row) => row.eventUuid)),
      plainArray(rows.map((row) => row.essence)),
      plainArray(rows.map((row) => row.accountId)),
      plainArray(rows.map((row) => row.regionId)),
    ],
  );
}

/** Event ids that are no canonical UUIDs keep their text beside the hashed form. */
async function insertIdTexts(client: pg.ClientBase, rows: readonly EventRow[]): Promise<void> {
  const odd = new Map<string, string>();
  for (const { event, eventUuid: stored } of rows) {
    if (stored !== event.eventId) odd.set(stored, event.eventId);
    const shared = event.sharedEventId;
    if (shared !== null && !isCanonicalUuid(shared)) odd.set(eventUuid(shared), shared);
  }
  if (odd.size === 0) return;
  const entries = [...odd].toSorted((a, b) => (a[0] < b[0] ? -1 : 1));
  await client.query('INSERT INTO event_id_text (event_id, text) SELECT * FROM unnest($1::uuid[], $2::text[]) ON CONFLICT DO NOTHING', [
    plainArray(entries.map(([id]) => id)),
    textArray(entries.map(([, text]) => text)),
  ]);
}

function flagsOf(event: KmsEvent): number {
  let flags = 0;
  if (event.readOnly !== null) flags |= FLAGS.readOnlyKnown | (event.readOnly ? FLAGS.readOnly : 0);
  if (event.session.mfa !== null) flags |= FLAGS.mfaKnown | (event.session.mfa ? FLAGS.mfa : 0);
  if (event.session.console) flags |= FLAGS.console;
  if (event.dryRun) flags |= FLAGS.dryRun;
  if (event.correctsEventId !== null) flags |= FLAGS.correction;
  if (event.protectsLogs) flags |= FLAGS.protectsLogs;
  if (event.eventType === 'AwsServiceEvent') flags |= FLAGS.serviceEvent;
  if (event.operationClass === 'control') flags |= FLAGS.control;
  return flags;
}

function byIdentity(a: EventRow, b: EventRow): number {
  if (a.eventUuid !== b.eventUuid) return a.eventUuid < b.eventUuid ? -1 : 1;
  if (a.essence !== b.essence) return a.essence < b.essence ? -1 : 1;
  return a.eventTime - b.eventTime;
}
