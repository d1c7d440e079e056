/** https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md */
import { createHmac } from 'node:crypto';

export interface SignedMessage {
  readonly id: string;
  /** Of this attempt, seconds since the epoch. */
  readonly timestamp: number;
  readonly body: string;
}

const SECRET = /^whsec_([A-Za-z0-9+/]{32,88}={0,2})$/;

/** The keys in text with one or several secrets, newest first; null when one of them is none. */
export function signingKeys(text: string): Buffer[] | null {
  const keys = text
    .trim()
    .split(/[\s,]+/)
    .map((word) => Buffer.from(SECRET.exec(word)?.[1] ?? '', 'base64'));
  return keys.length <= 5 && keys.every(({ length }) => length >= 24 && length <= 64) ? keys : null;
}

/** Headers of the request. Each key signs, so that a receiver may know the old secret or the new one. */
export function signatureHeaders(keys: readonly Buffer[], { id, timestamp, body }: SignedMessage): Record<string, string> {
  const signatures = keys.map((key) => `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`);
  return { 'webhook-id': id, 'webhook-timestamp': String(timestamp), 'webhook-signature': signatures.join(' ') };
}
