import { parsed } from '../../compliance/integrity/examine.ts';
import type { TrailCopy } from '../../compliance/integrity/trail-copy.ts';

/** How paths in the folder differ from keys in the bucket: a beginning that was left out, or one that was put in front. */
export interface Shift {
  readonly missing: string;
  readonly added: string;
}

export const AS_IT_IS: Shift = { missing: '', added: '' };

/** Areas whose newest digest is asked; all copies of a bucket are shifted alike. */
const AREAS_ASKED = 64;

/** Digests of one area that are opened in search of a readable one. */
const DIGESTS_ASKED = 8;

/** `aws s3 cp --recursive s3://bucket/prefix/AWSLogs ./copy` leaves the prefix out: digests tell the keys that they were delivered to. The most count. */
export async function findShift(copy: TrailCopy): Promise<Shift> {
  const votes = new Map<string, { readonly shift: Shift; count: number }>();
  let asked = 0;
  for await (const area of copy.areas()) {
    if (asked++ === AREAS_ASKED) break;
    let opened = 0;
    for await (const path of copy.digestKeys(area)) {
      if (opened++ === DIGESTS_ASKED) break;
      const read = await copy.readDigest(path);
      const digest = read.kind === 'read' ? parsed(read.bytes) : 'unread';
      const shift = typeof digest === 'string' ? null : shiftOf(path, digest.key);
      if (!shift) continue;
      const vote = votes.get(JSON.stringify(shift));
      if (vote) vote.count += 1;
      else votes.set(JSON.stringify(shift), { shift, count: 1 });
    }
  }
  let best = { shift: AS_IT_IS, count: votes.get(JSON.stringify(AS_IT_IS))?.count ?? 0 };
  for (const vote of votes.values()) if (vote.count > best.count) best = vote;
  return best.shift;
}

function shiftOf(path: string, key: string): Shift | null {
  if (path === key) return AS_IT_IS;
  if (key.endsWith(`/${path}`)) return { missing: key.slice(0, -path.length), added: '' };
  return path.endsWith(`/${key}`) ? { missing: '', added: path.slice(0, -key.length) } : null;
}

export function shiftedKey(path: string, { missing, added }: Shift): string {
  return missing + (path.startsWith(added) ? path.slice(added.length) : path);
}

/** Null for a key that is not of the folder, or that would lead out of it. */
export function shiftedPath(key: string, { missing, added }: Shift): string | null {
  if (!key.startsWith(missing)) return null;
  const path = added + key.slice(missing.length);
  const isSafe = path.split('/').every((name) => name !== '' && name !== '.' && name !== '..') && !/[\0\\]/.test(path);
  return isSafe ? path : null;
}
