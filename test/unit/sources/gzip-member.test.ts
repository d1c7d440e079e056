import { createHash, randomBytes } from 'node:crypto';
import { deflateRawSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { gunzipMember, readMember } from '../../../services/sources/gzip-member.ts';

const LIMITS = { inflateFloorBytes: 1_000_000, inflateRatio: 400 };
const MOST = 64_000_000;

async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function streamed(bytes: Buffer, size = 1000): Promise<{ problem: string | null; content: Buffer }> {
  const content: Buffer[] = [];
  const problem = await readMember(pieces(bytes, size), LIMITS, (piece) => content.push(piece));
  return { problem, content: Buffer.concat(content) };
}

const CONTENT = Buffer.from(`{"Records":[${Array.from({ length: 500 }, (_, at) => `{"eventID":"${at}"}`).join(',')}]}`);
const PACKED = gzipSync(CONTENT);

describe('one gzip member is read whole', () => {
  test.each([
    ['usual', CONTENT],
    ['empty', Buffer.alloc(0)],
    ['incompressible and larger than a slice', randomBytes(300_000)],
    ['larger than a piece', Buffer.alloc(3_000_000, 'CloudTrail logs are long-winded. ')],
  ])('%s', async (_what, content) => {
    const packed = gzipSync(content, { level: content.length > 1_000_000 ? 1 : 9 });
    expect((await gunzipMember(packed, MOST))?.equals(content)).toBe(true);
    for (const size of [7, 65_536, packed.length]) {
      const { problem, content: read } = await streamed(packed, size);
      expect(problem).toBeNull();
      expect(createHash('sha256').update(read).digest('hex')).toBe(createHash('sha256').update(content).digest('hex'));
    }
  });

  test('with a name and a comment in its header', async () => {
    const header = Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 8 | 16, 0, 0, 0, 0, 0, 3]), Buffer.from('name\0comment\0')]);
    const packed = Buffer.concat([header, deflateRawSync(CONTENT), PACKED.subarray(-8)]);
    expect((await gunzipMember(packed, MOST))?.equals(CONTENT)).toBe(true);
    expect((await streamed(packed, 3)).problem).toBeNull();
  });
});

describe('everything else is refused by both ways of reading', () => {
  const flipped = (at: number): Buffer => {
    const bytes = Buffer.from(PACKED);
    bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
    return bytes;
  };
  test.each([
    ['nothing', Buffer.alloc(0), 'breaks off'],
    ['plain text', CONTENT, 'no gzip file'],
    ['cut off in the trailer', PACKED.subarray(0, -1), 'breaks off'],
    ['cut off before the trailer', PACKED.subarray(0, -8), 'breaks off'],
    ['cut off in the data', PACKED.subarray(0, -30), 'breaks off'],
    ['another checksum', flipped(PACKED.length - 8), 'checksum'],
    ['another length', flipped(PACKED.length - 4), 'checksum'],
    ['a second member', Buffer.concat([PACKED, PACKED]), 'after the end'],
    ['an empty second member', Buffer.concat([PACKED, gzipSync('')]), 'after the end'],
    ['an empty first member', Buffer.concat([gzipSync(''), PACKED]), 'after the end'],
    ['one zero more', Buffer.concat([PACKED, Buffer.alloc(1)]), 'after the end'],
    ['damaged data', Buffer.concat([PACKED.subarray(0, 10), Buffer.from([0xff, 0xff, 0xff]), PACKED.subarray(10)]), 'damaged'],
  ])('%s', async (_what, bytes, reason) => {
    expect(await gunzipMember(bytes, MOST)).toBeNull();
    for (const size of [1, 1000, 1_000_000]) expect((await streamed(bytes, size)).problem).toContain(reason);
  });

  test('what inflates to more than is allowed, without being inflated to the end', async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000));
    expect(await gunzipMember(bomb, 1_000_000)).toBeNull();
    const { problem, content } = await streamed(bomb, 10_000);
    expect(problem).toContain('far more');
    expect(content.length).toBeLessThan(25_000_000);
  });
});
