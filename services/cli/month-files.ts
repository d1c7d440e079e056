import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { type MonthOptions, simulateMonth } from '../simulate/company.ts';
import type { DigestChains } from '../simulate/digests.ts';
import type { LogFile } from '../simulate/log-file.ts';

const compress = promisify(gzip);

export interface WrittenMonth {
  readonly files: number;
  readonly records: number;
  /** Compressed. */
  readonly bytes: number;
  readonly digests: number;
}

interface WriteOptions {
  readonly signal: AbortSignal;
  readonly onFile: (soFar: WrittenMonth) => void;
}

/** Writes a simulated month as gzip files in the S3 layout below a folder. The same options write the same bytes; an abort ends it early. */
export async function writeMonth(folder: string, month: MonthOptions, options: WriteOptions): Promise<WrittenMonth> {
  return await writeLogFiles(folder, simulateMonth(month), options);
}

/** Writes log files, and the digests that prove them where chains are given. An abort ends it early. */
export async function writeLogFiles(
  folder: string,
  files: Iterable<LogFile>,
  options: WriteOptions & { readonly digests?: DigestChains },
): Promise<WrittenMonth> {
  const { signal, onFile, digests } = options;
  const made = new Set<string>();
  let written: WrittenMonth = { files: 0, records: 0, bytes: 0, digests: 0 };
  const write = async (key: string, content: string): Promise<number> => {
    const path = join(folder, key);
    const place = dirname(path);
    if (!made.has(place)) await mkdir(place, { recursive: true });
    made.add(place);
    const packed = await compress(content);
    await writeFile(path, packed);
    return packed.length;
  };
  const writeDigests = async (due: Iterable<{ readonly key: string; readonly content: string }>): Promise<void> => {
    for (const { key, content } of due) {
      if (signal.aborted) return;
      const bytes = written.bytes + (await write(key, content));
      written = { ...written, digests: written.digests + 1, bytes };
    }
  };
  for (const file of files) {
    if (signal.aborted) break;
    const content = JSON.stringify({ Records: file.records });
    if (digests) await writeDigests(digests.accept(file, content));
    const bytes = written.bytes + (await write(file.key, content));
    written = { ...written, files: written.files + 1, records: written.records + file.records.length, bytes };
    onFile(written);
  }
  if (digests && !signal.aborted) await writeDigests(digests.finish());
  return written;
}
