/**
 * How CloudTrail signs digests: RSASSA-PKCS1-v1_5 with SHA-256. Source:
 * https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-custom-validation.html
 */
import { constants, hash, type KeyObject, publicDecrypt } from 'node:crypto';
import type { Digest } from './digest.ts';

/** DER of DigestInfo up to the SHA-256 hash itself (RFC 8017, 9.2, note 1). */
const SHA256_INFO = Buffer.from('3031300d060960864801650304020105000420', 'hex');

const HEX = /^(?:[0-9a-f]{2})+$/i;

/** What is signed. The time stands as it is written in the digest; there is no newline at the end. */
export function stringToSign(
  digest: Pick<Digest, 'endText' | 'bucket' | 'key' | 'previousSignature'>,
  /** SHA-256 of the digest's uncompressed bytes, lower-case hex. */
  contentHash: string,
): string {
  return [digest.endText, `${digest.bucket}/${digest.key}`, contentHash, digest.previousSignature ?? 'null'].join('\n');
}

/** The SHA-256 hash (hex) that a signature (hex) by this key is about; null when it is no such signature at all. */
export function signedHash(signature: string, key: KeyObject): string | null {
  if (!HEX.test(signature)) return null;
  let info: Buffer;
  try {
    info = publicDecrypt({ key, padding: constants.RSA_PKCS1_PADDING }, Buffer.from(signature, 'hex'));
  } catch {
    // OpenSSL's way to say that there is no PKCS #1 block of type 1 inside.
    return null;
  }
  const isSha256 = info.length === SHA256_INFO.length + 32 && info.subarray(0, SHA256_INFO.length).equals(SHA256_INFO);
  return isSha256 ? info.subarray(SHA256_INFO.length).toString('hex') : null;
}

export function isSignatureOf(signed: string, signature: string, keys: readonly KeyObject[]): boolean {
  const expected = hash('sha256', signed);
  return keys.some((key) => signedHash(signature, key) === expected);
}
