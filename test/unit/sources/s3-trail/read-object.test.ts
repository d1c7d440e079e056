import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { DEFAULT_LIMITS } from '../../../../services/sources/limits.ts';
import { toLocator } from '../../../../services/sources/s3-trail/locator.ts';
import { openTrailObject } from '../../../../services/sources/s3-trail/open.ts';
import { readObject } from '../../../../services/sources/s3-trail/read-object.ts';
import { type Answer, type S3Server, s3Server } from '../../../support/s3-server.ts';

const BODY = randomBytes(300_000);

async function read({ buckets, object }: S3Server): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of readObject(buckets, object)) pieces.push(piece);
  return Buffer.concat(pieces);
}

test('a connection that breaks is resumed at the byte where it broke, and nothing is lost or doubled', async () => {
  const server = await s3Server([{ body: BODY, breakAfter: 100_000 }, { body: BODY, breakAfter: 50_000 }, { body: BODY }]);
  expect((await read(server)).equals(BODY)).toBe(true);
  expect(server.ranges).toEqual([undefined, 'bytes=100000-', 'bytes=150000-']);
});

test('an object that was replaced in between is not put together from two', async () => {
  const server = await s3Server([
    { body: BODY, breakAfter: 100_000 },
    { body: BODY, etag: '"two"' },
  ]);
  await expect(read(server)).rejects.toMatchObject({ code: 'SOURCE_UNREADABLE', message: expect.stringContaining('PreconditionFailed') });
});

test.each([
  ['throttling', { status: 503, code: 'SlowDown' }],
  ['an error of S3', { status: 500, code: 'InternalError' }],
  ['credentials that ran out', { status: 400, code: 'ExpiredToken' }],
])('%s passes', async (_, answer: Answer) => {
  expect((await read(await s3Server([answer, answer, { body: BODY }]))).equals(BODY)).toBe(true);
});

test('what does not pass is given up for now, after five requests', async () => {
  const server = await s3Server([{ status: 503, code: 'SlowDown' }]);
  await expect(read(server)).rejects.toMatchObject({ code: 'SOURCE_UNREADABLE', message: expect.stringContaining('SlowDown') });
  expect(server.ranges).toHaveLength(5);
});

test.each([
  ['AccessDenied', 403, /s3:GetObject .* kms:Decrypt/],
  ['KMS.DisabledException', 400, /KMS key that encrypts the bucket/],
])('%s asks for a person, and the object is not given up as lost', async (code, status, says) => {
  const { buckets, object, ranges } = await s3Server([{ status, code }]);
  await expect(openTrailObject(buckets, toLocator(object), DEFAULT_LIMITS)).rejects.toMatchObject({
    code: 'SOURCE_DENIED',
    message: expect.stringMatching(says),
  });
  expect(ranges).toHaveLength(1);
});

test.each([
  ['NoSuchKey', 404],
  ['NoSuchBucket', 404],
  ['InvalidObjectState', 403],
])('%s is put aside as unreadable', async (code, status) => {
  const { buckets, object } = await s3Server([{ status, code }]);
  expect(await openTrailObject(buckets, toLocator(object), DEFAULT_LIMITS)).toMatchObject({
    records: [],
    quarantined: [{ reason: 'unreadable', message: expect.stringContaining(code) }],
  });
});

test('an object of a queue that is not configured any more says so', async () => {
  const { buckets, object } = await s3Server([{ body: BODY }]);
  const locator = toLocator({ ...object, queue: 'other' });
  await expect(openTrailObject(buckets, locator, DEFAULT_LIMITS)).rejects.toThrow('not configured any more');
});

test('an object that is larger than was told is not read into memory', async () => {
  const { buckets, object } = await s3Server([{ body: gzipSync(BODY) }]);
  const limits = { ...DEFAULT_LIMITS, wholePlainBytes: 1_000 };
  await expect(openTrailObject(buckets, toLocator(object), limits)).rejects.toThrow('more than were told of');
});
