import type { Event } from '@aws-sdk/client-cloudtrail';
import { encodeFrames, type Frame } from '../../core/frames.ts';
import type { JsonObject } from '../../core/json.ts';
import type { QuarantinedInput } from '../../core/quarantine.ts';
import { DEFAULT_LIMITS } from '../limits.ts';
import type { Filter } from './filter.ts';
import { digestOf, type Seen } from './seen.ts';

/** What is delivered of one page. */
export interface Draft {
  readonly payload: Uint8Array;
  /** Ordinals are positions on the page without what was passed over. */
  readonly skippedOrdinals: readonly number[];
  readonly quarantined: readonly QuarantinedInput[];
  readonly records: readonly { readonly digest: string; readonly time: number }[];
}

export interface Wanted {
  readonly filter: Filter;
  readonly relevant: (service: string, operation: string) => boolean;
  readonly seen: Seen;
}

const SUFFIX = '.amazonaws.com';

/**
 * The records of a page that are wanted and not known yet; null when there are none. A record is the text that CloudTrail gives,
 * unparsed. What it says beside the text serves to pass over what is certainly not wanted, and for nothing else.
 */
export function draftOf(events: readonly Event[], wanted: Wanted): Draft | null {
  const frames: Frame[] = [];
  const records: { digest: string; time: number }[] = [];
  const quarantined: QuarantinedInput[] = [];
  let ordinal = 0;
  for (const event of events) {
    if (!isWanted(event, wanted)) continue;
    const text = event.CloudTrailEvent ?? outside(event);
    const digest = digestOf(text);
    if (wanted.seen.has(digest)) continue;
    const bytes = Buffer.from(text);
    records.push({ digest, time: event.EventTime?.getTime() ?? 0 });
    const problem = problemOf(event, bytes);
    if (problem) quarantined.push({ ...problem, ordinal, offset: null, length: bytes.length, bytes });
    else frames.push({ offset: ordinal, bytes });
    ordinal += 1;
  }
  if (records.length === 0) return null;
  const skippedOrdinals = quarantined.flatMap((input) => input.ordinal ?? []);
  return { payload: encodeFrames(frames), skippedOrdinals, quarantined, records };
}

function isWanted({ EventSource, EventName }: Event, { filter, relevant }: Wanted): boolean {
  if (EventSource === undefined) return true;
  if (!filter.sources.has(EventSource)) return false;
  return EventName === undefined || !EventSource.endsWith(SUFFIX) || relevant(EventSource.slice(0, -SUFFIX.length), EventName);
}

function problemOf(event: Event, bytes: Uint8Array): Pick<QuarantinedInput, 'reason' | 'message'> | null {
  if (event.CloudTrailEvent === undefined) return { reason: 'not-a-record', message: 'LookupEvents gave an event without its record' };
  if (bytes.length <= DEFAULT_LIMITS.maxRecordBytes) return null;
  return { reason: 'too-large', message: `the record has ${bytes.length} bytes; the limit is ${DEFAULT_LIMITS.maxRecordBytes}` };
}

/** What there is of an event without its record. */
function outside({ EventId, EventName, EventSource, EventTime, Username }: Event): string {
  const told: JsonObject = { EventId, EventName, EventSource, EventTime: EventTime?.toISOString(), Username };
  return JSON.stringify(told);
}
