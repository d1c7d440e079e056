import type { ByteFeed } from './feed.ts';

const HAS_CHECKSUM = 2;
const HAS_EXTRA = 4;
const HAS_NAME = 8;
const HAS_COMMENT = 16;
const RESERVED = 0xe0;
const DEFLATE = 8;

/** Names and comments are of no use to us, and endless ones are an attack. */
const LONGEST_TEXT = 65_536;

/** Reads past a gzip member's header (RFC 1952, 2.3). `foreign`: what stands here is no gzip member; nothing of it is skipped if its magic is wrong. */
export async function readHeader(feed: ByteFeed): Promise<'ok' | 'truncated' | 'foreign'> {
  if (!(await feed.fill())) return 'truncated';
  if (feed.peek()[0] !== 0x1f) return 'foreign';
  const fixed = await feed.take(10);
  if (fixed === null) return 'truncated';
  const flags = fixed[3] as number;
  if (fixed[1] !== 0x8b || fixed[2] !== DEFLATE || (flags & RESERVED) !== 0) return 'foreign';
  if (flags & HAS_EXTRA) {
    const size = await feed.take(2);
    if (size === null || (await feed.take(size.readUInt16LE(0))) === null) return 'truncated';
  }
  if (flags & HAS_NAME && !(await feed.skipText(LONGEST_TEXT))) return 'truncated';
  if (flags & HAS_COMMENT && !(await feed.skipText(LONGEST_TEXT))) return 'truncated';
  if (flags & HAS_CHECKSUM && (await feed.take(2)) === null) return 'truncated';
  return 'ok';
}
