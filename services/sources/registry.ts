import { hash } from 'node:crypto';
import { KmswatchError } from '../core/errors.ts';
import { decodeFrames } from '../core/frames.ts';
import type { JsonObject } from '../core/json.ts';
import type { OpenedDelivery, RawRecord, SourceName } from './contract.ts';
import type { ReadLimits } from './limits.ts';
import { openReplayFile } from './replay/open.ts';

/** How a delivery without payload is opened again, by source; a source that is not listed always brings the bytes along. */
const OPENERS: Partial<Record<SourceName, (locator: JsonObject, limits: ReadLimits) => Promise<OpenedDelivery>>> = {
  replay: openReplayFile,
};

/**
 * Turns a delivery into records. What is wrong with the input comes back as `quarantined`.
 *
 * @param payload frames (core/frames.ts) of records, or null to read what the locator names
 * @throws KmswatchError SOURCE_UNREADABLE when there is neither; RangeError when the payload is no sequence of frames
 */
export async function openDelivery(
  source: SourceName,
  locator: JsonObject,
  payload: Uint8Array | null,
  limits: ReadLimits,
): Promise<OpenedDelivery> {
  if (payload !== null) return openPayload(locator, payload);
  const open = OPENERS[source];
  if (!open) throw new KmswatchError('SOURCE_UNREADABLE', `a delivery of ${source} without payload cannot be opened`);
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
