import type { NotDelivered } from '../contract.ts';

interface MailError {
  readonly code?: unknown;
  readonly responseCode?: unknown;
}

const UNREACHABLE = new Set(['ECONNECTION', 'EDNS', 'ESOCKET', 'EPROTOCOL', 'ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND']);
/** Size limits, by https://www.rfc-editor.org/rfc/rfc5321#section-4.2.3 */
const TOO_LARGE = new Set([523, 552]);

/** What an error of nodemailer stands for. Only numbers and codes are told: texts of servers name addresses, and may name passwords. */
export function mailNotDelivered(error: unknown): NotDelivered {
  const { code, responseCode } = (typeof error === 'object' && error !== null ? error : {}) as MailError;
  if (code === 'ETIMEDOUT') return { ok: false, code, reason: 'timeout', retryable: true };
  const status = typeof responseCode === 'number' && responseCode >= 400 && responseCode < 600 ? responseCode : null;
  // No TLS where it is required, whatever the server answered: it is being mended, or somebody stands in between. Either may pass.
  if (code === 'ETLS') return { ok: false, code, reason: 'unreachable', retryable: true };
  if (status === null && typeof code === 'string' && UNREACHABLE.has(code))
    return { ok: false, code, reason: 'unreachable', retryable: true };
  if (code === 'EAUTH')
    return { ok: false, code: status === null ? code : `smtp-${status}`, reason: 'unauthorized', retryable: isTransient(status) };
  if (status === null) return { ok: false, code: 'mail-failed', reason: 'unreachable', retryable: true };
  return smtpNotDelivered(status);
}

export function smtpNotDelivered(status: number): NotDelivered {
  const retryable = isTransient(status);
  const reason = retryable ? 'server-error' : TOO_LARGE.has(status) ? 'too-large' : 'rejected';
  return { ok: false, code: `smtp-${status}`, reason, retryable };
}

function isTransient(status: number | null): boolean {
  return status !== null && status < 500;
}
