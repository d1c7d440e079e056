import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { type MonthOptions, simulateMonth } from '../simulate/company.ts';

const compress = promisify(gzip);

export interface WrittenMonth {
  readonly files: number;
  readonly records: number;
  /** Compressed. */
  readonly bytes: number;
}

/** Writes a simulated month as gzip files in the S3 layout below a folder. The same options write the same bytes; an abort ends it early. */
export async function writeMonth(
  folder: string,
  month: MonthOptions,
  options: { readonly signal: AbortSignal; readonly onFile: (soFar: WrittenMonth) => void },
): Promise<WrittenMonth> {
  let written: WrittenMonth = { files: 0, records: 0, bytes: 0 };
  for (const file of simulateMonth(month)) {
    if (options.signal.aborted) break;
    const path = join(folder, file.key);
    await mkdir(dirname(path), { recursive: true });
    const packed = await compress(JSON.stringify({ Records: file.records }));
    await writeFile(path, packed);
    written = { files: written.files + 1, records: written.records + file.records.length, bytes: written.bytes + packed.length };
    options.onFile(written);
  }
  return written;
}
