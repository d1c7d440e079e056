import { standInFor } from './stand-in.ts';

/** What the message of an EventBridge rule holds. */
export type Message =
  /** A candidate record for the normalizer: the event as it came, or what stands in for a record that EventBridge does not have. */
  | { readonly kind: 'record'; readonly bytes: Buffer }
  /** `why` is from a closed list. */
  | { readonly kind: 'ignored'; readonly why: 'other-event' | 'insight' }
  | { readonly kind: 'unknown'; readonly problem: string };

type Raw = { readonly [field: string]: unknown };

/** The limit of SQS; EventBridge's own is 256 KB. */
const MESSAGE_LIMIT = 1_048_576;

/**
 * Tells what a message is: `AWS API Call via CloudTrail`, `AWS Service Event via CloudTrail` and the like hold a record in `detail`
 * (https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-kms.html), KMS's own events stand in for one. SNS may be in between.
 */
export function parseMessage(body: string): Message {
  if (body.length > MESSAGE_LIMIT) return unknown(`the message has ${body.length} characters, more than SQS carries`);
  const outer = read(body);
  if (!isObject(outer)) return unknown('the message is no JSON object');
  if (outer.Type !== undefined && outer['detail-type'] === undefined) {
    if (outer.Type !== 'Notification' || typeof outer.Message !== 'string') {
      return unknown('the message is one of SNS itself: the subscription of this queue has to be confirmed by a person');
    }
    const inner = read(outer.Message);
    return isObject(inner) ? ofEvent(inner, outer.Message) : unknown('the SNS message holds no JSON object');
  }
  return ofEvent(outer, body);
}

function ofEvent(event: Raw, text: string): Message {
  const { 'detail-type': type, detail, source } = event;
  if (typeof type !== 'string' || !isObject(detail)) return unknown('the message is no EventBridge event');
  if (type.startsWith('AWS Insight')) return { kind: 'ignored', why: 'insight' };
  if (/^AWS .{1,60} via CloudTrail$/.test(type)) return { kind: 'record', bytes: Buffer.from(text) };
  if (source !== 'aws.kms') return { kind: 'ignored', why: 'other-event' };
  const standIn = standInFor(event);
  if (standIn === null) return { kind: 'ignored', why: 'other-event' };
  return typeof standIn === 'string' ? unknown(standIn) : { kind: 'record', bytes: Buffer.from(JSON.stringify(standIn)) };
}

function read(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is Raw {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unknown(problem: string): Message {
  return { kind: 'unknown', problem };
}
