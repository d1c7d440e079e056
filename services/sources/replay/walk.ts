import type { BigIntStats } from 'node:fs';
import { opendir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { KmswatchError } from '../../core/errors.ts';
import { unreadable } from '../read.ts';

/** Files looked at at once, for asking the file system takes most of a walk's time. */
const LOOK_AHEAD = 32;

/** What a walk comes across. Nothing is left out: what cannot be read is said. */
export type Found =
  | { readonly kind: 'file'; readonly path: string; readonly size: number; readonly mtimeMs: number }
  /** A named pipe that was given by name, e.g. `<(zcat …)`. */
  | { readonly kind: 'pipe'; readonly path: string }
  | { readonly kind: 'unreadable'; readonly path: string; readonly message: string };

/** @throws KmswatchError SOURCE_UNREADABLE for the first path that is not there */
export async function checkPaths(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    try {
      await stat(path);
    } catch (error) {
      throw new KmswatchError('SOURCE_UNREADABLE', `${path} cannot be read: ${codeOf(error)}`, {
        hint: 'Name a file, a folder, or - for standard input; nothing was ingested.',
        cause: error,
      });
    }
  }
}

/**
 * The files at a path: itself, or all below a folder, in the order of their names, folder by folder. Symbolic links are followed, but no
 * folder is entered twice, so that loops end. Only the names of the folders on the way down are held.
 */
export async function* walk(path: string): AsyncGenerator<Found> {
  const root = await look(resolve(path));
  if ('kind' in root) yield root;
  else if (root.stats.isFIFO()) yield { kind: 'pipe', path: root.path };
  else if (root.stats.isDirectory()) yield* walkFolder(root);
  else yield asFile(root);
}

async function* walkFolder(root: Seen): AsyncGenerator<Found> {
  const entered = new Set<string>();
  const open: Folder[] = [];
  let next: Seen | null = root;
  for (;;) {
    if (next) {
      const folder = await enter(next, entered);
      if (folder && 'kind' in folder) yield folder;
      else if (folder) open.push(folder);
    }
    next = null;
    const folder = open.at(-1);
    if (!folder) return;
    const seen = await nextIn(folder);
    if (!seen) open.pop();
    else if ('kind' in seen) yield seen;
    else if (seen.stats.isDirectory()) next = seen;
    else yield asFile(seen);
  }
}

interface Seen {
  readonly path: string;
  readonly stats: BigIntStats;
}

interface Folder {
  readonly path: string;
  readonly names: readonly string[];
  /** How many of the names were looked at. */
  at: number;
  /** What they turned out to be, as far as it was not given out yet. */
  readonly ahead: (Seen | Found)[];
}

async function nextIn(folder: Folder): Promise<Seen | Found | undefined> {
  if (folder.ahead.length === 0) {
    const names = folder.names.slice(folder.at, folder.at + LOOK_AHEAD);
    folder.at += names.length;
    folder.ahead.push(...(await Promise.all(names.map((name) => look(join(folder.path, name))))));
  }
  return folder.ahead.shift();
}

async function look(path: string): Promise<Seen | Found> {
  try {
    return { path, stats: await stat(path, { bigint: true }) };
  } catch (error) {
    return { kind: 'unreadable', path, message: unreadable(error).message };
  }
}

/** A folder's names, sorted by UTF-16 code units so that every machine has the same order; null when it was entered before. */
async function enter({ path, stats }: Seen, entered: Set<string>): Promise<Folder | Found | null> {
  const identity = `${stats.dev}:${stats.ino}`;
  if (entered.has(identity)) return null;
  entered.add(identity);
  try {
    const names: string[] = [];
    for await (const entry of await opendir(path)) names.push(entry.name);
    return { path, names: names.sort(), at: 0, ahead: [] };
  } catch (error) {
    return { kind: 'unreadable', path, message: unreadable(error).message };
  }
}

function asFile({ path, stats }: Seen): Found {
  if (stats.isFile()) return { kind: 'file', path, size: Number(stats.size), mtimeMs: Number(stats.mtimeMs) };
  const what = stats.isSocket() ? 'a socket' : stats.isFIFO() ? 'a named pipe' : 'a device';
  return { kind: 'unreadable', path, message: `it is ${what} and no file` };
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
