import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Delivery } from '../../../../services/sources/contract.ts';
import { DEFAULT_LIMITS, type ReadLimits } from '../../../../services/sources/limits.ts';
import { openDelivery } from '../../../../services/sources/registry.ts';
import { createReplaySource, type ReplayProgress } from '../../../../services/sources/replay/replay.ts';
import { record, texts } from '../splitting.ts';

const NEVER = new AbortController().signal;

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kmswatch-'));
});
afterEach(() => rm(folder, { recursive: true }));

function replay(
  paths: string[],
  { limits = DEFAULT_LIMITS, stdin }: { limits?: ReadLimits; stdin?: AsyncIterable<Uint8Array> } = {},
): Promise<Delivery[]> {
  return Array.fromAsync(createReplaySource({ paths, stdin: stdin ?? null, limits }).run(NEVER));
}

async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function put(name: string, bytes: Buffer | string): Promise<string> {
  await writeFile(join(folder, name), bytes);
  return join(folder, name);
}

/** What a worker would see: all ordinals with the record's text or the reason. */
async function contents(deliveries: readonly Delivery[]): Promise<[number | null, string][]> {
  const all: [number | null, string][] = [];
  for (const { source, locator, payload, quarantined } of deliveries) {
    const opened = await openDelivery(source, locator, payload, DEFAULT_LIMITS);
    for (const { ordinal, bytes } of opened.records) all.push([ordinal, Buffer.from(bytes).toString()]);
    for (const { ordinal, reason } of [...quarantined, ...opened.quarantined]) all.push([ordinal, reason]);
  }
  return all;
}

/** Text that hardly shrinks. */
function noise(bytes: number): string {
  let seed = 1;
  let text = '';
  while (text.length < bytes) text += (seed = (seed * 48_271) % 2_147_483_647).toString(36);
  return text;
}

