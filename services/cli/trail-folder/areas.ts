import { opendir } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { cannotBeRead } from '../cannot-be-read.ts';

export interface FoundArea {
  /** Of the folder `ACCOUNT`. */
  readonly path: string;
  readonly account: string;
  readonly region: string;
}

const TYPES: readonly string[] = ['CloudTrail', 'CloudTrail-Digest'];
const ACCOUNT = /^\d{12}$/;
const REGION = /^[a-z]{2,5}(?:-[a-z0-9]{1,12}){1,4}$/;

/** Folders below the given one are looked into this deep; a bucket's prefix rarely has more than two or three levels. */
const DEEPEST = 16;

/** Finds every `ACCOUNT/CloudTrail/REGION` and `ACCOUNT/CloudTrail-Digest/REGION` at, above or below a folder, in the order of their names. */
export async function* findAreas(folder: string): AsyncGenerator<FoundArea> {
  const names = folder.split(sep);
  const at = typeAt(names);
  if (at < 0) yield* areasBelow(folder, 0);
  else {
    const [account = '', region] = [names[at - 1], names[at + 1]];
    const path = names.slice(0, at).join(sep);
    for (const each of region === undefined ? await regionsOf(folder) : [region]) yield { path, account, region: each };
  }
}

/** The folder from which keys are counted: the given one, but never one in the middle of an account, for logs lie beside digests. */
export function rootOf(folder: string): string {
  const names = folder.split(sep);
  const at = typeAt(names);
  return at < 0 ? folder : names.slice(0, at - 1).join(sep) || sep;
}

function typeAt(names: readonly string[]): number {
  return names.findLastIndex((name, index) => TYPES.includes(name) && ACCOUNT.test(names[index - 1] ?? ''));
}

async function* areasBelow(folder: string, depth: number): AsyncGenerator<FoundArea> {
  const names = await foldersOf(folder);
  const account = folder.slice(folder.lastIndexOf(sep) + 1);
  const types = ACCOUNT.test(account) ? names.filter((name) => TYPES.includes(name)) : [];
  const regions = new Set<string>();
  for (const type of types) for (const region of await regionsOf(join(folder, type))) regions.add(region);
  for (const region of [...regions].sort()) yield { path: folder, account, region };
  if (types.length > 0 || depth === DEEPEST) return;
  for (const name of names) yield* areasBelow(join(folder, name), depth + 1);
}

async function regionsOf(folder: string): Promise<string[]> {
  return (await foldersOf(folder)).filter((name) => REGION.test(name));
}

/** @throws KmswatchError SOURCE_UNREADABLE: what cannot be looked into must not pass for verified */
async function foldersOf(folder: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const entry of await opendir(folder)) if (entry.isDirectory()) names.push(entry.name);
  } catch (cause) {
    throw cannotBeRead(folder, cause);
  }
  return names.sort();
}
