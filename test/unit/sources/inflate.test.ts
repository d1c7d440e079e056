import { deflateRawSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { inflate, isGzip } from '../../../services/sources/inflate.ts';
import { gunzipWhole } from '../../../services/sources/inflate/whole.ts';
import { DEFAULT_LIMITS } from '../../../services/sources/limits.ts';
import type { InputProblem } from '../../../services/sources/split.ts';

const LIMITS = { ...DEFAULT_LIMITS, maxBytes: Infinity };
const TEXT = Array.from({ length: 2_000 }, (_, number) => `{"number":${number},"square":${number * number}}\n`).join('');

async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function run(bytes: Buffer, size = 65_536, limits = LIMITS): Promise<{ text: string; problems: InputProblem[] }> {
  const problems: InputProblem[] = [];
  const out: Buffer[] = [];
  for await (const piece of inflate(pieces(bytes, size), limits, (problem) => problems.push(problem))) out.push(piece);
  return { text: Buffer.concat(out).toString(), problems };
}

describe('inflate', () => {
  it('inflates members one after the other, however they arrive', async () => {
    const bytes = Buffer.concat([gzipSync('one,'), gzipSync(''), gzipSync('three')]);
    for (let size = 1; size <= bytes.length; size++) expect(await run(bytes, size)).toEqual({ text: 'one,three', problems: [] });
  });

  it('takes headers with name, comment, extra field and checksum, and zeros as padding', async () => {
    const header = Buffer.concat([
      Buffer.from([0x1f, 0x8b, 8, 2 | 4 | 8 | 16, 0, 0, 0, 0, 0, 3, 3, 0, 1, 2, 3]),
      Buffer.from('name\0a comment\0'),
      Buffer.from([1, 2]),
    ]);
    const bytes = Buffer.concat([header, deflateRawSync('text'), gzipSync('text').subarray(-8), Buffer.alloc(1000)]);
    for (const size of [1, 5, 2000]) expect(await run(bytes, size)).toEqual({ text: 'text', problems: [] });
  });

  it('gives all that can be had of a file cut off anywhere, and says so', async () => {
    const bytes = Buffer.concat([gzipSync('first,'), gzipSync(TEXT)]);
    const first = gzipSync('first,').length;
    let before = 0;
    for (let length = 1; length < bytes.length; length += 97) {
      const { text, problems } = await run(bytes.subarray(0, length));
      expect(problems.map(({ reason }) => reason)).toEqual(['truncated']);
      expect(`first,${TEXT}`.startsWith(text)).toBe(true);
      expect(text.length).toBeGreaterThanOrEqual(length > first ? Math.max(before, 6) : before);
      before = text.length;
    }
    expect((await run(bytes.subarray(0, -8))).text).toBe(`first,${TEXT}`);
  });

  it('gives everything before what is no gzip data', async () => {
    for (const size of [1, 10, 65_536]) {
      const { text, problems } = await run(Buffer.concat([gzipSync('text'), Buffer.from('\0\0junk')]), size);
      expect(text).toBe('text');
      expect(problems).toMatchObject([{ reason: 'corrupt-gzip' }]);
    }
  });

  it('says that a checksum or length is wrong, and goes on with the next member', async () => {
    for (const index of [8, 4]) {
      const bad = gzipSync('bad,');
      bad[bad.length - index]! ^= 1;
      const { text, problems } = await run(Buffer.concat([bad, gzipSync('good')]));
      expect(text).toBe('bad,good');
      expect(problems).toMatchObject([{ reason: 'corrupt-gzip' }]);
    }
  });

  it('gives what comes well before damage', async () => {
    const noise = Array.from({ length: 30_000 }, (_, number) => `${number * 7919 * 104_729}\n`).join('');
    const bytes = gzipSync(noise);
    bytes.fill(0xff, bytes.length - 2_000, bytes.length - 1_900);
    const { text, problems } = await run(bytes);
    expect(problems).toMatchObject([{ reason: 'corrupt-gzip' }]);
    expect(text.slice(0, 200_000)).toBe(noise.slice(0, 200_000));
  });

  it('stops a 10 MB bomb of 10 GB after 64 MiB', async () => {
    const member = gzipSync(Buffer.alloc(10_000_000), { level: 9 });
    let taken = 0;
    const bomb = async function* (): AsyncGenerator<Buffer> {
      for (; taken < 1000; taken++) yield member;
    };
    let inflated = 0;
    const problems: InputProblem[] = [];
    for await (const piece of inflate(bomb(), LIMITS, (problem) => problems.push(problem))) inflated += piece.length;
    expect(problems).toMatchObject([{ reason: 'decompression-limit' }]);
    expect(inflated).toBeLessThanOrEqual(LIMITS.inflateFloorBytes);
    expect(taken).toBeLessThan(10);
  });

  it('leaves much repetition alone that records may well have', async () => {
    const record = `${JSON.stringify({ eventVersion: '1.08', eventName: 'Decrypt', filler: 'x'.repeat(900) })}\n`;
    const { text, problems } = await run(gzipSync(record.repeat(100)), 65_536, { ...LIMITS, inflateFloorBytes: 0 });
    expect(problems).toEqual([]);
    expect(text.length).toBe(record.length * 100);
  });

  it('knows gzip by its first bytes', () => {
    expect(isGzip(gzipSync(''))).toBe(true);
    expect(isGzip(Buffer.from('{"Records":[]}'))).toBe(false);
    expect(isGzip(Buffer.from([0x1f]))).toBe(false);
  });
});

describe('gunzipWhole', () => {
  it('inflates a sound file, and leaves every other to inflate', async () => {
    const sound = gzipSync(TEXT);
    const wrong = Buffer.from(sound);
    wrong[wrong.length - 8]! ^= 1;
    expect((await gunzipWhole(sound, 1_000_000))?.toString()).toBe(TEXT);
    expect((await gunzipWhole(Buffer.concat([sound, sound, Buffer.alloc(9)]), 1_000_000))?.toString()).toBe(TEXT + TEXT);
    expect(await gunzipWhole(sound, TEXT.length - 1)).toBeNull();
    expect((await gunzipWhole(sound, TEXT.length))?.length).toBe(TEXT.length);
    for (const bad of [
      wrong,
      sound.subarray(0, -9),
      Buffer.concat([sound, Buffer.from('\0x')]),
      Buffer.concat([sound, Buffer.from('x')]),
      sound.subarray(0, 4),
    ]) {
      expect(await gunzipWhole(bad, 1_000_000)).toBeNull();
    }
  });
});
