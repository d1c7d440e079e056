import { hash } from 'node:crypto';
import type { JsonObject } from '../../core/json.ts';
import type { OpenedDelivery } from '../contract.ts';
import type { ReadLimits } from '../limits.ts';
import { openBytes } from '../read.ts';
import type { Buckets } from './buckets.ts';
import { fromLocator } from './locator.ts';
import { ObjectGone, readObject } from './read-object.ts';

/**
 * Reads the object that a locator names. One that is not there (any more) gives no records and is quarantined as `unreadable`.
 *
 * @throws KmswatchError SOURCE_UNREADABLE when it may be readable later: access denied, throttled, the KMS key disabled, …
 */
export async function openTrailObject(buckets: Buckets, locator: JsonObject, limits: ReadLimits): Promise<OpenedDelivery> {
  const object = fromLocator(locator);
  const pieces: Uint8Array[] = [];
  try {
    for await (const piece of readObject(buckets, object, limits.wholePlainBytes)) pieces.push(piece);
  } catch (error) {
    if (error instanceof ObjectGone) return nothing(error.message);
    throw error;
  }
  return await openBytes(Buffer.concat(pieces), limits);
}

function nothing(message: string): OpenedDelivery {
  const bytes = new Uint8Array(0);
  const quarantined = [{ reason: 'unreadable', message, ordinal: null, offset: null, length: null, bytes }] as const;
  return { records: [], quarantined, sha256: hash('sha256', bytes) };
}
