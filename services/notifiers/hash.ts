import { createHash } from 'node:crypto';

/** Names that other systems can bear, for keys of ours that may hold anything: 40 hex digits of SHA-256. */
export function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 40);
}
