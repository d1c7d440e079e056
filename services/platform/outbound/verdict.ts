/** What an HTTP status says about a message that was sent: it arrived, it may arrive later, or it never will. */
import { DAY } from '../../core/clock.ts';

/** Why it did not arrive. */
export const STATUS_REASONS = [
  'redirected',
  'unauthorized',
  'rejected',
  'gone',
  'too-large',
  'timeout',
  'rate-limited',
  'server-error',
] as const;

export type StatusReason = (typeof STATUS_REASONS)[number];

export type Verdict =
  | { readonly kind: 'ok' }
  | { readonly kind: 'permanent'; readonly reason: StatusReason }
  /** `retryAfterMs`: what the other side asked for, bounded to a day. */
  | { readonly kind: 'retryable'; readonly reason: StatusReason; readonly retryAfterMs?: number };

/**
 * https://www.rfc-editor.org/rfc/rfc9110#section-15. Redirections are not followed, so they are failures of the configured address. What
 * is no status of HTTP, or no final one, is an error of the server.
 *
 * @param retryAfter the header's text
 * @param now epoch milliseconds, for a `Retry-After` that names a date
 */
export function verdictOf(status: number, retryAfter: string | null, now: number): Verdict {
  if (status >= 200 && status < 300) return { kind: 'ok' };
  const permanent = permanentReason(status);
  if (permanent !== null) return { kind: 'permanent', reason: permanent };
  const wait = retryAfterMs(retryAfter, now);
  return { kind: 'retryable', reason: retryableReason(status), ...(wait !== null && { retryAfterMs: wait }) };
}

function permanentReason(status: number): StatusReason | null {
  if (status >= 300 && status < 400) return 'redirected';
  if (status < 400 || status >= 500) return null;
  switch (status) {
    case 408:
    case 425:
    case 429:
      return null;
    case 401:
    case 403:
    case 407:
      return 'unauthorized';
    case 410:
      return 'gone';
    case 413:
      return 'too-large';
    default:
      return 'rejected';
  }
}

function retryableReason(status: number): StatusReason {
  if (status === 429) return 'rate-limited';
  return status === 408 || status === 504 ? 'timeout' : 'server-error';
}

/** Seconds or a date of HTTP (RFC 9110 §10.2.3) as milliseconds from now, from 0 to a day; null for anything else. */
export function retryAfterMs(text: string | null, now: number): number | null {
  const trimmed = text?.trim() ?? '';
  if (/^\d{1,10}$/.test(trimmed)) return Math.min(Number(trimmed) * 1000, DAY);
  // Date.parse takes much that is no date of HTTP; those begin with the name of a day.
  const at = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]{0,6},? [\w :,-]{10,40}$/.test(trimmed) ? Date.parse(trimmed) : Number.NaN;
  return Number.isNaN(at) ? null : Math.min(Math.max(at - now, 0), DAY);
}
