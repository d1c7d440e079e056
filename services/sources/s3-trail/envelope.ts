/**
 * What a message of a queue fed by S3 or CloudTrail says. Six forms reach such a queue, and one parser tells them apart by what is in
 * them: an S3 notification, the same within an SNS message or delivered raw by SNS, an EventBridge event, the message of CloudTrail's
 * own SNS topic, and the test messages of S3 and CloudTrail.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
 * https://docs.aws.amazon.com/awscloudtrail/latest/userguide/configure-sns-notifications-for-cloudtrail.html
 */

/** An object that a message tells of. */
export interface ObjectReference {
  readonly bucket: string;
  /** Decoded: as GetObject wants it. */
  readonly key: string;
  /** The bucket's Region; null where the message does not tell. */
  readonly region: string | null;
  readonly versionId: string | null;
  /** Without quotes. */
  readonly etag: string | null;
  /** Bytes; null where the message does not tell. */
  readonly size: number | null;
}

export const ENVELOPE_FORMS = ['s3', 'eventbridge', 'cloudtrail-sns', 'test', 'unknown'] as const;

/** Form of the message itself, whether or not SNS wrapped it. */
export type EnvelopeForm = (typeof ENVELOPE_FORMS)[number];

/** Why something in a message needs no work. */
export type Ignored = 'test-event' | 'validation-message' | 'not-created';

export interface Envelope {
  readonly form: EnvelopeForm;
  readonly wrappedBySns: boolean;
  readonly objects: readonly ObjectReference[];
  /** One entry for each thing that was passed over. */
  readonly ignored: readonly Ignored[];
  /** What could not be understood, a sentence; the message is then to be kept for a person to look at. */
  readonly problem: string | null;
}

/** The limit of SQS since 2025: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html */
const MESSAGE_LIMIT = 1_048_576;
/** S3 puts one object into a notification, CloudTrail a handful; a message that names more was made to keep us busy. */
const OBJECT_LIMIT = 1_000;
/** UTF-8 bytes: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html */
const KEY_LIMIT = 1_024;

const BUCKET = /^[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]$/;
const REGION = /^[a-z0-9-]{1,64}$/;
const VALIDATION = /^"?CloudTrail validation message\.?"?$/;

/** Never throws, whatever the body is. */
export function parseEnvelope(body: string): Envelope {
  if (body.length > MESSAGE_LIMIT) return unknown(`the message has ${body.length} characters, more than SQS carries`);
  const outer = read(body);
  if (outer === VALIDATION_MESSAGE) return ignore('validation-message');
  if (!isObject(outer)) return unknown('the message is no JSON object');
  if (!isSnsMessage(outer)) return parseContent(outer);
  if (outer.Type !== 'Notification') {
    return unknown(`the message is a ${snsTypeOf(outer)} of SNS: the subscription of this queue has to be confirmed by a person`, true);
  }
  const inner = typeof outer.Message === 'string' ? read(outer.Message) : null;
  if (inner === VALIDATION_MESSAGE) return { ...ignore('validation-message'), wrappedBySns: true };
  if (!isObject(inner)) return unknown('the SNS message holds no JSON object', true);
  return { ...parseContent(inner), wrappedBySns: true };
}

type Raw = { readonly [field: string]: unknown };

const VALIDATION_MESSAGE = Symbol('validation message');

