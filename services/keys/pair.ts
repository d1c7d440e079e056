/**
 * KMS tells EventBridge of rotations, expiries and deletions by events of its own, without a CloudTrail event id. What stands in for them
 * (`sources/eventbridge/stand-in.ts`) is an event like any other and stays stored; where the CloudTrail record of the same happening is
 * known too, the stand-in is another sighting of it and counts for nothing. A pure function of a key's events, so that it does not matter
 * which of the two comes first, how often, or in which order.
 */
import { DAY, HOUR, MINUTE } from '../core/clock.ts';
import type { StoredEvent } from '../core/event.ts';
import { STAND_IN_PREFIX } from '../core/ids.ts';

/**
 * How far the times of the two tellings may lie apart, by operation; AWS promises none
 * (https://docs.aws.amazon.com/kms/latest/developerguide/kms-events.html). A rotation on demand is refused while another is under way or
 * due within 20 minutes (ConflictException, https://docs.aws.amazon.com/kms/latest/APIReference/API_RotateKeyOnDemand.html): half of that
 * hardly ever joins two rotations, and the key material that newer records name tells them apart. Material that expired has to be imported
 * again before it can expire again; a key is deleted once.
 */
const TOLERANCE_MS: ReadonlyMap<string, number> = new Map([
  ['RotateKey', 10 * MINUTE],
  ['DeleteExpiredKeyMaterial', HOUR],
  ['DeleteKey', DAY],
]);

/** The events of one key without the stand-ins whose record is among them, in their order; the same array when there are none. */
export function withoutPairedStandIns(events: readonly StoredEvent[]): readonly StoredEvent[] {
  const paired = pairedStandIns(events);
  return paired.size === 0 ? events : events.filter((event) => !paired.has(event));
}

/** Stand-ins among the events of one key, each with the record of the same happening: the nearest one, of two that are as near the earlier. */
export function pairedStandIns(events: readonly StoredEvent[]): ReadonlyMap<StoredEvent, StoredEvent> {
  const pairs = new Map<StoredEvent, StoredEvent>();
  const standIns = events.filter(isStandIn);
  if (standIns.length === 0) return pairs;
  const records = recordsByOperation(events);
  for (const standIn of standIns) {
    const record = nearest(records.get(standIn.operation) ?? [], standIn);
    if (record !== null) pairs.set(standIn, record);
  }
  return pairs;
}

function isStandIn(event: StoredEvent): boolean {
  return event.eventId.startsWith(STAND_IN_PREFIX) && TOLERANCE_MS.has(event.operation);
}

/** In order of time. */
function recordsByOperation(events: readonly StoredEvent[]): Map<string, StoredEvent[]> {
  const records = new Map<string, StoredEvent[]>();
  for (const event of events) {
    if (event.service !== 'kms' || event.outcome !== 'ok' || !TOLERANCE_MS.has(event.operation) || isStandIn(event)) continue;
    const same = records.get(event.operation);
    if (same) same.push(event);
    else records.set(event.operation, [event]);
  }
  for (const same of records.values()) same.sort((a, b) => a.eventTime - b.eventTime || (a.eventId < b.eventId ? -1 : 1));
  return records;
}

function nearest(records: readonly StoredEvent[], standIn: StoredEvent): StoredEvent | null {
  const tolerance = TOLERANCE_MS.get(standIn.operation) ?? 0;
  let found: StoredEvent | null = null;
  for (let at = firstFrom(records, standIn.eventTime - tolerance); at < records.length; at += 1) {
    const record = records[at] as StoredEvent;
    if (record.eventTime > standIn.eventTime + tolerance) break;
    if (!mayBeSame(record, standIn)) continue;
    if (found === null || distance(record, standIn) < distance(found, standIn)) found = record;
  }
  return found;
}

/** Rotations tell the new key material, in newer records; of an expiry EventBridge does not tell which material it was. */
function mayBeSame(record: StoredEvent, standIn: StoredEvent): boolean {
  const [told, known] = [standIn.detail?.keyMaterialId, record.detail?.keyMaterialId];
  return (
    record.account === standIn.account && record.region === standIn.region && (told === undefined || known === undefined || told === known)
  );
}

function distance(a: StoredEvent, b: StoredEvent): number {
  return Math.abs(a.eventTime - b.eventTime);
}

/** Index of the first record at or after a time. */
function firstFrom(records: readonly StoredEvent[], time: number): number {
  let [low, high] = [0, records.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((records[middle]?.eventTime ?? 0) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}
