/** How much of an input is read at once and when it is given up. Sizes are bytes. */
export interface ReadLimits {
  /** A larger record is quarantined as `too-large`. */
  readonly maxRecordBytes: number;
  /** A record that nests deeper is quarantined as `too-deep`. */
  readonly maxDepth: number;
  /** An uncompressed file up to this size is one delivery that the worker opens; a larger one is streamed. */
  readonly wholePlainBytes: number;
  /** The same for a gzip file, compressed size. */
  readonly wholeGzipBytes: number;
  /** The most that a delivery opened by a worker may inflate to. */
  readonly wholeInflatedBytes: number;
  /** The most records (and quarantined inputs) that one opened delivery may hold; the rest is quarantined as one. */
  readonly wholeRecords: number;
  /** A streamed input is cut into deliveries of at most this many records … */
  readonly chunkRecords: number;
  /** … and about this many bytes of them. */
  readonly chunkBytes: number;
  /** Below this many inflated bytes no ratio is looked at. */
  readonly inflateFloorBytes: number;
  /** Above the floor: the most inflated bytes for one compressed byte. Deflate's own maximum is 1032. */
  readonly inflateRatio: number;
}

const KIB = 1024;
const MIB = 1024 * KIB;

/**
 * CloudTrail's own log files hold at most 50 MB
 * (https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html)
 * before compression. Measured with gzip: KMS records that differ in their ids shrink 15 times, one record repeated over and over 206 times;
 * zeros, the usual bomb, 1030 times.
 */
export const DEFAULT_LIMITS: ReadLimits = {
  maxRecordBytes: MIB,
  maxDepth: 256,
  wholePlainBytes: 16 * MIB,
  wholeGzipBytes: 8 * MIB,
  wholeInflatedBytes: 64 * MIB,
  wholeRecords: 256 * KIB,
  chunkRecords: 2_000,
  chunkBytes: 4 * MIB,
  inflateFloorBytes: 64 * MIB,
  inflateRatio: 400,
};
