/** What validation needs of the place where a trail's files lie: a bucket, or a folder that was copied from one. */
import type { ObjectMetadata } from './object-metadata.ts';

/** One account × Region below one prefix of a bucket. Log files do not say which trail they are of, so this is what can be held against digests. */
export interface Area {
  readonly account: string;
  readonly region: string;
  /** Key prefix with the account, e.g. `AWSLogs/o-exampleorgid/111122223333/`. */
  readonly place: string;
}

export type DigestRead =
  | {
      readonly kind: 'read';
      /** Uncompressed. */
      readonly bytes: Uint8Array;
      /** Null where it is not known, as for a copy of which nobody kept it. */
      readonly metadata: ObjectMetadata | null;
      /** Null where it is not known. */
      readonly bucket: string | null;
    }
  | Unread;

export type LogHash =
  | { readonly kind: 'hashed' /** SHA-256 of the uncompressed content, lower-case hex. */; readonly sha256: string }
  | Unread;

export type Unread =
  | { readonly kind: 'absent' }
  /** It is there but is no gzip file as CloudTrail writes it. */
  | { readonly kind: 'damaged'; readonly message: string }
  | { readonly kind: 'unreadable'; readonly message: string };

export interface TrailCopy extends AreaCopy {
  areas(): AsyncIterable<Area>;
}

export interface AreaCopy {
  /** Keys of all objects below the area's `CloudTrail-Digest/`, whatever they are. */
  digestKeys(area: Area): AsyncIterable<string>;
  /** The same below `CloudTrail/`. */
  logKeys(area: Area): AsyncIterable<string>;
  readDigest(key: string): Promise<DigestRead>;
  hashLog(key: string): Promise<LogHash>;
}
