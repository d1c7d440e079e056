import { createHash } from 'node:crypto';

const CANONICAL_UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** 32 hex digits as the text of a `uuid` column. */
export function uuidText(hex: string): string {
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
}

export function isCanonicalUuid(text: string): boolean {
  return CANONICAL_UUID.test(text);
}

/**
 * The 16-byte form under which an event id is stored and ordered. CloudTrail event ids are UUIDs; the rest (samples,
 * other writers) is hashed into a UUID of version 8, and the original text is kept beside it in `event_id_text`.
 */
export function eventUuid(eventId: string): string {
  if (CANONICAL_UUID.test(eventId)) return eventId;
  const hex = createHash('sha256').update(`event-id\n${eventId}`).digest('hex');
  return uuidText(`${hex.slice(0, 12)}8${hex.slice(13, 16)}8${hex.slice(17, 32)}`);
}

/** May the stored form be a hashed one, so that its text must be looked up? Version 8 is for custom use (RFC 9562 §5.8). */
export function mayBeHashed(uuid: string): boolean {
  return uuid[14] === '8';
}

/** First 32 hex digits of SHA-256 over the parts, unambiguous as to where one ends. */
export function digest128(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}

/** What the event ids of stand-ins begin with: events that KMS told EventBridge of by itself, without the id of a CloudTrail record. */
export const STAND_IN_PREFIX = 'eventbridge:';
