import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { isGzip } from '../inflate.ts';
import type { ReadLimits } from '../limits.ts';

/** Deflate cannot do better than this many bytes out of one (https://zlib.net/zlib_tech.html). */
const DEFLATE_RATIO = 1032;

const PIECE_BYTES = 1_048_576;

/**
 * Whether a file may be read into memory as a whole by a worker, or has to be streamed. The question is what a gzip file inflates to.
 * A small one cannot grow too far. Of others the last four bytes tell the inflated size, but only of the last member and modulo
 * 2^32; so a file with several members, or one whose size there is implausibly small, is streamed. Nothing is inflated to find out;
 * a file that lies about it meets the worker's own limit (`wholeInflatedBytes`).
 *
 * @throws the system's error when the file cannot be read
 */
export async function isReadWhole(path: string, size: number, limits: ReadLimits): Promise<boolean> {
  if (size > limits.wholePlainBytes) return false;
  if (size * DEFLATE_RATIO <= limits.wholeInflatedBytes) return true;
  await using file = await open(path);
  const head = await piece(file, 0, 3);
  if (!isGzip(head)) return true;
  if (size > limits.wholeGzipBytes) return false;
  const tail = await piece(file, size - 4, 4);
  if (tail.length < 4) return false;
  const inflated = tail.readUInt32LE(0);
  return inflated >= size / 2 && inflated <= limits.wholeInflatedBytes && !(await hasMoreMembers(file, size));
}

/** Whether a gzip header stands anywhere but at the start; compressed data may look like one now and then, which does no harm. */
async function hasMoreMembers(file: FileHandle, size: number): Promise<boolean> {
  const magic = Buffer.of(0x1f, 0x8b, 0x08);
  for (let at = 1; at < size; at += PIECE_BYTES) {
    const bytes = await piece(file, at, PIECE_BYTES + 3);
    for (let found = bytes.indexOf(magic); found >= 0; found = bytes.indexOf(magic, found + 1)) {
      // the upper three flag bits are reserved, hence zero
      if (((bytes[found + 3] ?? 0) & 0xe0) === 0) return true;
    }
  }
  return false;
}

async function piece(file: FileHandle, at: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(length), 0, length, at);
  return buffer.subarray(0, bytesRead);
}
