import { createHash } from 'node:crypto';
import type { Area, TrailCopy } from '../../services/compliance/integrity/trail-copy.ts';
import { PublicKeys } from '../../services/compliance/integrity/public-keys.ts';
import { type Verification, verifyTrails } from '../../services/compliance/integrity/verify.ts';
import { gunzipMember, readMember } from '../../services/sources/gzip-member.ts';
import type { Bucket } from './digest-chain.ts';

/** A bucket in memory, with or without the metadata of its objects, as what validation reads from. */
export function memoryCopy(bucket: Bucket, { metadata = true }: { metadata?: boolean } = {}): TrailCopy {
  const below = async function* (prefix: string): AsyncGenerator<string> {
    for (const key of [...bucket.objects.keys()].toSorted()) if (key.startsWith(prefix)) yield key;
  };
  return {
    async *areas() {
      const seen = new Map<string, Area>();
      for (const key of bucket.objects.keys()) {
        const [, place, account, region] = /^(.*?(\d{12})\/)CloudTrail(?:-Digest)?\/([^/]+)\//.exec(key) ?? [];
        if (place && account && region) seen.set(place + region, { place, account, region });
      }
      yield* seen.values();
    },
    digestKeys: ({ place, region }) => below(`${place}CloudTrail-Digest/${region}/`),
    logKeys: ({ place, region }) => below(`${place}CloudTrail/${region}/`),
    async readDigest(key) {
      const packed = bucket.objects.get(key);
      if (!packed) return { kind: 'absent' };
      const bytes = await gunzipMember(packed, 1_000_000);
      if (!bytes) return { kind: 'damaged', message: 'it is no sound gzip file' };
      const fields = bucket.metadata.get(key) ?? {};
      const known = {
        signature: fields['signature'] ?? null,
        algorithm: fields['signature-algorithm'] ?? null,
        backfillGenerated: fields['backfill-generation-timestamp'] ?? null,
      };
      return { kind: 'read', bytes, metadata: metadata ? known : null, bucket: bucket.name };
    },
    async hashLog(key) {
      const packed = bucket.objects.get(key);
      if (!packed) return { kind: 'absent' };
      const sha256 = createHash('sha256');
      const problem = await readMember(once(packed), { inflateFloorBytes: 1_000_000, inflateRatio: 400 }, (piece) => sha256.update(piece));
      return problem === null ? { kind: 'hashed', sha256: sha256.digest('hex') } : { kind: 'damaged', message: problem };
    },
  };
}

export function verifyBucket(
  bucket: Bucket,
  keys: object,
  { from = null, to = null, metadata = true }: { from?: number | null; to?: number | null; metadata?: boolean } = {},
): Promise<Verification> {
  const publicKeys = new PublicKeys();
  publicKeys.add(keys, { name: 'keys', region: null });
  return verifyTrails({ copy: memoryCopy(bucket, { metadata }), publicKeys, period: { from, to }, concurrency: 3 });
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
