/**
 * Grants of a key as state: what CreateGrant gave, until RetireGrant, RevokeGrant or the end of the key took it away. A grant's id is
 * never given again, so whatever ends it ends it for good.
 * Source: https://docs.aws.amazon.com/kms/latest/developerguide/grants.html
 */
import type { StoredEvent } from '../core/event.ts';
import type { ListedGrant } from '../core/inventory.ts';
import type { JsonObject } from '../core/json.ts';
import { inOrder } from './reduce.ts';

/** `source-arn`: for a service acting for one resource; `context-…`: only with that encryption context; several are joined by `+`. */
export type GrantConstraint = 'none' | 'context-equals' | 'context-subset' | 'source-arn' | 'other';

export interface Grant {
  readonly grantId: string;
  readonly grantee: string | null;
  readonly retiring: string | null;
  /** Sorted; null = the record does not say. */
  readonly operations: readonly string[] | null;
  readonly constraints: readonly GrantConstraint[];
  /** Names of the encryption context that the grant asks for; never values. Sorted. */
  readonly contextKeys: readonly string[];
  /** Epoch milliseconds; null = not known. */
  readonly createdAt: number | null;
  /** Actor id; null = no record tells. */
  readonly createdBy: string | null;
  /** AWS service that gave it, for itself or on behalf of `createdBy`; null for one that was given directly, or where no record tells. */
  readonly through: string | null;
  readonly createdEventId: string | null;
  readonly ended: GrantEnd | null;
}

export interface GrantEnd {
  readonly at: number;
  /** `not listed`: KMS did not list it any more, and no record tells why. */
  readonly how: 'retired' | 'revoked' | 'key deleted' | 'not listed';
  readonly eventId: string | null;
}

/** A grant as KMS listed it once. */
export interface GrantOnList extends ListedGrant {
  /** When it was listed for the last time, and since when it is not any more; epoch milliseconds. */
  readonly asOf: number;
  readonly endedAt: number | null;
}

/** All grants that the events tell of, by grant id, in order of their creation. Order and repetition of events do not matter. */
export function grantsOf(events: readonly StoredEvent[], keyArn: string): ReadonlyMap<string, Grant> {
  const grants = new Map<string, Grant>();
  const ends = new Map<string, GrantEnd>();
  let gone: GrantEnd | null = null;
  for (const event of inOrder(events)) {
    if (event.service !== 'kms' || event.outcome !== 'ok' || event.key?.arn !== keyArn) continue;
    const grantId = event.detail?.grantId;
    if (event.operation === 'DeleteKey') gone ??= { at: event.eventTime, how: 'key deleted', eventId: event.eventId };
    if (grantId === undefined) continue;
    if (event.operation === 'CreateGrant' && !grants.has(grantId)) grants.set(grantId, grantBy(event, grantId));
    const how = ENDS.get(event.operation);
    if (how !== undefined && !ends.has(grantId)) ends.set(grantId, { at: event.eventTime, how, eventId: event.eventId });
  }
  return new Map([...grants].map(([id, grant]) => [id, { ...grant, ended: ends.get(id) ?? gone }]));
}

/**
 * What events tell, and what KMS listed besides: grants that were given before the records begin, and ends that no record tells of. What
 * ended by an event stays ended: for some minutes KMS may go on listing it.
 */
export function withListed(grants: ReadonlyMap<string, Grant>, listed: readonly GrantOnList[]): ReadonlyMap<string, Grant> {
  const all = new Map(grants);
  for (const one of listed) {
    const told = all.get(one.grantId);
    const ended: GrantEnd | null = one.endedAt === null ? null : { at: one.endedAt, how: 'not listed', eventId: null };
    if (told === undefined) all.set(one.grantId, { ...fromList(one), ended });
    else if (told.ended === null && ended !== null) all.set(one.grantId, { ...told, ended });
  }
  return all;
}

function fromList({ grantId, grantee, retiringPrincipal, operations, constraints, created }: GrantOnList): Omit<Grant, 'ended'> {
  const kinds: readonly (readonly [GrantConstraint, readonly string[] | true | undefined])[] = [
    ['context-equals', constraints.encryption_context_equals],
    ['context-subset', constraints.encryption_context_subset],
    ['source-arn', constraints.source_arn],
  ];
  const found = kinds.flatMap(([kind, value]) => (value === true || (value?.length ?? 0) > 0 ? [kind] : []));
  return {
    grantId,
    grantee,
    retiring: retiringPrincipal,
    operations: operations.toSorted(),
    constraints: found.length === 0 ? ['none'] : found,
    contextKeys: kinds.flatMap(([, value]) => (value === true ? [] : (value ?? []))).toSorted(),
    createdAt: created,
    createdBy: null,
    through: null,
    createdEventId: null,
  };
}

/** Those that have not ended. */
export function currentGrants(events: readonly StoredEvent[], keyArn: string): readonly Grant[] {
  return [...grantsOf(events, keyArn).values()].filter((grant) => grant.ended === null);
}

const ENDS: ReadonlyMap<string, GrantEnd['how']> = new Map([
  ['RetireGrant', 'retired'],
  ['RevokeGrant', 'revoked'],
]);

function grantBy(event: StoredEvent, grantId: string): Grant {
  const { granteePrincipal, retiringPrincipal, operations, grantConstraints } = event.detail ?? {};
  return {
    grantId,
    grantee: granteePrincipal ?? null,
    retiring: retiringPrincipal ?? null,
    operations: operations === undefined ? null : [...new Set(operations)].toSorted(),
    constraints: constraintsOf(grantConstraints),
    contextKeys: contextKeysOf(grantConstraints),
    createdAt: event.eventTime,
    createdBy: event.actor.id,
    through: event.callingService ?? (event.actor.type === 'service' ? event.actor.name : null),
    createdEventId: event.eventId,
    ended: null,
  };
}

const KINDS: ReadonlyMap<string, GrantConstraint> = new Map([
  ['encryptioncontextequals', 'context-equals'],
  ['encryptioncontextsubset', 'context-subset'],
  ['sourcearn', 'source-arn'],
]);

/** An empty encryption context asks for nothing, so it is no constraint. */
function constraintsOf(constraints: JsonObject | undefined): readonly GrantConstraint[] {
  const found = Object.entries(constraints ?? {}).flatMap(([name, value]) => {
    const empty = value === null || value === '' || (typeof value === 'object' && Object.keys(value).length === 0);
    return empty ? [] : [KINDS.get(name.toLowerCase()) ?? ('other' as const)];
  });
  return found.length === 0 ? ['none'] : [...new Set(found)].toSorted();
}

function contextKeysOf(constraints: JsonObject | undefined): readonly string[] {
  const keys = Object.entries(constraints ?? {}).flatMap(([name, value]) =>
    name.toLowerCase().startsWith('encryptioncontext') && typeof value === 'object' && value !== null ? Object.keys(value) : [],
  );
  return [...new Set(keys)].toSorted();
}
