import type { Outcome } from '../core/event.ts';
import { TextCache } from './cache.ts';

const DENIED = /^(?:Client\.)?(?:AccessDenied|VpceAccessDenied|Unauthorized|NotAuthorized)|UnauthorizedOperation$/;
const THROTTLED = /Throttl|TooManyRequests|RequestLimitExceeded|^SlowDown$/;
const NOT_FOUND = /NotFound(?:Exception|Fault)?$|^NoSuch/;
const PENDING_DELETION = /\bpending (?:replica )?deletion\b/i;
const UNAUTHORIZED = /not authorized to perform/;

/**
 * Error class from `errorCode` and, where AWS tells two states apart only there, from `errorMessage`. A key that waits for
 * deletion answers with either KMSInvalidStateException or DisabledException:
 * https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
 */
export function outcomeOf(errorCode: string | null, errorMessage: string | null): Outcome {
  if (errorCode === null) return errorMessage === null ? 'ok' : outcomeOfMessage(errorMessage);
  const byCode = CODES.get(errorCode) ?? CODES.keep(errorCode, outcomeOfCode(errorCode));
  const aboutState = byCode === 'disabled' || byCode === 'invalid-state';
  return aboutState && errorMessage !== null && PENDING_DELETION.test(errorMessage) ? 'pending-deletion' : byCode;
}

const CODES = new TextCache<Outcome>(256);

function outcomeOfCode(code: string): Outcome {
  if (DENIED.test(code)) return 'denied';
  if (code.includes('DryRunOperation')) return 'dry-run';
  if (code === 'DisabledException' || code === 'Disabled') return 'disabled';
  if (code.startsWith('KMSInvalidState') || code === 'KeyUnavailableException') return 'invalid-state';
  if (NOT_FOUND.test(code)) return 'not-found';
  return THROTTLED.test(code) ? 'throttled' : 'other';
}

/** A message without a code is still a failure: console sign-in writes them so. */
function outcomeOfMessage(message: string): Outcome {
  if (UNAUTHORIZED.test(message)) return 'denied';
  return PENDING_DELETION.test(message) ? 'pending-deletion' : 'other';
}
