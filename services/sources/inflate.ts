import { crc32, createInflateRaw } from 'node:zlib';
import type { InflateRaw } from 'node:zlib';
import { ByteFeed } from './inflate/feed.ts';
import { readHeader } from './inflate/header.ts';
import type { ReadLimits } from './limits.ts';
import type { InputProblem } from './split.ts';

/** Compressed bytes handed to zlib at once: inflates to 16 MiB at the very most, which bounds what is in memory. */
const SLICE_BYTES = 16_384;

/** Size of a piece of output. Of a stream damaged in the middle, less than this much before the damage is lost. */
const PIECE_BYTES = 32_768;

export type InflateLimits = Pick<ReadLimits, 'inflateFloorBytes' | 'inflateRatio'> & {
  /** Inflated bytes at which to stop, whatever the ratio; `Infinity` for streams. */
  readonly maxBytes: number;
};

/** Whether an input is gzip. Decided by its first bytes, for names lie (RFC 1952, 2.3.1). */
export function isGzip(head: Uint8Array): boolean {
  return head.length >= 2 && head[0] === 0x1f && head[1] === 0x8b;
}

/**
 * Inflates a gzip stream of any number of members, piece by piece, with memory that does not depend on its size. Whatever can be
 * had before damage or the limit is given; then `onProblem` is called, once at most, and the stream ends. Members are taken
 * apart here and not by zlib's gunzip, because that withholds what it inflated when the very same input is cut off or
 * followed by something else. Zeros after a member are padding (as for gzip(1)).
 */
export async function* inflate(
  chunks: AsyncIterable<Uint8Array>,
  limits: InflateLimits,
  onProblem: (problem: InputProblem) => void,
): AsyncGenerator<Buffer> {
  const feed = new ByteFeed(chunks);
  try {
    let inflated = 0;
    let mismatch: InputProblem | null = null;
    while ((await feed.skipZeros()) || feed.position === 0) {
      const header = await readHeader(feed);
      if (header === 'truncated') return onProblem(truncated(feed));
      if (header === 'foreign') return onProblem(damage('what follows the gzip data is no gzip data', feed));
      const member = new Member(feed);
      try {
        for await (const piece of member.pieces()) {
          inflated += piece.length;
          if (isTooMuch(inflated, feed.position, limits)) {
            const message = `the gzip stream had inflated to ${inflated} bytes after ${feed.position} bytes; it was not read further`;
            return onProblem({ reason: 'decompression-limit', message, bytes: new Uint8Array(0) });
          }
          yield piece;
        }
      } finally {
        member.close();
      }
      if (member.end === 'truncated') return onProblem(truncated(feed));
      if (member.end === 'damaged') return onProblem(damage('the gzip stream is damaged', feed));
      const trailer = await feed.take(8);
      if (trailer === null) return onProblem(truncated(feed));
      if (trailer.readUInt32LE(0) !== member.checksum || trailer.readUInt32LE(4) !== member.length % 2 ** 32) {
        mismatch ??= damage('the gzip stream does not match its checksum', feed);
      }
    }
    if (mismatch) onProblem(mismatch);
  } finally {
    await feed.close();
  }
}

function isTooMuch(inflated: number, compressed: number, limits: InflateLimits): boolean {
  return inflated > limits.maxBytes || (inflated > limits.inflateFloorBytes && inflated > limits.inflateRatio * compressed);
}

function truncated(feed: ByteFeed): InputProblem {
  return { reason: 'truncated', message: `the gzip stream breaks off after ${feed.position} bytes`, bytes: new Uint8Array(0) };
}

function damage(what: string, feed: ByteFeed): InputProblem {
  return {
    reason: 'corrupt-gzip',
    message: `${what} (at byte ${feed.position} of the file)`,
    bytes: new Uint8Array(feed.peek().subarray(0, SLICE_BYTES)),
  };
}

/** The compressed data of one gzip member. */
class Member {
  end: 'complete' | 'truncated' | 'damaged' = 'complete';
  checksum = 0;
  length = 0;
  readonly #feed: ByteFeed;
  readonly #zlib: InflateRaw = createInflateRaw({ chunkSize: PIECE_BYTES });
  #pieces: Buffer[] = [];
  /** Set by zlib's events; `pending` = the slice is not used up yet. */
  #state: 'pending' | 'used' | 'complete' | 'damaged' = 'used';
  #wake: () => void = () => {};

  constructor(feed: ByteFeed) {
    this.#feed = feed;
    this.#zlib.on('data', (piece: Buffer) => this.#pieces.push(piece));
    this.#zlib.on('end', () => this.#settle('complete'));
    this.#zlib.on('error', () => this.#settle('damaged'));
  }

  async *pieces(): AsyncGenerator<Buffer> {
    for (;;) {
      if (!(await this.#feed.fill())) {
        this.end = 'truncated';
        return;
      }
      const before = this.#zlib.bytesWritten;
      const state = await this.#write(this.#feed.peek().subarray(0, SLICE_BYTES));
      this.#feed.skip(this.#zlib.bytesWritten - before);
      const pieces = this.#pieces;
      this.#pieces = [];
      for (const piece of pieces) {
        this.checksum = crc32(piece, this.checksum);
        this.length += piece.length;
        yield piece;
      }
      if (state === 'damaged') this.end = 'damaged';
      if (state !== 'used') return;
    }
  }

  close(): void {
    this.#zlib.destroy();
  }

  async #write(slice: Uint8Array): Promise<'used' | 'complete' | 'damaged'> {
    this.#state = 'pending';
    return new Promise((resolve) => {
      this.#wake = () => resolve(this.#state === 'pending' ? 'used' : this.#state);
      this.#zlib.write(slice, () => this.#settle('used'));
    });
  }

  /** The first word counts: zlib calls a write's callback with an error again, and after the end. */
  #settle(state: 'used' | 'complete' | 'damaged'): void {
    if (this.#state === 'pending') this.#state = state;
    this.#wake();
  }
}
