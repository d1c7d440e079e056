import { isUtf8 } from 'node:buffer';
import type { QuarantineReason } from '../core/quarantine.ts';
import { exceedsDepth } from './depth.ts';
import { isObject, type Raw } from './fields.ts';

export type Unwrapped = { readonly record: Raw } | { readonly record: null; readonly reason: QuarantineReason; readonly message: string };

/** https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html: 256 KB, 1 MB in Lake. */
export const RECORD_LIMIT = 1_048_576;
/** Levels of objects and arrays; the deepest real records have about a dozen. */
export const DEPTH_LIMIT = 256;
/** A record in a LookupEvents item, in a log message, in an export: nobody wraps more than this. */
const ENVELOPE_LIMIT = 4;

/**
 * The CloudTrail record in one candidate: itself, a LookupEvents item (`CloudTrailEvent`), an EventBridge message (`detail`),
 * a CloudWatch Logs event (`message`) or an export that keeps the text (`_raw`). Envelopes may be nested.
 */
export function unwrap(bytes: Uint8Array): Unwrapped {
  if (bytes.length > RECORD_LIMIT) return refuse('too-large', `${bytes.length} bytes are more than the limit of ${RECORD_LIMIT}`);
  if (!isUtf8(bytes)) return refuse('invalid-utf8', 'the bytes are not valid UTF-8');
  let text = decode(bytes);
  let value = parse(text);
  if (value === INVALID) return refuse('invalid-json', 'the bytes are not a JSON value');
  for (let level = 0; level <= ENVELOPE_LIMIT; level++) {
    if (!isObject(value)) return refuse('not-a-record', `a JSON ${kindOf(value)} is no CloudTrail record`);
    if (exceedsDepth(text, value, DEPTH_LIMIT)) return refuse('too-deep', `nests deeper than ${DEPTH_LIMIT} levels`);
    const inner = contentOf(value);
    if (inner === undefined) return recordOrRefusal(value);
    value = inner;
    if (typeof inner !== 'string') continue;
    if (inner.length > RECORD_LIMIT) return refuse('too-large', `a record of ${inner.length} characters within its envelope is too large`);
    text = inner;
    value = parse(inner);
    if (value === INVALID) return refuseText(inner);
  }
  return refuse('not-a-record', `envelopes nest deeper than ${ENVELOPE_LIMIT} levels`);
}

/** What an envelope holds; undefined when the object is no envelope. A record is never taken for one. */
function contentOf(object: Raw): unknown {
  if (object.eventVersion !== undefined || object.eventSource !== undefined || object.userIdentity !== undefined) return undefined;
  if (object.CloudTrailEvent !== undefined) return object.CloudTrailEvent;
  if (object['detail-type'] !== undefined && object.detail !== undefined) return object.detail;
  return object._raw ?? object.message ?? undefined;
}

function recordOrRefusal(object: Raw): Unwrapped {
  if (object.digestS3Bucket !== undefined || object.digestPublicKeyFingerprint !== undefined) {
    return refuse('digest-file', 'a CloudTrail digest, which holds no records');
  }
  const isRecord =
    object.eventSource !== undefined ||
    object.eventVersion !== undefined ||
    object.eventName !== undefined ||
    object.eventType !== undefined;
  return isRecord ? { record: object } : refuse('not-a-record', 'a JSON object without eventSource, eventName, eventType or eventVersion');
}

const INVALID = Symbol('invalid');

/** The parser's own message is not passed on: it quotes the text, which may hold an encryption context. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);
  } catch {
    return INVALID;
  }
}

function decode(bytes: Uint8Array): string {
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return buffer.toString('utf8');
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

/** A log line of another program is no damaged record. */
function refuseText(text: string): Unwrapped {
  return text.trimStart().startsWith('{')
    ? refuse('invalid-json', 'the text within the envelope is not a JSON value')
    : refuse('not-a-record', 'the text within the envelope is no JSON');
}

function refuse(reason: QuarantineReason, message: string): Unwrapped {
  return { record: null, reason, message };
}
