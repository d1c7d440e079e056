import { QUARANTINE_KEEP_BYTES, type QuarantinedInput, type QuarantineReason } from '../../core/quarantine.ts';
import type { RawRecord } from '../contract.ts';

/** What was brought to an end, in the order of the input. */
export interface Split {
  readonly records: readonly RawRecord[];
  readonly quarantined: readonly QuarantinedInput[];
}

/** Collects records and quarantined inputs; both count on in the same ordinals. */
export class Output {
  #ordinal = 0;
  #records: RawRecord[] = [];
  #quarantined: QuarantinedInput[] = [];

  record(offset: number, bytes: Buffer): void {
    this.#records.push({ ordinal: this.#ordinal++, offset, bytes });
  }

  /** Keeps a copy of the bytes, so that one bad record does not keep a whole chunk in memory. */
  quarantine(reason: QuarantineReason, message: string, place: { offset: number; length: number; bytes: Uint8Array }): void {
    const bytes = Buffer.from(place.bytes.subarray(0, QUARANTINE_KEEP_BYTES));
    this.#quarantined.push({ reason, message, ordinal: this.#ordinal++, offset: place.offset, length: place.length, bytes });
  }

  /** For what concerns the input as a whole. */
  quarantineWhole(reason: QuarantineReason, message: string, bytes: Uint8Array): void {
    this.#quarantined.push({ reason, message, ordinal: null, offset: null, length: null, bytes });
  }

  take(): Split {
    const split = { records: this.#records, quarantined: this.#quarantined };
    this.#records = [];
    this.#quarantined = [];
    return split;
  }
}
