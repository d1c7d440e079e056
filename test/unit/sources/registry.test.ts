import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeFrames } from '../../../services/core/frames.ts';
import type { OpenedDelivery } from '../../../services/sources/contract.ts';
import { DEFAULT_LIMITS, type ReadLimits } from '../../../services/sources/limits.ts';
import { openDelivery } from '../../../services/sources/registry.ts';
import { reasons, record, texts } from './splitting.ts';

const RECORDS = Array.from({ length: 300 }, (_, number) => JSON.stringify(record(number)));
const LOG = Buffer.from(`{"Records":[${RECORDS.join(',')}]}`);

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kmswatch-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function openFile(
  bytes: Buffer,
  limits: ReadLimits = DEFAULT_LIMITS,
): Promise<OpenedDelivery & { records: { bytes: Uint8Array }[] }> {
  const path = join(folder, 'file');
  await writeFile(path, bytes);
  return openDelivery('replay', { path, size: bytes.length, mtimeMs: 0 }, null, limits) as never;
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describe('openDelivery by locator', () => {
  it('gives the records of a plain and of a compressed file, and the SHA-256 of the file as it lies', async () => {
    for (const bytes of [LOG, gzipSync(LOG), Buffer.concat([gzipSync(LOG.subarray(0, 999)), gzipSync(LOG.subarray(999))])]) {
      const opened = await openFile(bytes);
      expect(texts({ records: [...opened.records] })).toEqual(RECORDS);
      expect(opened.records.map(({ ordinal }) => ordinal)).toEqual(RECORDS.map((_, index) => index));
      expect(opened.quarantined).toEqual([]);
      expect(opened.sha256).toBe(sha256(bytes));
    }
  });

  it('gives nothing for an empty file', async () => {
    for (const bytes of [Buffer.alloc(0), gzipSync('')]) {
      expect(await openFile(bytes)).toEqual({ records: [], quarantined: [], sha256: sha256(bytes) });
    }
  });

  it('gives every record before the place where a gzip file is cut off, and one quarantined input', async () => {
    const bytes = gzipSync(LOG);
    for (const cut of [11, 100, 1_000, bytes.length - 9, bytes.length - 1]) {
      const { records, quarantined } = await openFile(bytes.subarray(0, cut));
      expect(texts({ records: [...records] })).toEqual(RECORDS.slice(0, records.length));
      expect(reasons({ quarantined: [...quarantined] })).toEqual(['truncated']);
    }
    expect((await openFile(bytes.subarray(0, -1))).records).toHaveLength(300);
  });

  it('keeps the records of a gzip file with something behind it or a wrong checksum, and one quarantined input', async () => {
    const wrong = gzipSync(LOG);
    wrong[wrong.length - 8]! ^= 1;
    for (const bytes of [Buffer.concat([gzipSync(LOG), Buffer.from('junk')]), wrong]) {
      const { records, quarantined } = await openFile(bytes);
      expect(records).toHaveLength(300);
      expect(quarantined).toMatchObject([{ reason: 'corrupt-gzip', ordinal: null }]);
    }
  });

  it('stops a small file that inflates too far', async () => {
    const bomb = gzipSync(Buffer.concat([LOG, Buffer.alloc(20_000_000)]));
    const { records, quarantined } = await openFile(bomb, { ...DEFAULT_LIMITS, wholeInflatedBytes: 8_000_000 });
    expect(records).toHaveLength(300);
    expect(reasons({ quarantined: [...quarantined] })).toEqual(['decompression-limit']);
  });

  it('stops at more records than a log file has', async () => {
    const { records, quarantined } = await openFile(Buffer.from('{}'.repeat(500_000)), { ...DEFAULT_LIMITS, wholeRecords: 1_000 });
    expect(records.length).toBeLessThan(200_000);
    expect(quarantined).toMatchObject([{ reason: 'too-large', ordinal: null }]);
  });

  it.each([
    ['is gone', (path: string) => rm(path, { force: true })],
    ['is a dangling link', (path: string) => symlink('nowhere', path)],
    ['is a folder now', (path: string) => mkdir(path)],
    ['has another size now', (path: string) => writeFile(path, 'longer than before')],
  ])('says that a file could not be read when it %s', async (_, prepare) => {
    const path = join(folder, 'file');
    await prepare(path);
    const opened = await openDelivery('replay', { path, size: 5, mtimeMs: 0 }, null, DEFAULT_LIMITS);
    expect(opened).toMatchObject({ records: [], quarantined: [{ reason: 'unreadable', ordinal: null }], sha256: sha256(Buffer.alloc(0)) });
    expect(opened.quarantined[0]?.message).not.toContain(folder);
  });
});

describe('openDelivery by payload', () => {
  it('gives the frames with the ordinals that they had, leaving out those of quarantined inputs', async () => {
    const frames = ['{"a":1}', '{"b":2}', '{"c":3}'].map((text, index) => ({ offset: 100 + 8 * index, bytes: Buffer.from(text) }));
    const payload = new Uint8Array(encodeFrames(frames));
    const locator = { path: '-', chunk: 3, firstOrdinal: 7, firstOffset: 100, skippedOrdinals: [7, 9] };
    const opened = await openDelivery('replay', locator, payload, DEFAULT_LIMITS);
    expect(opened.records.map(({ ordinal, offset, bytes }) => [ordinal, offset, String(bytes)])).toEqual([
      [8, 100, '{"a":1}'],
      [10, 108, '{"b":2}'],
      [11, 116, '{"c":3}'],
    ]);
    expect(opened.sha256).toBe(sha256(payload));
    expect((await openDelivery('eventbridge', {}, payload, DEFAULT_LIMITS)).records.map(({ ordinal }) => ordinal)).toEqual([0, 1, 2]);
  });

  it('refuses what it has neither bytes nor a way to them for', async () => {
    await expect(openDelivery('eventbridge', {}, null, DEFAULT_LIMITS)).rejects.toMatchObject({ code: 'SOURCE_UNREADABLE' });
    await expect(openDelivery('replay', {}, null, DEFAULT_LIMITS)).rejects.toMatchObject({ code: 'SOURCE_UNREADABLE' });
  });
});
