import { KmswatchError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import type { ObjectReference } from './envelope.ts';

/** An object, and the queue that told of it: with that queue's credentials it is read. */
export interface TrailObject extends ObjectReference {
  /** `ACCOUNT/NAME@REGION`; null for what was found in a bucket of which no queue tells. */
  readonly queue: string | null;
}

/** `{bucket, key, region?, versionId?, etag?, size?, queue?}`: the same each time that the same object is told of by the same queue. */
export function toLocator({ bucket, key, region, versionId, etag, size, queue }: TrailObject): JsonObject {
  return {
    bucket,
    key,
    ...(region !== null && { region }),
    ...(versionId !== null && { versionId }),
    ...(etag !== null && { etag }),
    ...(size !== null && { size }),
    ...(queue !== null && { queue }),
  };
}

/** @throws KmswatchError SOURCE_UNREADABLE when it names no object */
export function fromLocator(locator: JsonObject): TrailObject {
  const { bucket, key, size } = locator;
  if (typeof bucket !== 'string' || typeof key !== 'string') {
    throw new KmswatchError('SOURCE_UNREADABLE', 'the locator names no object');
  }
  const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);
  return {
    bucket,
    key,
    queue: text(locator.queue),
    region: text(locator.region),
    versionId: text(locator.versionId),
    etag: text(locator.etag),
    size: typeof size === 'number' ? size : null,
  };
}