describe('replay of files', () => {
  it('delivers a file of usual size by name, for the worker to open', async () => {
    const text = JSON.stringify({ Records: [record(1), record(2)] });
    const plain = await put('a.json', text);
    await put('b.gz', gzipSync(text));
    const deliveries = await replay([folder]);
    expect(deliveries).toMatchObject([
      {
        source: 'replay',
        locator: { path: plain, size: text.length, mtimeMs: expect.any(Number) },
        payload: null,
        quarantined: [],
        checkpoint: null,
      },
      { locator: { path: join(folder, 'b.gz') }, payload: null },
    ]);
    expect((await contents(deliveries)).map(([ordinal]) => ordinal)).toEqual([0, 1, 0, 1]);
  });

  it.each([
    ['a plain file beyond the limit', { wholePlainBytes: 100_000 }, (text: string) => Buffer.from(text)],
    ['a gzip file beyond the limit', { wholeGzipBytes: 10_000, wholeInflatedBytes: 1_000_000 }, (text: string) => gzipSync(text)],
    ['a gzip file that says it inflates too far', { wholeInflatedBytes: 1_000_000 }, (text: string) => gzipSync(text)],
    [
      'a gzip file of several members',
      { wholeInflatedBytes: 2_500_000 },
      (text: string) => Buffer.concat([gzipSync(`${noise(50_000)}\n`), gzipSync(text)]),
    ],
    [
      'a gzip file that says it inflates to nothing',
      { wholeInflatedBytes: 2_500_000 },
      (text: string) => Buffer.concat([gzipSync(text), Buffer.alloc(64)]),
    ],
  ])('streams %s, in chunks whose ordinals and offsets go on', async (_, limits, make) => {
    const lines = Array.from({ length: 2_500 }, (_line, number) => JSON.stringify(record(number)));
    const path = await put('file', make(lines.join('\n')));
    const deliveries = await replay([path], { limits: { ...DEFAULT_LIMITS, ...limits } });
    const found = await contents(deliveries);
    expect(found.filter(([, text]) => text.startsWith('{')).map(([, text]) => text)).toEqual(lines);
    expect(found.map(([ordinal]) => Number(ordinal)).toSorted((a, b) => a - b)).toEqual(found.map((_entry, index) => index));
    expect(deliveries.map(({ locator }) => locator)).toMatchObject([
      { path, chunk: 0, firstOrdinal: 0 },
      { path, chunk: 1, firstOrdinal: 2_000 },
    ]);
  });

  it('has a worker open a large gzip file of one member that is honest about its size', async () => {
    const path = await put('file', gzipSync(noise(300_000)));
    expect(await replay([path], { limits: { ...DEFAULT_LIMITS, wholeInflatedBytes: 400_000 } })).toMatchObject([{ payload: null }]);
    expect(await replay([path], { limits: { ...DEFAULT_LIMITS, wholeInflatedBytes: 200_000 } })).not.toMatchObject([{ payload: null }]);
  });

  it('quarantines what cannot be read, and delivers the rest', async () => {
    await put('a', JSON.stringify(record(1)));
    await symlink('nowhere', join(folder, 'b'));
    await put('c', JSON.stringify(record(2)));
    const deliveries = await replay([folder]);
    expect((await contents(deliveries)).map(([, text]) => text.slice(0, 10))).toEqual(['{"eventVer', 'unreadable', '{"eventVer']);
    expect(deliveries[1]).toMatchObject({ locator: { path: join(folder, 'b') }, quarantined: [{ reason: 'unreadable', ordinal: null }] });
  });

  it('delivers digest files and empty files too, for the worker to say what they are', async () => {
    await put('digest', JSON.stringify({ digestS3Object: 'x', logFiles: [] }));
    await put('empty', '');
    const deliveries = await replay([folder]);
    expect(deliveries).toHaveLength(2);
    expect(await contents(deliveries)).toEqual([[0, 'digest-file']]);
  });

  it('refuses to begin when a path is not there', async () => {
    const path = await put('a', JSON.stringify(record(1)));
    await expect(replay([path, join(folder, 'missing')])).rejects.toMatchObject({ code: 'SOURCE_UNREADABLE' });
    await expect(replay(['-'])).rejects.toMatchObject({ code: 'SOURCE_UNREADABLE' });
  });

  it('ends between two deliveries when it is aborted', async () => {
    for (let number = 0; number < 5; number++) await put(String(number), '{}');
    const abort = new AbortController();
    const seen: Delivery[] = [];
    for await (const delivery of createReplaySource({ paths: [folder], stdin: null, limits: DEFAULT_LIMITS }).run(abort.signal)) {
      seen.push(delivery);
      if (seen.length === 2) abort.abort();
    }
    expect(seen).toHaveLength(2);
  });

  it('tells how far it is', async () => {
    await put('a', '{}');
    await put('b', '{} ');
    const seen: ReplayProgress[] = [];
    const source = createReplaySource({
      paths: [folder],
      stdin: null,
      limits: DEFAULT_LIMITS,
      onProgress: (progress) => seen.push(progress),
    });
    const [first, second] = await Array.fromAsync(source.run(NEVER));
    expect(seen.at(-1)).toEqual({ files: 2, bytes: 5, deliveries: 2, acknowledged: 0, failed: 0 });
    await first?.ack();
    await second?.nack('no room');
    expect(seen.at(-1)).toEqual({ files: 2, bytes: 5, deliveries: 2, acknowledged: 1, failed: 1 });
  });
});

