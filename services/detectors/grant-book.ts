/** Grants that somebody gave directly on a key, as its time line tells them, and which of them stood at each event. */
import type { StoredEvent } from '../core/event.ts';
import { type Grant, grantsOf } from '../keys/grants.ts';
import type { KeySubject } from './contract.ts';
import { oncePer } from './once-per.ts';

export const GRANT_EVENTS = ['kms:CreateGrant', 'kms:RevokeGrant', 'kms:RetireGrant'];

const grants = oncePer((subject: KeySubject) =>
  grantsOf(
    subject.timeline.map(({ event }) => event),
    subject.arn,
  ),
);

/** The grant that CreateGrant, RetireGrant or RevokeGrant is about; null where it was made before the records begin, or by a service. */
export function grantAt(event: StoredEvent, subject: KeySubject): Grant | null {
  const { grantId } = event.detail ?? {};
  return grantId === undefined || event.service !== 'kms' ? null : (grants(subject).get(grantId) ?? null);
}

/** Is this event the one that ended the last grant to its grantee that `wanted` holds for? */
export function endsLast(event: StoredEvent, subject: KeySubject, wanted: (grant: Grant) => boolean): boolean {
  const ended = grantAt(event, subject);
  if (ended?.ended?.eventId !== event.eventId) return false;
  const others = [...grants(subject).values()].filter(({ grantId, grantee }) => grantee === ended.grantee && grantId !== ended.grantId);
  return others.every(
    (other) => !wanted(other) || (other.createdAt ?? 0) > event.eventTime || (other.ended?.at ?? Infinity) <= event.eventTime,
  );
}

/** A name that calls can be told apart by: the grantee where the record tells one, the grant itself otherwise. */
export function granteeKey(event: StoredEvent, subject: KeySubject): string {
  return grantAt(event, subject)?.grantee ?? event.detail?.grantId ?? event.eventId;
}

/** Case of a key that is gone: so are its grants. */
export function goneWithKey(subject: KeySubject): { readonly at: number; readonly reason: string } | null {
  const deleted = subject.facts.deleted;
  return deleted === undefined ? null : { at: deleted.at, reason: 'AWS deleted the key, and its grants with it.' };
}
