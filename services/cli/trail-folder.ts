/** A folder with a copy of a trail's bucket, as what validation reads from. */
import { createHash, hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import { MAX_DIGEST_BYTES } from '../compliance/integrity/digest.ts';
import type { ObjectMetadata } from '../compliance/integrity/object-metadata.ts';
import type { Area, DigestRead, LogHash, TrailCopy, Unread } from '../compliance/integrity/trail-copy.ts';
import { gunzipMember, readMember } from '../sources/gzip-member.ts';
import { DEFAULT_LIMITS } from '../sources/limits.ts';
import { unreadable } from '../sources/read.ts';
import { walk } from '../sources/replay/walk.ts';
import { findAreas, rootOf } from './trail-folder/areas.ts';
import { AS_IT_IS, findShift, type Shift, shiftedKey, shiftedPath } from './trail-folder/shift.ts';

export interface TrailFolderOptions {
  /** Null when no metadata was kept. */
  readonly metadata: ReadonlyMap<string, ObjectMetadata> | null;
  /** Told of each file that was read: its compressed and uncompressed bytes. */
  readonly onRead?: (kind: 'digest' | 'log', bytes: number) => void;
}

/** Opens a folder in the S3 layout, at whatever level of it: keys are made whole again by what the digests say. */
export async function openTrailFolder(folder: string, { metadata, onRead = () => {} }: TrailFolderOptions): Promise<TrailCopy> {
  const root = rootOf(resolve(folder));
  let shift: Shift = AS_IT_IS;
  const pathOf = (key: string): string | null => {
    const path = shiftedPath(key, shift);
    return path === null ? null : join(root, ...path.split('/'));
  };
  const keyOf = (path: string): string => shiftedKey(relative(root, path).split(sep).join('/'), shift);

  async function* keysBelow(area: Area, type: string): AsyncGenerator<string> {
    const below = pathOf(`${area.place}${type}/${area.region}`);
    if (below === null || (await lookAt(below)).kind === 'absent') return;
    for await (const { path } of walk(below)) yield keyOf(path);
  }

  /** Those in the folder, and those of which the metadata was kept: what was known to be there must still be. */
  async function* digestKeys(area: Area): AsyncGenerator<string> {
    const found = new Set<string>();
    for await (const key of keysBelow(area, 'CloudTrail-Digest')) {
      found.add(key);
      yield key;
    }
    const prefix = `${area.place}CloudTrail-Digest/${area.region}/`;
    for (const key of metadata?.keys() ?? []) if (key.startsWith(prefix) && !found.has(key)) yield key;
  }

  async function readDigest(key: string): Promise<DigestRead> {
    const path = pathOf(key);
    const found = path === null ? ({ kind: 'absent' } as const) : await lookAt(path);
    if (path === null || found.kind !== 'file') return found.kind === 'file' ? { kind: 'absent' } : found;
    if (found.size > MAX_DIGEST_BYTES) return { kind: 'damaged', message: 'it is larger than a digest can be' };
    return await reading(async () => {
      const packed = await readFile(path);
      onRead('digest', packed.length);
      const bytes = await gunzipMember(packed, MAX_DIGEST_BYTES);
      if (!bytes) return { kind: 'damaged', message: await whatIsWrong(path) };
      return { kind: 'read', bytes, metadata: metadata?.get(key) ?? metadata?.get(shiftedPath(key, shift) ?? key) ?? null, bucket: null };
    });
  }

  async function hashLog(key: string): Promise<LogHash> {
    const path = pathOf(key);
    const found = path === null ? ({ kind: 'absent' } as const) : await lookAt(path);
    if (path === null || found.kind !== 'file') return found.kind === 'file' ? { kind: 'absent' } : found;
    return await reading(async () => {
      if (found.size <= DEFAULT_LIMITS.wholeGzipBytes) {
        const bytes = await gunzipMember(await readFile(path), DEFAULT_LIMITS.wholeInflatedBytes);
        if (bytes) {
          onRead('log', bytes.length);
          return { kind: 'hashed', sha256: hash('sha256', bytes) };
        }
      }
      const sha256 = createHash('sha256');
      const problem = await readMember(createReadStream(path), DEFAULT_LIMITS, (piece) => {
        onRead('log', piece.length);
        sha256.update(piece);
      });
      return problem === null ? { kind: 'hashed', sha256: sha256.digest('hex') } : { kind: 'damaged', message: problem };
    });
  }

  const copy: TrailCopy = {
    async *areas() {
      for await (const { path, account, region } of findAreas(resolve(folder))) yield { account, region, place: place(keyOf(path)) };
    },
    digestKeys,
    logKeys: (area) => keysBelow(area, 'CloudTrail'),
    readDigest,
    hashLog,
  };
  shift = await findShift(copy);
  return copy;
}

function place(key: string): string {
  return key === '' || key.endsWith('/') ? key : `${key}/`;
}

/** What lies at a path. Only regular files are ever opened: a pipe would make us wait for ever. */
async function lookAt(path: string): Promise<{ readonly kind: 'file'; readonly size: number } | Unread> {
  try {
    const found = await stat(path);
    return found.isFile() ? { kind: 'file', size: found.size } : { kind: 'damaged', message: 'it is no file' };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' || code === 'ENOTDIR' ? { kind: 'absent' } : { kind: 'unreadable', message: unreadable(error).message };
  }
}

async function reading<T>(read: () => Promise<T>): Promise<T | Unread> {
  try {
    return await read();
  } catch (error) {
    return { kind: 'unreadable', message: unreadable(error).message };
  }
}

async function whatIsWrong(path: string): Promise<string> {
  return (await readMember(createReadStream(path), DEFAULT_LIMITS, () => {})) ?? 'it is larger than a digest can be';
}
