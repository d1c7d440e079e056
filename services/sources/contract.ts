/**
 * A source is a way records reach us. It yields *deliveries*: references that a worker, perhaps on another machine,
 * can open. A delivery is acknowledged upstream only after its events are committed; `nack` gives it back.
 */
import type { Json, JsonObject } from '../core/json.ts';
import type { QuarantinedInput } from '../core/quarantine.ts';

export const SOURCE_NAMES = ['lookup-events', 's3-trail', 'eventbridge', 'replay'] as const;

export type SourceName = (typeof SOURCE_NAMES)[number];

export interface Delivery {
  readonly source: SourceName;
  /** Where it came from and how to open it again; JSON, no secrets. A file: `{path, size, mtime}`. */
  readonly locator: JsonObject;
  /** Records that cannot be read again (standard input, a chunk of a large file), as frames (core/frames.ts). Null = open by locator. */
  readonly payload: Uint8Array | null;
  /** Inputs that the source itself could not turn into records (a damaged gzip, an unreadable file). */
  readonly quarantined: readonly QuarantinedInput[];
  /** Moves with the events, in the same transaction: how far a pull source has safely got. */
  readonly checkpoint: { readonly name: string; readonly value: Json } | null;
  /** Called after commit. */
  ack(): Promise<void>;
  /** Called when the delivery could not be stored after all retries. */
  nack(reason: string): Promise<void>;
}

export interface Source {
  readonly name: SourceName;
  /** Yields until exhausted (replay) or until the signal aborts (live sources). Backpressure: the next delivery is asked for when there is room. */
  run(signal: AbortSignal): AsyncIterable<Delivery>;
}

/** One record cut out of a delivery, not parsed yet. */
export interface RawRecord {
  /** Position within the delivery, from 0. */
  readonly ordinal: number;
  /** Byte offset within the (decompressed) input. */
  readonly offset: number;
  /** The record exactly as written, its container (`Records`, `Events`) taken off. */
  readonly bytes: Uint8Array;
}

/** What opening a delivery gives: records and what could not be read as one. Ordinals are shared by both. */
export interface OpenedDelivery {
  readonly records: readonly RawRecord[];
  readonly quarantined: readonly QuarantinedInput[];
  /** SHA-256 of the input as it lay at its origin (the file's or object's bytes), lower-case hex. */
  readonly sha256: string;
  /** SHA-256 of the inflated content, lower-case hex, which is what digests list; null where it was not looked at, or is not one gzip member. */
  readonly contentSha256?: string | null;
}
