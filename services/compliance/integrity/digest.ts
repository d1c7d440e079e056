/**
 * A digest file's content. Source:
 * https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html
 */
import { parseBoundedJson } from './bounded-json.ts';

export interface LogFileEntry {
  readonly key: string;
  /** SHA-256 of the uncompressed content, lower-case hex. */
  readonly hash: string;
}

export interface Digest {
  /** The delivery time that it covers, epoch milliseconds. */
  readonly start: number;
  readonly end: number;
  /** `digestEndTime` as it is written: the signature is over this text. */
  readonly endText: string;
  readonly bucket: string;
  readonly key: string;
  readonly fingerprint: string;
  /** `previousDigestSignature` as it is written; null in a starting digest. */
  readonly previousSignature: string | null;
  /** The digest before; null in a starting digest. */
  readonly previous: { readonly bucket: string; readonly key: string; readonly hash: string | null } | null;
  readonly logFiles: readonly LogFileEntry[];
}

/** The most that a digest may hold inflated: some 35,000 log files, where CloudTrail lists a few hundred in a busy hour. */
export const MAX_DIGEST_BYTES = 16 * 1024 * 1024;

/** A digest nests three levels. */
const MAX_DEPTH = 8;

/** S3's own limit: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html */
const LONGEST_KEY = 1024;

/** A signature of an 8192-bit key has 2048 hex digits. */
const LONGEST_TEXT = 4096;

const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/;
const SHA256 = /^[0-9a-f]{64}$/i;

/** Reads a digest's uncompressed bytes. Strict about what validation rests on, blind to everything else. @throws SyntaxError saying what is wrong */
export function parseDigest(bytes: Uint8Array): Digest {
  const fields = asObject(parseBoundedJson(bytes, MAX_DEPTH), 'it');
  const algorithm = textOrNull(fields, 'digestSignatureAlgorithm');
  if (algorithm !== null && algorithm !== 'SHA256withRSA') throw new SyntaxError('digestSignatureAlgorithm is not SHA256withRSA');
  const endText = text(fields, 'digestEndTime');
  const [start, end] = [moment(text(fields, 'digestStartTime'), 'digestStartTime'), moment(endText, 'digestEndTime')];
  if (start > end) throw new SyntaxError('digestStartTime is later than digestEndTime');
  if (!Object.hasOwn(fields, 'previousDigestSignature')) throw new SyntaxError('previousDigestSignature is missing');
  const logFiles = fields['logFiles'];
  if (!Array.isArray(logFiles)) throw new SyntaxError('logFiles is not a list');
  return {
    start,
    end,
    endText,
    bucket: text(fields, 'digestS3Bucket'),
    key: text(fields, 'digestS3Object', LONGEST_KEY),
    fingerprint: text(fields, 'digestPublicKeyFingerprint'),
    previousSignature: textOrNull(fields, 'previousDigestSignature'),
    previous: previousOf(fields),
    logFiles: logFiles.map(logFileEntry),
  };
}

/** A digest that names no bucket or no object before it begins a chain, as for AWS's own validator. */
function previousOf(fields: Fields): Digest['previous'] {
  const [bucket, key] = [textOrNull(fields, 'previousDigestS3Bucket'), textOrNull(fields, 'previousDigestS3Object', LONGEST_KEY)];
  const [hash, algorithm] = [textOrNull(fields, 'previousDigestHashValue'), textOrNull(fields, 'previousDigestHashAlgorithm')];
  if (hash !== null && !SHA256.test(hash)) throw new SyntaxError('previousDigestHashValue is no SHA-256 hash');
  if (algorithm !== null && algorithm !== 'SHA-256') throw new SyntaxError('previousDigestHashAlgorithm is not SHA-256');
  return bucket === null || key === null ? null : { bucket, key, hash: hash?.toLowerCase() ?? null };
}

function logFileEntry(value: unknown): LogFileEntry {
  const entry = asObject(value, 'an entry of logFiles');
  const hash = text(entry, 'hashValue');
  if (!SHA256.test(hash)) throw new SyntaxError('a hashValue is no SHA-256 hash');
  const algorithm = textOrNull(entry, 'hashAlgorithm');
  if (algorithm !== null && algorithm !== 'SHA-256') throw new SyntaxError('a hashAlgorithm is not SHA-256');
  return { key: text(entry, 's3Object', LONGEST_KEY), hash: hash.toLowerCase() };
}

type Fields = Readonly<Record<string, unknown>>;

function asObject(value: unknown, what: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new SyntaxError(`${what} is no JSON object`);
  return value as Fields;
}

function text(fields: Fields, name: string, longest = LONGEST_TEXT): string {
  const value = textOrNull(fields, name, longest);
  if (value === null || value === '') throw new SyntaxError(`${name} is missing`);
  return value;
}

function textOrNull(fields: Fields, name: string, longest = LONGEST_TEXT): string | null {
  const value = Object.hasOwn(fields, name) ? fields[name] : null;
  if (value === null || value === undefined) return null;
  if (typeof value !== 'string') throw new SyntaxError(`${name} is no text`);
  if (value.length > longest) throw new SyntaxError(`${name} is longer than ${longest} characters`);
  return value;
}

function moment(value: string, name: string): number {
  const at = MOMENT.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(at)) throw new SyntaxError(`${name} is no time`);
  return at;
}
