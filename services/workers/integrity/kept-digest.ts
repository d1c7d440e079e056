import { hash } from 'node:crypto';
import { MAX_DIGEST_BYTES } from '../../compliance/integrity/digest.ts';
import { parsed } from '../../compliance/integrity/examine.ts';
import { digestName } from '../../compliance/integrity/object-name.ts';
import type { DeliveredDigest } from '../../sources/digest.ts';
import { gunzipMember } from '../../sources/gzip-member.ts';
import type { KeptDigest } from '../../store/digests.ts';

/** What is to be kept of an object among the digests; null when it is none: not named as one, or no gzip file. */
export async function keptDigest({ bucket, key, packed, etag, metadata }: DeliveredDigest): Promise<KeptDigest | null> {
  const name = digestName(key);
  const content = name && (await gunzipMember(packed, MAX_DIGEST_BYTES));
  if (!name || !content) return null;
  const digest = parsed(content);
  const told = typeof digest === 'string' ? null : digest;
  return {
    bucket,
    key,
    account: name.account,
    region: name.region,
    trail: name.trail,
    start: told?.start ?? null,
    end: name.time,
    sha256: hash('sha256', content),
    previousKey: told?.previous?.key ?? null,
    previousSha256: told?.previous?.hash ?? null,
    fingerprint: told?.fingerprint ?? null,
    signature: metadata.signature,
    algorithm: metadata.algorithm,
    backfillGenerated: metadata.backfillGenerated,
    packed,
    etag,
  };
}
