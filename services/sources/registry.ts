import { hash } from 'node:crypto';
import { KmswatchError } from '../core/errors.ts';
import { decodeFrames } from '../core/frames.ts';
import type { JsonObject } from '../core/json.ts';
import type { OpenedDelivery, RawRecord, SourceName } from './contract.ts';
import { eventBridge } from './eventbridge/live.ts';
import type { ReadLimits } from './limits.ts';
import { lookupEvents } from './lookup-events/live.ts';
import { openReplayFile } from './replay/open.ts';
import { s3Trail } from './s3-trail/live.ts';

/** Reads again what a locator names. */
export type Opener = (locator: JsonObject, limits: ReadLimits) => Promise<OpenedDelivery>;

export type Openers = Readonly<Partial<Record<SourceName, Opener>>>;

/** Sources that run as long as the service does, by the name of their section under `sources` in the configuration. */
export const LIVE_SOURCES = {
  lookup_events: lookupEvents,
  s3_trail: s3Trail,
  eventbridge: eventBridge,
} as const;

/** How a delivery without payload is opened again, by source; a source that is not listed always brings the bytes along. */
const OPENERS: Openers = { replay: openReplayFile };

/**
 * Turns a delivery into records. What is wrong with the input comes back as `quarantined`.
 *
 * @param payload frames (core/frames.ts) of records, or null to read what the locator names
 * @param configured openers of sources that need settings to read anything, credentials for example
 * @throws KmswatchError SOURCE_UNREADABLE when there is neither; RangeError when the payload is no sequence of frames
 */
export async function openDelivery(
  source: SourceName,
  locator: JsonObject,
  payload: Uint8Array | null,
  limits: ReadLimits,
  configured: Openers = {},
): Promise<OpenedDelivery> {
  if (payload !== null) return openPayload(locator, payload);
  const open = configured[source] ?? OPENERS[source];
  if (!open) throw new KmswatchError('SOURCE_UNREADABLE', `a delivery of ${source} without payload cannot be opened: it is not configured`);
  return open(locator, limits);
}

/**
 * The records of a payload get the ordinals that they had in their input: from the locator's `firstOrdinal` on, without those in
 * `skippedOrdinals`, which belong to inputs that the source quarantined.
 */
function openPayload(locator: JsonObject, payload: Uint8Array): OpenedDelivery {
  const frames = decodeFrames(Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength));
  const skipped = new Set(Array.isArray(locator.skippedOrdinals) ? locator.skippedOrdinals : []);
  const records: RawRecord[] = [];
  let ordinal = typeof locator.firstOrdinal === 'number' ? locator.firstOrdinal : 0;
  for (const { offset, bytes } of frames) {
    while (skipped.has(ordinal)) ordinal++;
    records.push({ ordinal: ordinal++, offset, bytes });
  }
  return { records, quarantined: [], sha256: hash('sha256', payload) };
}
