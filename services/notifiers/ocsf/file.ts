/** A file of lines that only grows, until it is put aside whole. */
import { randomBytes } from 'node:crypto';
import { type FileHandle, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

export interface LineFile {
  readonly path: string;
  /** A file that would grow beyond this is put aside first. */
  readonly maxBytes: number;
  /** So many files that were put aside are kept. */
  readonly keep: number;
}

/** Endings of files that were put aside: a time and a random number, so that no file takes another's place. */
const ASIDE = /^\d{8}T\d{9}Z-[0-9a-f]{8}$/;

function asideName(now: number): string {
  return `${new Date(now).toISOString().replace(/[-:.]/g, '')}-${randomBytes(4).toString('hex')}`;
}

/**
 * Appends in one write, durable when it returns. Several processes may append to one file: lines stay whole.
 *
 * @param now for the name of the file if it is put aside, epoch milliseconds
 * @throws the system's errors
 */
export async function appendLines(lines: string, { path, maxBytes, keep }: LineFile, now: number): Promise<void> {
  const size = await sizeOf(path);
  if (size > 0 && size + Buffer.byteLength(lines) > maxBytes) await putAside(path, { keep, name: asideName(now) });
  const file = await open(path, 'a+', 0o640);
  try {
    await file.appendFile((await endsInLine(file)) ? lines : `\n${lines}`);
    await file.datasync();
  } finally {
    await file.close();
  }
}

/** A write that was cut short, by a full disk for example, leaves half a line: the next one must not be joined to it. */
async function endsInLine(file: FileHandle): Promise<boolean> {
  const { size } = await file.stat();
  if (size === 0) return true;
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0] === 0x0a;
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (isMissing(error)) return 0;
    throw error;
  }
}

/** Who comes second finds nothing to put aside: that is as good. */
async function putAside(path: string, { keep, name }: { readonly keep: number; readonly name: string }): Promise<void> {
  try {
    await rename(path, `${path}.${name}`);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  const folder = dirname(path);
  const prefix = `${basename(path)}.`;
  const aside = (await readdir(folder)).filter((entry) => entry.startsWith(prefix) && ASIDE.test(entry.slice(prefix.length))).sort();
  for (const old of aside.slice(0, Math.max(0, aside.length - keep))) await rm(join(folder, old), { force: true });
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
