import { KmswatchError } from '../../core/errors.ts';
import { withoutCredentials } from '../logger.ts';

/** Codes of Node and SQLSTATEs that say "not now": the connection, not the statement, is at fault. */
const LOST = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  '57P01',
  '57P02',
  '57P03',
  '08000',
  '08001',
  '08003',
  '08004',
  '08006',
  '53300',
]);
const LOST_MESSAGES = [
  'Connection terminated',
  'Connection ended',
  'Client has encountered a connection error',
  'Query read timeout',
  'timeout exceeded when trying to connect',
  'timeout expired',
];

/** Whether the database went away under a statement, so that the same one may succeed later. */
export function isConnectionLoss(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof AggregateError) return error.errors.some(isConnectionLoss);
  return LOST.has(codeOf(error)) || LOST_MESSAGES.some((start) => error.message.startsWith(start));
}

/** A foreign error of connecting as one of ours, with what to do about it. Ours pass unchanged. */
export function databaseError(error: unknown, url: string): KmswatchError {
  if (error instanceof KmswatchError) return error;
  const cause = error instanceof AggregateError ? (error.errors[0] as unknown) : error;
  const reason = cause instanceof Error ? withoutCredentials(cause.message) : 'unknown reason';
  return new KmswatchError('DATABASE_UNREACHABLE', `The database ${placeOf(url)} cannot be reached: ${reason}`, {
    hint: hintFor(codeOf(cause)),
    cause: error,
  });
}

export function databaseTooOld(version: number): KmswatchError {
  return new KmswatchError('DATABASE_TOO_OLD', `The database is PostgreSQL ${Math.floor(version / 10_000)}; 14 or newer is needed.`, {
    hint: 'Upgrade it, or let kmswatch run its own: unset DATABASE_URL.',
  });
}

function hintFor(code: string): string {
  if (code === '28P01' || code === '28000') return 'Check user and password in DATABASE_URL, and pg_hba.conf on the server.';
  if (code === '3D000') return 'Create the database, or correct its name in DATABASE_URL.';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'Check the host name in DATABASE_URL.';
  if (code === '53300') return 'The server has no free connection: raise max_connections or start fewer workers.';
  if (code === '57P03') return 'The server is starting up or recovering: try again in a moment.';
  return 'Check that the server runs and that DATABASE_URL names its host and port; or unset DATABASE_URL to use the embedded server.';
}

/** Host, port and database of a URL, without the credentials. */
function placeOf(url: string): string {
  try {
    const { host, pathname } = new URL(url);
    return `${host}${pathname}`;
  } catch {
    return 'in DATABASE_URL';
  }
}

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' ? code : '';
}
