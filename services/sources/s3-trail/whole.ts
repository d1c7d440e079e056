import type { ReadLimits } from '../limits.ts';
import type { Buckets } from './buckets.ts';
import type { TrailObject } from './locator.ts';
import { readTail } from './read-object.ts';

/** A gzip file of this size may inflate far; below it, none of CloudTrail's does. */
const SURELY_SMALL_BYTES = 1_048_576;

/**
 * Whether a worker may read the object into memory. The last four bytes of a gzip file say what its last member inflates to; only where
 * it is large enough for the answer to matter, they are asked for. Logs shrink eight times and more: where they say less, there are
 * more members, and it is streamed. A file that lies about it meets the worker's own limit.
 * @throws KmswatchError SOURCE_UNREADABLE, SOURCE_DENIED
 */
export async function isReadWhole(
  buckets: Buckets,
  object: TrailObject & { readonly size: number },
  limits: Pick<ReadLimits, 'wholeGzipBytes' | 'wholeInflatedBytes'>,
): Promise<boolean> {
  if (object.size <= SURELY_SMALL_BYTES) return true;
  if (object.size > limits.wholeGzipBytes) return false;
  const tail = await readTail(buckets, object, 4);
  // The worker finds out the same, and puts it aside.
  if ('gone' in tail) return true;
  const inflated = tail.length < 4 ? 0 : tail.readUInt32LE(0);
  return inflated >= object.size * 4 && inflated <= limits.wholeInflatedBytes;
}
