/**
 * Why an input was put aside. A closed list: it feeds the `reason` label of
 * `kmswatch_records_quarantined_total`, the documentation and the tests.
 */
export const QUARANTINE_REASONS = {
  'invalid-json': 'the bytes are not a JSON value',
  'invalid-utf8': 'the bytes are not valid UTF-8',
  'not-a-record': 'valid JSON, but neither a CloudTrail record nor a container of records',
  'no-event-id': 'a record without eventID has no identity',
  'no-event-time': 'eventTime is missing or cannot be read',
  'implausible-time': 'eventTime lies before CloudTrail existed or more than a year ahead',
  'unsupported-version': 'eventVersion has another major version than 1',
  'too-large': 'the record is larger than the limit (1 MiB)',
  'too-deep': 'the record nests deeper than the limit (256 levels)',
  truncated: 'the input ends in the middle of a record',
  'corrupt-gzip': 'the gzip stream is damaged',
  'decompression-limit': 'the gzip stream inflates beyond the allowed ratio: it looks like a decompression bomb',
  unreadable: 'the file or object could not be read',
  'digest-file': 'a CloudTrail digest file, which is no log file',
} as const;

export type QuarantineReason = keyof typeof QUARANTINE_REASONS;

export interface QuarantinedInput {
  readonly reason: QuarantineReason;
  /** One sentence for a person: what was wrong, at which place. Never holds encryption-context values. */
  readonly message: string;
  /** Position of the record within its delivery; null where the delivery as a whole is meant. */
  readonly ordinal: number | null;
  /** Byte range within the (decompressed) input, for reading it again. */
  readonly offset: number | null;
  readonly length: number | null;
  /** The bytes themselves, whole up to `QUARANTINE_KEEP_BYTES`, else their beginning. */
  readonly bytes: Uint8Array;
}

/** Bytes of a quarantined input that are kept in the database. */
export const QUARANTINE_KEEP_BYTES = 1_048_576;
