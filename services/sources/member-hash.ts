import { createHash, hash } from 'node:crypto';
import { gunzipMember, readMember } from './gzip-member.ts';
import type { ReadLimits } from './limits.ts';

export type MemberHash =
  /** Of the inflated content: SHA-256, lower-case hex, and its size. */
  { readonly kind: 'hashed'; readonly sha256: string; readonly bytes: number } | { readonly kind: 'damaged'; readonly message: string };

/**
 * Hashes the content of exactly one gzip member. Small ones, which are nearly all, are gathered and inflated on zlib's threads; of larger
 * ones only pieces are ever in memory.
 * @throws what the chunks throw
 */
export async function hashMember(chunks: AsyncIterable<Uint8Array>, limits: ReadLimits): Promise<MemberHash> {
  const iterator = chunks[Symbol.asyncIterator]();
  const head: Uint8Array[] = [];
  let length = 0;
  let isWhole = false;
  while (!isWhole && length <= limits.wholeGzipBytes) {
    const next = await iterator.next();
    if (next.done === true) isWhole = true;
    else {
      head.push(next.value);
      length += next.value.length;
    }
  }
  const gathered = Buffer.concat(head);
  const content = isWhole ? await gunzipMember(gathered, limits.wholeInflatedBytes) : null;
  if (content) return { kind: 'hashed', sha256: hash('sha256', content), bytes: content.length };
  const sha256 = createHash('sha256');
  let bytes = 0;
  const problem = await readMember(chain(gathered, iterator), limits, (piece) => {
    sha256.update(piece);
    bytes += piece.length;
  });
  return problem === null ? { kind: 'hashed', sha256: sha256.digest('hex'), bytes } : { kind: 'damaged', message: problem };
}

async function* chain(head: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield head;
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}
