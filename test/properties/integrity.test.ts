import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Bucket, Chain, logContents, publicKeyList, signingKey } from '../support/digest-chain.ts';
import { verifyBucket } from '../support/memory-trail.ts';

const KEY = signingKey();
const KEYS = publicKeyList(KEY);

function make(): { bucket: Bucket; chain: Chain } {
  const bucket = new Bucket();
  const chain = new Chain(bucket, { key: KEY });
  chain.deliver([]);
  chain.deliver(logContents(2, 'a'));
  chain.deliver(logContents(1, 'b'));
  return { bucket, chain };
}

const SOUND = make();
const FILES = [...SOUND.bucket.objects.keys()];

/** The sound bucket with one file's bytes replaced. */
function withFile(key: string, bytes: Buffer): Bucket {
  const bucket = new Bucket();
  for (const [each, content] of SOUND.bucket.objects) bucket.objects.set(each, each === key ? bytes : content);
  for (const [each, fields] of SOUND.bucket.metadata) bucket.metadata.set(each, fields);
  return bucket;
}

function altered(bytes: Buffer, { at, by }: { at: number; by: number }): Buffer {
  const copy = Buffer.from(bytes);
  const place = at % copy.length;
  copy[place] = (copy.readUInt8(place) + by) % 256;
  return copy;
}

const file = fc.constantFrom(...FILES);
const change = fc.record({ at: fc.nat(1_000_000), by: fc.integer({ min: 1, max: 255 }) });

describe('no byte can be altered unseen', () => {
  test('in the content of a log file or digest', async () => {
    await fc.assert(
      fc.asyncProperty(file, change, async (key, how) => {
        const bytes = gzipSync(altered(gunzipSync(SOUND.bucket.objects.get(key)!), how));
        const { verdict, problems } = await verifyBucket(withFile(key, bytes), KEYS);
        expect(verdict).toBe('failed');
        expect(problems.map(({ object }) => object)).toContain(key);
      }),
      { numRuns: 150 },
    );
  });

  test('in a compressed file, unless its content stays the same', async () => {
    await fc.assert(
      fc.asyncProperty(file, change, async (key, how) => {
        const before = SOUND.bucket.objects.get(key)!;
        const bytes = altered(before, how);
        const { verdict } = await verifyBucket(withFile(key, bytes), KEYS);
        expect(verdict).toBe(hasSameContent(bytes, before) ? 'verified' : 'failed');
      }),
      { numRuns: 150 },
    );
  });

  test('in a signature', async () => {
    const digest = fc.constantFrom(...SOUND.chain.digests.map(({ key }) => key));
    await fc.assert(
      fc.asyncProperty(digest, fc.nat(511), fc.integer({ min: 1, max: 15 }), async (key, at, by) => {
        const bucket = withFile(key, SOUND.bucket.objects.get(key)!);
        const metadata = bucket.metadata.get(key)!;
        const signature = metadata['signature']!;
        const digit = ((Number.parseInt(signature.charAt(at), 16) + by) % 16).toString(16);
        bucket.metadata.set(key, { ...metadata, signature: signature.slice(0, at) + digit + signature.slice(at + 1) });
        expect((await verifyBucket(bucket, KEYS)).problems).toMatchObject([{ verdict: 'broken signature', object: key }]);
      }),
      { numRuns: 60 },
    );
  });
});

test('no file or set of files can be taken away unseen, held against the clock', async () => {
  const digests = FILES.filter((key) => key.includes('-Digest'));
  await fc.assert(
    fc.asyncProperty(fc.subarray(FILES, { minLength: 1 }), async (gone) => {
      const bucket = withFile('', Buffer.alloc(0));
      for (const key of gone) bucket.objects.delete(key);
      const { verdict } = await verifyBucket(bucket, KEYS, { to: SOUND.chain.endOf(2) });
      expect(verdict).toBe(digests.every((key) => gone.includes(key)) ? 'not enabled' : 'failed');
    }),
    { numRuns: 60 },
  );
});

function hasSameContent(bytes: Buffer, before: Buffer): boolean {
  try {
    return gunzipSync(bytes).equals(gunzipSync(before));
  } catch {
    return false;
  }
}
