import { hash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { KmswatchError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import type { OpenedDelivery } from '../contract.ts';
import type { ReadLimits } from '../limits.ts';
import { openBytes, unreadable } from '../read.ts';

/**
 * Reads the file that a locator `{path, size, mtimeMs}` names. A file that is gone, cannot be read or has another size than when it was
 * listed gives no records and is quarantined as `unreadable`; its SHA-256 is then that of nothing.
 */
export async function openReplayFile(locator: JsonObject, limits: ReadLimits): Promise<OpenedDelivery> {
  const { path, size } = locator;
  if (typeof path !== 'string' || typeof size !== 'number') {
    throw new KmswatchError('SOURCE_UNREADABLE', 'the locator names no file');
  }
  const bytes = await readExactly(path, size);
  return typeof bytes === 'string' ? nothing(bytes) : openBytes(bytes, limits);
}

/** The file's bytes, or a sentence why not. */
async function readExactly(path: string, size: number): Promise<Buffer | string> {
  try {
    await using file = await open(path);
    const { size: now } = await file.stat();
    if (now !== size) return `the file had ${size} bytes when it was listed and now has ${now}`;
    const bytes = Buffer.allocUnsafeSlow(size);
    for (let at = 0; at < size; ) {
      const { bytesRead } = await file.read(bytes, at, size - at, at);
      if (bytesRead === 0) return `the file had ${size} bytes when it was listed and now ends at ${at}`;
      at += bytesRead;
    }
    return bytes;
  } catch (error) {
    return unreadable(error).message;
  }
}

function nothing(message: string): OpenedDelivery {
  const bytes = new Uint8Array(0);
  const quarantined = [{ reason: 'unreadable', message, ordinal: null, offset: null, length: null, bytes }] as const;
  return { records: [], quarantined, sha256: hash('sha256', bytes) };
}
