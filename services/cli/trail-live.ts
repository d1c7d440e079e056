/** A trail's bucket over a past time, as what validation reads from. */
import type { Area, TrailCopy } from '../compliance/integrity/trail-copy.ts';
import { DAY, HOUR } from '../core/clock.ts';
import type { TrailBucket } from '../sources/s3-trail/trail-bucket.ts';
import { inflated } from '../workers/integrity/remembered-copy.ts';

export interface TrailLiveOptions {
  /** Epoch milliseconds. */
  readonly period: { readonly from: number; readonly to: number };
  /** Told of each file that was read: bytes, of log files inflated ones. */
  readonly onRead: (kind: 'digest' | 'log', bytes: number) => void;
}

/** Listings begin this much before the period: the digest before it says what was due. */
const LEAD_MS = 2 * HOUR;

/** A log file that comes late is listed by a digest after the period, which is at most this much later. */
const LATE_MS = DAY;

export function liveTrail(bucket: TrailBucket, { period, onRead }: TrailLiveOptions): TrailCopy {
  async function* keys(area: Area, type: 'CloudTrail' | 'CloudTrail-Digest', until: number): AsyncGenerator<string> {
    for await (const { key } of bucket.list(area, type, { from: period.from - LEAD_MS, to: until })) yield key;
  }
  return {
    areas: () => bucket.areas(),
    digestKeys: (area) => keys(area, 'CloudTrail-Digest', period.to + LATE_MS),
    logKeys: (area) => keys(area, 'CloudTrail', period.to),
    async readDigest(key) {
      const read = await bucket.digest(key);
      if (read.kind !== 'read') return read;
      onRead('digest', read.packed.length);
      return await inflated(read, bucket.name);
    },
    async hashLog(key) {
      const hashed = await bucket.hashLog(key);
      if (hashed.kind === 'hashed') onRead('log', hashed.bytes);
      return hashed;
    },
  };
}
