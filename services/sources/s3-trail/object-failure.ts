import { KmswatchError } from '../../core/errors.ts';
import { awsFailure } from '../../platform/aws.ts';
import type { ObjectReference } from './envelope.ts';

/**
 * Why an object could not be read. `gone`: it never will be, so it is put aside; `denied`: a person has to do something, so it is tried
 * later; `changed`: it was replaced while it was read, and has to be read from its beginning; `passing`: it is tried again at once.
 */
export interface ObjectFailure {
  readonly kind: 'gone' | 'denied' | 'changed' | 'passing';
  /** A sentence. */
  readonly message: string;
  readonly credentialsExpired: boolean;
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
const GONE: ReadonlyMap<string, string> = new Map([
  ['NoSuchKey', 'the object does not exist (any more)'],
  ['NoSuchVersion', 'this version of the object does not exist (any more)'],
  ['NotFound', 'the object does not exist (any more)'],
  ['NoSuchBucket', 'the bucket does not exist (any more)'],
  ['MethodNotAllowed', 'this version of the object is a delete marker'],
  ['InvalidObjectState', 'the object is archived and has to be restored before it can be read'],
]);

export function objectFailure(error: unknown): ObjectFailure {
  const failure = awsFailure(error);
  const gone = GONE.get(failure.code);
  if (gone !== undefined) return { kind: 'gone', message: `${gone}: ${failure.code}`, credentialsExpired: false };
  const message = `${failure.code}: ${failure.message}; ${hintFor(failure.code) ?? failure.hint}`.slice(0, 600);
  // The connection broke in the middle of the body: the SDK does not name it.
  const isBroken = failure.reason === 'unknown' && /aborted|premature|socket hang up|terminated/i.test(failure.message);
  return {
    kind: failure.retryable || isBroken ? 'passing' : failure.code === 'PreconditionFailed' ? 'changed' : 'denied',
    message,
    credentialsExpired: failure.reason === 'credentials-expired',
  };
}

/** Buckets encrypted with KMS keys fail in KMS's words: https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html */
function hintFor(code: string): string | null {
  if (code.startsWith('KMS.')) return 'look at the KMS key that encrypts the bucket';
  if (code === 'AccessDenied') return 'the role needs s3:GetObject on the object and kms:Decrypt on the key that encrypts it';
  return null;
}

/** What is thrown for an object that can be read only when a person has done something about it: trying again at once is of no use. */
export function deniedObject(object: ObjectReference, message: string, cause?: unknown): KmswatchError {
  return new KmswatchError('SOURCE_DENIED', `s3://${object.bucket}/${object.key} could not be read: ${message}`, { cause });
}

/** What is thrown for an object that may be readable later. */
export function unreadableObject(object: ObjectReference, message: string, cause?: unknown): KmswatchError {
  return new KmswatchError('SOURCE_UNREADABLE', `s3://${object.bucket}/${object.key} could not be read: ${message}`, { cause });
}

/** Why access to an object is denied, when that is what an error of reading it says; null for every other error. */
export function denialOf(error: unknown): string | null {
  const cause = error instanceof KmswatchError ? error.cause : undefined;
  if (cause === undefined) return null;
  const failure = objectFailure(cause);
  return failure.kind === 'denied' ? failure.message : null;
}