describe('replay of streams', () => {
  it('gives the same chunks wherever standard input is cut', async () => {
    const lines = Array.from({ length: 50 }, (_, number) => JSON.stringify(record(number)));
    lines.splice(20, 0, 'rubbish', '{"a":');
    lines.splice(30, 0, 'more rubbish');
    const limits = { ...DEFAULT_LIMITS, chunkRecords: 12 };
    const bytes = Buffer.from(lines.join('\n'));
    const whole = await replay(['-'], { limits, stdin: pieces(bytes, bytes.length) });
    expect(whole.map(({ locator }) => locator)).toMatchObject([
      { path: '-', chunk: 0, firstOrdinal: 0, firstOffset: 0 },
      { chunk: 1, firstOrdinal: 12, skippedOrdinals: [20, 21] },
      { chunk: 2, firstOrdinal: 24, skippedOrdinals: [30] },
      { chunk: 3, firstOrdinal: 36 },
      { chunk: 4, firstOrdinal: 48 },
    ]);
    expect((await contents(whole)).map(([ordinal]) => ordinal).toSorted((a, b) => Number(a) - Number(b))).toEqual(
      lines.map((_, index) => index),
    );
    for (const stdin of [pieces(bytes, 7), pieces(bytes, 1_000), pieces(gzipSync(bytes), 100), pieces(gzipSync(bytes), 1)]) {
      const again = await replay(['-'], { limits, stdin });
      expect(again.map(({ locator, payload }) => [locator, payload])).toEqual(whole.map(({ locator, payload }) => [locator, payload]));
    }
  });

  it('cuts by bytes as well', async () => {
    const line = `${JSON.stringify({ a: 'x'.repeat(999_000) })}\n`;
    const deliveries = await replay(['-'], { stdin: pieces(Buffer.from(line.repeat(20)), 65_536) });
    expect(deliveries.map(({ payload }) => Math.round(payload!.length / 1_000_000))).toEqual([5, 5, 5, 5]);
  });

  it('gives one empty delivery for nothing', async () => {
    const deliveries = await replay(['-'], { stdin: pieces(Buffer.alloc(0), 1) });
    expect(deliveries).toMatchObject([{ locator: { path: '-', chunk: 0, firstOrdinal: 0, firstOffset: 0 }, quarantined: [] }]);
    expect(await contents(deliveries)).toEqual([]);
  });

  it('keeps what came before a bomb of 10 MB that inflates to 10 GB, and stops there', async () => {
    const zeros = gzipSync(Buffer.alloc(10_000_000), { level: 9 });
    const members = Array.from({ length: 1_000 }, () => zeros);
    const path = await put('bomb.gz', Buffer.concat([gzipSync(`${JSON.stringify(record(1))}\n`), ...members]));
    let read = 0;
    const source = createReplaySource({
      paths: [path],
      stdin: null,
      limits: DEFAULT_LIMITS,
      onProgress: ({ bytes }) => (read = bytes),
    });
    const deliveries = await Array.fromAsync(source.run(NEVER));
    expect((await contents(deliveries)).map(([, text]) => text)).toEqual([JSON.stringify(record(1)), 'decompression-limit']);
    expect(read).toBeLessThan(2_000_000);
  });

  it('keeps what came before a read error', async () => {
    const broken = async function* (): AsyncGenerator<Buffer> {
      yield Buffer.from(`${JSON.stringify(record(1))}\n{"half`);
      throw Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO', syscall: 'read' });
    };
    const deliveries = await replay(['-'], { stdin: broken() });
    expect((await contents(deliveries)).map(([, text]) => text)).toEqual([JSON.stringify(record(1)), 'unreadable']);
    expect(deliveries[0]?.quarantined[0]?.message).toContain('EIO');
  });

  it('does not hide a bug as unreadable input', async () => {
    const broken = async function* (): AsyncGenerator<Buffer> {
      yield Buffer.from('{}');
      throw new TypeError('bug');
    };
    await expect(replay(['-'], { stdin: broken() })).rejects.toThrow('bug');
  });

  it('ends at once when it is aborted while the terminal says nothing, without taking that for the end', async () => {
    const abort = new AbortController();
    const silent = async function* (): AsyncGenerator<Buffer> {
      yield Buffer.from('{"half');
      setTimeout(() => abort.abort(), 10);
      await new Promise(() => {});
    };
    expect(await Array.fromAsync(createReplaySource({ paths: ['-'], stdin: silent(), limits: DEFAULT_LIMITS }).run(abort.signal))).toEqual(
      [],
    );
  });

  it('needs no more memory for 300 MB than for 30', async () => {
    const line = Buffer.from(`${JSON.stringify(record(1))}\n`);
    const megabyte = Buffer.concat(Array.from({ length: Math.floor(1_000_000 / line.length) }, () => line));
    let produced = 0;
    const stdin = async function* (): AsyncGenerator<Buffer> {
      for (; produced < 300; produced++) yield Buffer.from(megabyte);
    };
    let records = 0;
    let early = 0;
    let late = 0;
    for await (const { locator } of createReplaySource({ paths: ['-'], stdin: stdin(), limits: DEFAULT_LIMITS }).run(NEVER)) {
      records = Number(locator.firstOrdinal);
      const { rss } = process.memoryUsage();
      if (produced <= 30) early = Math.max(early, rss);
      late = Math.max(late, rss);
    }
    expect(records).toBeGreaterThan(290 * Math.floor(1_000_000 / line.length));
    expect(late - early).toBeLessThan(100_000_000);
  });
});

describe('replay of a folder with many files', () => {
  it('hands out the first delivery before it has looked at every file', async () => {
    await mkdir(join(folder, 'many'));
    for (let number = 0; number < 200; number++) await put(`many/${String(number).padStart(3, '0')}`, '{}');
    let files = 0;
    const source = createReplaySource({
      paths: [folder],
      stdin: null,
      limits: DEFAULT_LIMITS,
      onProgress: (progress) => (files = progress.files),
    });
    for await (const delivery of source.run(NEVER)) {
      expect(texts((await openDelivery('replay', delivery.locator, null, DEFAULT_LIMITS)) as never)).toEqual(['{}']);
      expect(files).toBe(1);
      break;
    }
  });
});
