import { encodeFrames } from '../core/frames.ts';
import type { JsonObject } from '../core/json.ts';
import type { QuarantinedInput } from '../core/quarantine.ts';
import type { RawRecord } from './contract.ts';
import type { ReadLimits } from './limits.ts';
import { splitStream } from './read.ts';

/** A part of a streamed input, ready to be delivered. */
export interface Chunk {
  /** The input's, with `{chunk, firstOrdinal, firstOffset}`, and `skippedOrdinals` when inputs between the records were quarantined. */
  readonly locator: JsonObject;
  readonly payload: Uint8Array;
  readonly quarantined: readonly QuarantinedInput[];
}

/**
 * Cuts a stream into chunks. Where the cuts are depends on the records alone, so that reading the same input again gives the same
 * chunks. Ordinals and offsets go on from chunk to chunk. An input without records gives one empty chunk.
 *
 * @param origin names the input
 */
export async function* cutIntoChunks(origin: JsonObject, bytes: AsyncIterable<Uint8Array>, limits: ReadLimits): AsyncGenerator<Chunk> {
  let part = new Part();
  let chunk = 0;
  for await (const split of splitStream(bytes, limits, Infinity)) {
    for (const item of inOrder(split.records, split.quarantined)) {
      part.add(item);
      if (part.count < limits.chunkRecords && part.size < limits.chunkBytes) continue;
      yield part.close(origin, chunk++);
      part = new Part();
    }
  }
  if (part.count > 0 || chunk === 0) yield part.close(origin, chunk);
}

class Part {
  count = 0;
  size = 0;
  readonly #records: RawRecord[] = [];
  readonly #quarantined: QuarantinedInput[] = [];

  add(item: RawRecord | QuarantinedInput): void {
    if ('reason' in item) this.#quarantined.push(item);
    else this.#records.push(item);
    this.count++;
    this.size += item.bytes.length;
  }

  close(origin: JsonObject, chunk: number): Chunk {
    const skippedOrdinals = this.#quarantined.map((input) => input.ordinal).filter((ordinal) => ordinal !== null);
    const firstOrdinal = Math.min(this.#records[0]?.ordinal ?? Infinity, skippedOrdinals[0] ?? Infinity);
    const firstOffset = Math.min(this.#records[0]?.offset ?? Infinity, this.#quarantined[0]?.offset ?? Infinity);
    const locator = {
      ...origin,
      chunk,
      firstOrdinal: Number.isFinite(firstOrdinal) ? firstOrdinal : 0,
      firstOffset: Number.isFinite(firstOffset) ? firstOffset : 0,
      ...(skippedOrdinals.length > 0 && { skippedOrdinals }),
    };
    return { locator, payload: encodeFrames(this.#records), quarantined: this.#quarantined };
  }
}

/** Both lists are in order of their ordinals; an input without one (the delivery as a whole) comes last. */
function* inOrder(records: readonly RawRecord[], quarantined: readonly QuarantinedInput[]): Generator<RawRecord | QuarantinedInput> {
  let at = 0;
  for (const input of quarantined) {
    for (let record = records[at]; record && record.ordinal < (input.ordinal ?? Infinity); record = records[++at]) yield record;
    yield input;
  }
  for (; at < records.length; at++) yield records[at] as RawRecord;
}
