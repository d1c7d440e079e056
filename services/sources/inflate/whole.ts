import { constants, gunzip } from 'node:zlib';
import type { Gunzip } from 'node:zlib';

const SMALLEST_CHUNK = constants.Z_MIN_CHUNK;

/**
 * Inflates a gzip file that lies in memory in one go on zlib's threads: the quick way for sound files. Null when anything is wrong
 * with it, or it holds more than `maxBytes`; `inflate` then finds out what, and saves what can be saved.
 */
export async function gunzipWhole(bytes: Buffer, maxBytes: number): Promise<Buffer | null> {
  if (bytes.length < 18) return null;
  // The last four bytes say how much it is (modulo 2^32, and only of the last member), so that zlib needs one output buffer and no copy.
  const said = bytes.readUInt32LE(bytes.length - 4) + SMALLEST_CHUNK;
  const options = { chunkSize: Math.max(SMALLEST_CHUNK, Math.min(said, maxBytes)), maxOutputLength: maxBytes, info: true };
  return new Promise((resolve) => {
    gunzip(bytes, options, (error, result) => {
      if (error) return resolve(null);
      // With `info` node hands over the engine too; it says how much input was used: node takes no offence at zeros and what follows them.
      const { buffer, engine } = result as unknown as { buffer: Buffer; engine: Gunzip };
      resolve(bytes.subarray(engine.bytesWritten).every((byte) => byte === 0) ? buffer : null);
    });
  });
}
