import { hash } from 'node:crypto';
import type { JsonObject } from '../../core/json.ts';
import type { OpenedDelivery } from '../contract.ts';
import { gunzipMember } from '../gzip-member.ts';
import { isGzip } from '../inflate.ts';
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
  let etag: string | null = null;
  const options = { maxBytes: limits.wholePlainBytes, onEtag: (told: string | null) => void (etag = told) };
  try {
    for await (const piece of readObject(buckets, object, options)) pieces.push(piece);
  } catch (error) {
    if (error instanceof ObjectGone) return nothing(error.message);
    throw error;
  }
  const packed = Buffer.concat(pieces);
  const content = isGzip(packed) ? await gunzipMember(packed, limits.wholeInflatedBytes) : null;
  if (content === null || isGzip(content)) return await openBytes(packed, limits);
  const opened = await openBytes(content, limits);
  // By the ETag in the locator the hash is found again, so it must be that of what was read.
  const contentSha256 = object.etag === etag ? opened.sha256 : null;
  return { ...opened, sha256: hash('sha256', packed), contentSha256 };
}

function nothing(message: string): OpenedDelivery {
  const bytes = new Uint8Array(0);
  const quarantined = [{ reason: 'unreadable', message, ordinal: null, offset: null, length: null, bytes }] as const;
  return { records: [], quarantined, sha256: hash('sha256', bytes) };
}
