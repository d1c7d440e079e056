/**
 * Every failure that kmswatch expects is one entry here: a code that never changes its meaning, a text for people,
 * whether trying again can help, and the HTTP status with which the API says it. Steps return failures as data;
 * an exception that is not a `KmswatchError` is a bug.
 */
export const ERRORS = {
  CONFIG_INVALID: { retryable: false, status: 500 },
  CONFIG_NOT_FOUND: { retryable: false, status: 500 },
  NODE_TOO_OLD: { retryable: false, status: 500 },
  DATABASE_UNREACHABLE: { retryable: true, status: 503 },
  DATABASE_NEWER: { retryable: false, status: 500 },
  DATABASE_NOT_MIGRATED: { retryable: false, status: 503 },
  DATABASE_TOO_OLD: { retryable: false, status: 500 },
  EMBEDDED_POSTGRES_FAILED: { retryable: false, status: 500 },
  EMBEDDED_POSTGRES_UNAVAILABLE: { retryable: false, status: 500 },
  DATA_DIR_UNUSABLE: { retryable: false, status: 500 },
  QUEUE_UNREACHABLE: { retryable: true, status: 503 },
  QUEUE_UNHANDLED: { retryable: false, status: 500 },
  LISTEN_FAILED: { retryable: false, status: 500 },
  SOURCE_UNREADABLE: { retryable: false, status: 500 },
  /** A person has to allow it first. */
  SOURCE_DENIED: { retryable: false, status: 500 },
  INPUT_INVALID: { retryable: false, status: 400 },
  NOT_FOUND: { retryable: false, status: 404 },
  AMBIGUOUS: { retryable: false, status: 400 },
} as const satisfies Record<string, { retryable: boolean; status: number }>;

export type ErrorCode = keyof typeof ERRORS;

export class KmswatchError extends Error {
  override readonly name = 'KmswatchError';
  readonly code: ErrorCode;
  /** What the reader can do about it, one sentence; shown beneath the message. */
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
  }

  get retryable(): boolean {
    return ERRORS[this.code].retryable;
  }
}
