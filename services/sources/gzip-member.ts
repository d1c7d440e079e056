/**
 * Reads input that must be exactly one gzip member, as CloudTrail writes its files. The bytes of a second member, or of anything else,
 * are not what was delivered: readers differ in whether they see them, so a file with any is refused.
 */
import { crc32, createInflateRaw, inflateRaw } from 'node:zlib';
import type { InflateRaw } from 'node:zlib';
import { ByteFeed } from './inflate/feed.ts';
import { readHeader } from './inflate/header.ts';
import type { ReadLimits } from './limits.ts';

/** Compressed bytes handed to zlib at once, and the size of a piece of output. */
const SLICE_BYTES = 65_536;
const PIECE_BYTES = 1_048_576;

const TRAILER_BYTES = 8;
const SMALLEST_MEMBER = 18;

export type MemberLimits = Pick<ReadLimits, 'inflateFloorBytes' | 'inflateRatio'>;

/**
 * The content of a file that lies in memory, inflated in one go on zlib's threads; null when anything is wrong with it or it holds more than
 * `maxBytes`: `readMember` then says what.
 */
export async function gunzipMember(bytes: Buffer, maxBytes: number): Promise<Buffer | null> {
  if (bytes.length < SMALLEST_MEMBER) return null;
  const feed = new ByteFeed(once(bytes));
  if ((await readHeader(feed)) !== 'ok') return null;
  const start = feed.position;
  const end = bytes.length - TRAILER_BYTES;
  const size = bytes.readUInt32LE(end + 4);
  if (size > maxBytes || start > end) return null;
  // The file says its size, so that zlib needs one output buffer; a byte more shows when it is not true.
  const options = { chunkSize: Math.max(size + 1, 64), maxOutputLength: maxBytes + 1, info: true };
  const inflated = await new Promise<{ buffer: Buffer; engine: InflateRaw } | null>((resolve) => {
    inflateRaw(bytes.subarray(start, end), options, (error, result) =>
      resolve(error ? null : (result as unknown as { buffer: Buffer; engine: InflateRaw })),
    );
  });
  if (!inflated || inflated.engine.bytesWritten !== end - start || inflated.buffer.length !== size) return null;
  return crc32(inflated.buffer) === bytes.readUInt32LE(end) ? inflated.buffer : null;
}

/**
 * The same for input of any size, in flat memory.
 * @param onPiece is given the content piece by piece, in order
 * @returns what is wrong with the input, as the end of a sentence; null when it is sound
 */
export async function readMember(
  chunks: AsyncIterable<Uint8Array>,
  limits: MemberLimits,
  onPiece: (piece: Buffer) => void,
): Promise<string | null> {
  const feed = new ByteFeed(chunks);
  const zlib = createInflateRaw({ chunkSize: PIECE_BYTES });
  try {
    const header = await readHeader(feed);
    if (header !== 'ok') return header === 'truncated' ? 'the gzip stream breaks off' : 'it is no gzip file';
    let [checksum, length] = [0, 0];
    const problem = await inflateFrom(feed, zlib, (piece) => {
      checksum = crc32(piece, checksum);
      length += piece.length;
      onPiece(piece);
      return length <= Math.max(limits.inflateFloorBytes, limits.inflateRatio * feed.position);
    });
    if (problem !== null) return problem;
    const trailer = await feed.take(TRAILER_BYTES);
    if (trailer === null) return 'the gzip stream breaks off';
    if (trailer.readUInt32LE(0) !== checksum || trailer.readUInt32LE(4) !== length % 2 ** 32)
      return 'the gzip stream does not match its checksum';
    return (await feed.fill()) ? 'there are bytes after the end of the gzip stream' : null;
  } finally {
    zlib.destroy();
    await feed.close();
  }
}

/** @param onPiece says whether to go on */
async function inflateFrom(feed: ByteFeed, zlib: InflateRaw, onPiece: (piece: Buffer) => boolean): Promise<string | null> {
  let state: 'open' | 'ended' | 'damaged' = 'open';
  let pieces: Buffer[] = [];
  let wake = (): void => {};
  const settle = (to: typeof state): void => {
    if (state === 'open') state = to;
    wake();
  };
  zlib.on('data', (piece: Buffer) => pieces.push(piece));
  zlib.on('end', () => settle('ended'));
  zlib.on('error', () => settle('damaged'));
  const stateNow = (): typeof state => state;
  while (stateNow() === 'open') {
    if (!(await feed.fill())) return 'the gzip stream breaks off';
    const before = zlib.bytesWritten;
    await new Promise<void>((resolve) => {
      wake = resolve;
      zlib.write(feed.peek().subarray(0, SLICE_BYTES), () => resolve());
    });
    feed.skip(zlib.bytesWritten - before);
    const full = pieces;
    pieces = [];
    for (const piece of full) if (!onPiece(piece)) return 'the gzip stream inflates to far more than a log file can hold';
  }
  return stateNow() === 'damaged' ? 'the gzip stream is damaged' : null;
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
