import { hash, type KeyObject } from 'node:crypto';
import { type Digest, parseDigest } from './digest.ts';
import type { ObjectMetadata } from './object-metadata.ts';
import type { DigestName } from './object-name.ts';
import type { KeySource } from './public-keys.ts';
import { isSignatureOf, stringToSign } from './signature.ts';
import type { DigestRead, AreaCopy } from './trail-copy.ts';

export type DigestStanding = 'valid' | 'broken signature' | 'unverifiable signature' | 'changed file' | 'missing digest' | 'unreadable';

export interface Examined {
  readonly standing: DigestStanding;
  /** Why it is not valid. */
  readonly message: string;
  /** Whether its content is CloudTrail's: some signature of it fits, be it not the one that lies beside it. */
  readonly proven: boolean;
  readonly digest: Digest | null;
  /** SHA-256 of its uncompressed bytes, hex; null where there were none. */
  readonly contentHash: string | null;
  /** Whether the signature that counts is the one in the next digest, because its own metadata is not known. */
  readonly byChain: boolean;
  /** Where it says that it belongs, when that is not where it lies. */
  readonly movedFrom: { readonly bucket: string; readonly key: string } | null;
}

/** A signature that the next digest holds for this one. */
export interface Candidate {
  readonly signature: string;
  /** Whether the next digest is CloudTrail's. A signature proves itself wherever it comes from, but only a proven one is blamed for not fitting. */
  readonly proven: boolean;
}

interface Examination {
  readonly copy: AreaCopy;
  readonly publicKeys: KeySource;
  readonly candidate: Candidate | null;
}

/** Judges one digest by itself: is it there, where it says it is, readable, and signed? */
export async function examine(name: DigestName, { copy, publicKeys, candidate }: Examination): Promise<Examined> {
  const read = await copy.readDigest(name.key);
  if (read.kind === 'absent') return without('missing digest', 'the digest is not there');
  if (read.kind === 'unreadable') return without('unreadable', `the digest cannot be read: ${read.message}`);
  if (read.kind === 'damaged') return without('changed file', read.message);
  const digest = parsed(read.bytes);
  if (typeof digest === 'string') return without('changed file', `it is no digest: ${digest}`);
  const contentHash = hash('sha256', read.bytes);
  const keys = await publicKeys.find(name.region, digest.fingerprint, wantedAt(digest, read.metadata));
  const judged = judge(name, digest, { read, contentHash, keys, candidate });
  const isInPlace = digest.key === name.key && (read.bucket === null || read.bucket === digest.bucket);
  return { digest, contentHash, byChain: read.metadata === null, movedFrom: isInPlace ? null : digest, ...judged };
}

type Judged = Pick<Examined, 'standing' | 'message' | 'proven'>;

interface JudgedBy {
  readonly read: DigestRead & { readonly kind: 'read' };
  readonly contentHash: string;
  readonly keys: readonly KeyObject[];
  readonly candidate: Candidate | null;
}

/** When it was signed: at its end, backfill digests when they were made. */
function wantedAt({ end }: Digest, metadata: ObjectMetadata | null): number {
  const generated = Date.parse(metadata?.backfillGenerated ?? '');
  return Number.isNaN(generated) ? end : generated;
}

function judge(name: DigestName, digest: Digest, { read, contentHash, keys, candidate }: JudgedBy): Judged {
  if (keys.length === 0) return broken(`public key not found in region ${name.region} for fingerprint ${digest.fingerprint}`, false);
  const signed = stringToSign(digest, contentHash);
  const isChained = candidate !== null && isSignatureOf(signed, candidate.signature, keys);
  const { metadata } = read;
  if (metadata === null) {
    if (isChained) return { standing: 'valid', message: '', proven: true };
    if (candidate?.proven) return broken('the signature that the next digest holds for it does not fit', false);
    const message = 'its signature is neither given as metadata nor told by a digest after it';
    return { standing: 'unverifiable signature', message, proven: false };
  }
  const isVouched = isChained ? '; the signature in the next digest fits its content' : '';
  if (metadata.signature === null || metadata.algorithm === null)
    return broken(`the object has no signature in its metadata${isVouched}`, isChained);
  if (metadata.algorithm !== 'SHA256withRSA')
    return broken(`its metadata names another signature algorithm than SHA256withRSA${isVouched}`, isChained);
  if (!isSignatureOf(signed, metadata.signature, keys)) return broken(`signature verification failed${isVouched}`, isChained);
  if (name.backfill && metadata.backfillGenerated === null)
    return { standing: 'changed file', message: 'the backfill digest has no backfill-generation-timestamp in its metadata', proven: true };
  return { standing: 'valid', message: '', proven: true };
}

/** The digest in these bytes, or what is wrong with them. */
export function parsed(bytes: Uint8Array): Digest | string {
  try {
    return parseDigest(bytes);
  } catch (error) {
    if (error instanceof SyntaxError) return error.message;
    throw error;
  }
}

function broken(message: string, proven: boolean): Judged {
  return { standing: 'broken signature', message, proven };
}

function without(standing: DigestStanding, message: string): Examined {
  return { standing, message, proven: false, digest: null, contentHash: null, byChain: false, movedFrom: null };
}
