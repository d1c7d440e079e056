/** A digest of CloudTrail's as it lies in its bucket: its signature is nowhere but in the object's metadata. */
export interface DigestObject {
  /** Gzip. */
  readonly packed: Buffer;
  /** Without quotes. */
  readonly etag: string | null;
  /** User metadata: `x-amz-meta-signature` and so on; null = there is none of that name. */
  readonly metadata: {
    readonly signature: string | null;
    readonly algorithm: string | null;
    readonly backfillGenerated: string | null;
  };
}

/** The same with the place where it was found. */
export interface DeliveredDigest extends DigestObject {
  readonly bucket: string;
  readonly key: string;
}