function read(text: string): unknown {
  if (text.length < 100 && VALIDATION.test(text.trim())) return VALIDATION_MESSAGE;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function isSnsMessage(object: Raw): boolean {
  return typeof object.Type === 'string' && (typeof object.TopicArn === 'string' || typeof object.Message === 'string');
}

function snsTypeOf({ Type }: Raw): string {
  return Type === 'SubscriptionConfirmation' || Type === 'UnsubscribeConfirmation' ? Type : 'message of another type';
}

function parseContent(object: Raw): Envelope {
  if (object.Event === 's3:TestEvent') return ignore('test-event');
  if (Array.isArray(object.Records)) return gather('s3', object.Records, notified);
  if (object['detail-type'] !== undefined && object.source === 'aws.s3') return gather('eventbridge', [object], bridged);
  if (object.s3Bucket !== undefined && object.s3ObjectKey !== undefined) {
    const keys: unknown[] = Array.isArray(object.s3ObjectKey) ? object.s3ObjectKey : [object.s3ObjectKey];
    return gather('cloudtrail-sns', keys, (key) => reference({ bucket: object.s3Bucket, key }));
  }
  if (typeof object['detail-type'] === 'string') return unknown('the message is an EventBridge event, but none of S3');
  return unknown('the message is no notification of S3, EventBridge or CloudTrail');
}

/** What one entry of a message comes to; a text says what is wrong with it. */
type Read = ObjectReference | Ignored | { readonly wrong: string };

function gather(form: EnvelopeForm, entries: readonly unknown[], readEntry: (entry: unknown) => Read): Envelope {
  const objects: ObjectReference[] = [];
  const ignored: Ignored[] = [];
  if (entries.length > OBJECT_LIMIT) return unknown(`the message names ${entries.length} objects, more than ${OBJECT_LIMIT}`);
  let problem: string | null = entries.length === 0 ? 'the message names no object' : null;
  for (const entry of entries) {
    const found = readEntry(entry);
    if (typeof found === 'string') ignored.push(found);
    else if ('wrong' in found) problem ??= found.wrong;
    else objects.push(found);
  }
  return { form, wrappedBySns: false, objects, ignored, problem };
}

/** An entry of `Records`. Its key is encoded as in a form: a space is `+`. */
function notified(record: unknown): Read {
  if (!isObject(record) || record.eventSource !== 'aws:s3' || typeof record.eventName !== 'string') {
    return { wrong: 'an entry of Records is no S3 notification' };
  }
  // Without `s3:` in notifications, with it in the configuration; both have been seen.
  if (!/^(s3:)?ObjectCreated:/.test(record.eventName)) return 'not-created';
  const { bucket, object } = isObject(record.s3) ? record.s3 : {};
  if (!isObject(bucket) || !isObject(object)) return { wrong: 'an S3 notification names no object' };
  const key = typeof object.key === 'string' ? decodeKey(object.key) : null;
  if (key === null) return { wrong: 'the object key of an S3 notification is not encoded as it should be' };
  return reference({
    bucket: bucket.name,
    key,
    region: record.awsRegion,
    versionId: object.versionId,
    etag: object.eTag,
    size: object.size,
  });
}

/** An EventBridge event of S3: keys are as they are. */
function bridged(event: unknown): Read {
  if (!isObject(event) || event['detail-type'] !== 'Object Created') return 'not-created';
  const { bucket, object } = isObject(event.detail) ? event.detail : {};
  if (!isObject(bucket) || !isObject(object)) return { wrong: 'an EventBridge event of S3 names no object' };
  return reference({
    bucket: bucket.name,
    key: object.key,
    region: event.region,
    versionId: object['version-id'],
    etag: object.etag,
    size: object.size,
  });
}

function decodeKey(encoded: string): string | null {
  try {
    return decodeURIComponent(encoded.replaceAll('+', ' '));
  } catch {
    return null;
  }
}

function reference(said: Partial<Record<keyof ObjectReference, unknown>>): Read {
  const { bucket, key, region, size } = said;
  if (typeof bucket !== 'string' || !BUCKET.test(bucket)) return { wrong: 'the message names no bucket, or none that can exist' };
  if (typeof key !== 'string' || key === '' || Buffer.byteLength(key) > KEY_LIMIT || key.includes('\0')) {
    return { wrong: 'the message names an object key that cannot exist' };
  }
  return {
    bucket,
    key,
    region: typeof region === 'string' && REGION.test(region) ? region : null,
    versionId: shortText(said.versionId),
    etag: shortText(said.etag)?.replaceAll('"', '') ?? null,
    size: typeof size === 'number' && Number.isSafeInteger(size) && size >= 0 ? size : null,
  };
}

function shortText(value: unknown): string | null {
  return typeof value === 'string' && value !== '' && value.length <= KEY_LIMIT ? value : null;
}

function ignore(why: Ignored): Envelope {
  return { form: 'test', wrappedBySns: false, objects: [], ignored: [why], problem: null };
}

function unknown(problem: string, wrappedBySns = false): Envelope {
  return { form: 'unknown', wrappedBySns, objects: [], ignored: [], problem };
}

function isObject(value: unknown): value is Raw {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
