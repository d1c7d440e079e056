/** Requests of notifiers, and what became of them in a notifier's words. */
import { type OutboundFailure, type OutboundResult, verdictOf } from '../platform/outbound.ts';
import type { DeliveryFailure, NotDelivered, NotifyContext } from './contract.ts';
import type { Reach } from './target.ts';

export interface JsonRequest {
  readonly url: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly reach: Reach;
}

export type Posted = { readonly ok: true; readonly body: string } | NotDelivered;

/** Posts JSON. `ok` = the other side took it, with what it answered. */
export async function postJson({ url, body, headers = {}, reach }: JsonRequest, { http, clock, signal }: NotifyContext): Promise<Posted> {
  const result = await http.send({
    url,
    method: 'POST',
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
    body,
    allowPrivate: reach.allow_private,
    allowHttp: reach.allow_http,
    timeoutMs: reach.timeout_seconds * 1000,
    signal,
  });
  return posted(result, clock.now());
}

const FAILURES: Readonly<Record<OutboundFailure, readonly [DeliveryFailure, boolean]>> = {
  'url-refused': ['misconfigured', false],
  // Retryable: a name that leads astray now may be mended, and an alert is not to be lost over it.
  'address-refused': ['address-refused', true],
  unreachable: ['unreachable', true],
  timeout: ['timeout', true],
  aborted: ['stopped', true],
};

function posted(result: OutboundResult, now: number): Posted {
  if (!result.ok) {
    const [reason, retryable] = FAILURES[result.failure];
    return { ok: false, code: result.code, reason, retryable };
  }
  const verdict = verdictOf(result.status, result.retryAfter, now);
  if (verdict.kind === 'ok') return { ok: true, body: result.body };
  const { kind, reason, ...wait } = verdict;
  return { ok: false, code: `http-${result.status}`, reason, retryable: kind === 'retryable', ...wait };
}

/** JSON of an answer as a mapping without a prototype's names; empty for anything else. */
export function answerFields(body: string): ReadonlyMap<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(body);
    return new Map(typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? Object.entries(parsed) : []);
  } catch {
    return new Map();
  }
}
