import type { JsonObject } from '../../core/json.ts';
import type { QuarantinedInput } from '../../core/quarantine.ts';

/** A day of one place: what is either done, and then remembered as done, or done again as a whole. */
export interface Stretch {
  /** Under this name it is remembered. */
  readonly checkpoint: string;
  /** For people. */
  readonly name: string;
  /** From this moment on nothing is added to it any more, epoch milliseconds; done before, it is not remembered. */
  readonly settledAt: number;
  /** What throws leaves the stretch undone, and the others go on. */
  read(signal: AbortSignal): AsyncIterable<Piece>;
}

export type Piece =
  | {
      readonly kind: 'delivery';
      /** The object or page that it is (a part) of, for people. */
      readonly of: string;
      readonly isFirst: boolean;
      readonly locator: JsonObject;
      /** Null = the worker opens it. */
      readonly payload: Uint8Array | null;
      readonly quarantined: readonly QuarantinedInput[];
    }
  /** Objects that are stored already. */
  | { readonly kind: 'known'; readonly count: number }
  | { readonly kind: 'failed'; readonly of: string; readonly reason: string };

/** What has to be read one after the other: stretches, or nothing but a failure. */
export type Row = AsyncIterable<Stretch>;

/** What a backfill is going to do. */
export interface Plan {
  /** Stretches in all rows. */
  readonly total: number;
  readonly rows: Iterable<Row>;
}
