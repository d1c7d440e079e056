import { gzipSync, gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { countDigests } from '../../../../services/compliance/integrity/tally.ts';
import { PublicKeys } from '../../../../services/compliance/integrity/public-keys.ts';
import { type Verification, verifyTrails } from '../../../../services/compliance/integrity/verify.ts';
import { Bucket, Chain, logContents, publicKeyList, signingKey } from '../../../support/digest-chain.ts';
import { memoryCopy, verifyBucket } from '../../../support/memory-trail.ts';

const HOUR = 3_600_000;
const KEY = signingKey();
const OTHER_KEY = signingKey();
const KEYS = publicKeyList(KEY);

interface Made {
  readonly bucket: Bucket;
  readonly chain: Chain;
  /** Keys of the four digests and of a log file in the third. */
  readonly digests: readonly [string, string, string, string];
  readonly log: string;
}

/** A starting digest, two with 5 and 50 log files, and an empty one. */
function make(
  options: {
    readonly restart?: boolean;
    readonly third?: (fields: Record<string, unknown>) => Record<string, unknown>;
    readonly each?: (fields: Record<string, unknown>) => Record<string, unknown>;
    readonly key?: typeof KEY;
  } = {},
): Made {
  const bucket = new Bucket();
  const chain = new Chain(bucket, { key: options.key ?? KEY });
  chain.deliver([], options.each);
  chain.deliver(logContents(5, 'a'), options.each);
  if (options.restart) chain.restart();
  chain.deliver(logContents(50, 'b'), options.third ?? options.each);
  chain.deliver([], options.each);
  const digests = chain.digests.map(({ key }) => key) as unknown as Made['digests'];
  return { bucket, chain, digests, log: chain.digests[2]?.logs[7] ?? '' };
}

function edit(bucket: Bucket, key: string, change: (content: string) => string): void {
  bucket.objects.set(key, gzipSync(change(gunzipSync(bucket.objects.get(key)!).toString())));
}

function move(bucket: Bucket, from: string, to: string): void {
  bucket.objects.set(to, bucket.objects.get(from)!);
  bucket.metadata.set(to, bucket.metadata.get(from)!);
  bucket.objects.delete(from);
  bucket.metadata.delete(from);
}

function figures({ chains: [tally], verdict, problems }: Verification) {
  const { valid, changed, missing } = tally!.logFiles;
  return {
    verdict,
    digests: `${tally!.digests.valid}/${countDigests(tally!)}`,
    logs: `${valid}/${valid + changed + missing}`,
    problems: problems.map((each) => `${each.verdict} ${each.object}`),
  };
}

describe('gives at least the verdict of `aws cloudtrail validate-logs` 1.45.11', () => {
  test('an untouched chain is verified', async () => {
    expect(figures(await verifyBucket(make().bucket, KEYS))).toEqual({ verdict: 'verified', digests: '4/4', logs: '55/55', problems: [] });
  });

  test.each<[string, (made: Made) => void]>([
    [
      'one record dropped from a log file',
      ({ bucket, log }) =>
        edit(bucket, log, (text) => JSON.stringify({ Records: (JSON.parse(text) as { Records: object[] }).Records.slice(1) })),
    ],
    ['a newline added to the content of a log file', ({ bucket, log }) => edit(bucket, log, (text) => `${text}\n`)],
    ['a log file cut off', ({ bucket, log }) => bucket.objects.set(log, bucket.objects.get(log)!.subarray(0, -20))],
    [
      'bytes after the gzip data of a log file',
      ({ bucket, log }) => bucket.objects.set(log, Buffer.concat([bucket.objects.get(log)!, Buffer.from('more')])),
    ],
    [
      'zeros after the gzip data of a log file',
      ({ bucket, log }) => bucket.objects.set(log, Buffer.concat([bucket.objects.get(log)!, Buffer.alloc(9)])),
    ],
    [
      'a second gzip member with more records',
      ({ bucket, log }) => bucket.objects.set(log, Buffer.concat([bucket.objects.get(log)!, gzipSync('{}')])),
    ],
    [
      'an empty gzip member in front, behind which some readers see nothing',
      ({ bucket, log }) => bucket.objects.set(log, Buffer.concat([gzipSync(''), bucket.objects.get(log)!])),
    ],
    ['a log file that is not compressed', ({ bucket, log }) => bucket.objects.set(log, gunzipSync(bucket.objects.get(log)!))],
  ])('%s is a changed file', async (_case, alter) => {
    const made = make();
    alter(made);
    expect(figures(await verifyBucket(made.bucket, KEYS))).toEqual({
      verdict: 'failed',
      digests: '4/4',
      logs: '54/55',
      problems: [`changed file ${made.log}`],
    });
  });

  test('a log file compressed anew with the same content is valid: the hash is over the content', async () => {
    const { bucket, log } = make();
    bucket.objects.set(log, gzipSync(gunzipSync(bucket.objects.get(log)!), { level: 1 }));
    expect((await verifyBucket(bucket, KEYS)).verdict).toBe('verified');
  });

  test('a listed log file that is gone is a missing file', async () => {
    const { bucket, log } = make();
    bucket.objects.delete(log);
    expect(figures(await verifyBucket(bucket, KEYS))).toEqual({
      verdict: 'failed',
      digests: '4/4',
      logs: '54/55',
      problems: [`missing file ${log}`],
    });
  });

  test('a log file taken out of a digest breaks its signature, and the digest proves nothing any more', async () => {
    const { bucket, digests } = make();
    edit(bucket, digests[2], (text) =>
      JSON.stringify({ ...(JSON.parse(text) as object), logFiles: (JSON.parse(text) as { logFiles: object[] }).logFiles.slice(1) }),
    );
    const result = await verifyBucket(bucket, KEYS);
    expect(figures(result)).toEqual({ verdict: 'failed', digests: '3/4', logs: '5/5', problems: [`broken signature ${digests[2]}`] });
    expect(result.chains[0]?.logFiles.unproven).toBe(50);
  });

  test('a digest that is gone is a missing digest, and its log files are unproven, not forged', async () => {
    const { bucket, digests } = make();
    bucket.objects.delete(digests[2]);
    const result = await verifyBucket(bucket, KEYS);
    expect(figures(result)).toEqual({ verdict: 'failed', digests: '3/4', logs: '5/5', problems: [`missing digest ${digests[2]}`] });
    expect(result.chains[0]?.logFiles).toMatchObject({ unproven: 50, unlisted: 0 });
  });

  test.each<[string, (made: Made) => void]>([
    [
      'the last byte of its signature changed',
      ({ bucket, digests }) => {
        const metadata = bucket.metadata.get(digests[2])!;
        bucket.metadata.set(digests[2], {
          ...metadata,
          signature: metadata['signature']!.replace(/..$/, (last) => (last === '00' ? '01' : '00')),
        });
      },
    ],
    ['its metadata taken away', ({ bucket, digests }) => bucket.metadata.delete(digests[2])],
    [
      'another algorithm named',
      ({ bucket, digests }) =>
        bucket.metadata.set(digests[2], { ...bucket.metadata.get(digests[2])!, 'signature-algorithm': 'SHA1withRSA' }),
    ],
    [
      'the algorithm not named',
      ({ bucket, digests }) => bucket.metadata.set(digests[2], { signature: bucket.metadata.get(digests[2])!['signature']! }),
    ],
  ])('a digest with %s has a broken signature; the next digest still vouches for its log files', async (_case, alter) => {
    const made = make();
    alter(made);
    expect(figures(await verifyBucket(made.bucket, KEYS))).toEqual({
      verdict: 'failed',
      digests: '3/4',
      logs: '55/55',
      problems: [`broken signature ${made.digests[2]}`],
    });
  });

  test.each([
    ['another name', (key: string) => key.replace('.json.gz', '-old.json.gz')],
    ['another day', (key: string) => key.replace('/10/', '/11/')],
    ['the name of another hour', (key: string) => key.replace('T130131Z', 'T180131Z')],
  ])('a digest moved to %s is a missing digest, and it is said where it is', async (_case, to) => {
    const { bucket, digests } = make();
    move(bucket, digests[2], to(digests[2]));
    const result = await verifyBucket(bucket, KEYS);
    expect(figures(result)).toEqual({ verdict: 'failed', digests: '3/4', logs: '5/5', problems: [`missing digest ${digests[2]}`] });
    expect(result.problems[0]?.message).toContain(to(digests[2]));
  });

  test('a fingerprint that no public key has breaks every signature', async () => {
    const made = make({ each: (fields) => ({ ...fields, digestPublicKeyFingerprint: '00000000000000000000000000000000' }) });
    const result = await verifyBucket(made.bucket, KEYS);
    expect(figures(result)).toEqual({
      verdict: 'failed',
      digests: '0/4',
      logs: '0/0',
      problems: made.digests.map((key) => `broken signature ${key}`),
    });
    expect(result.problems[0]?.message).toBe('public key not found in region us-east-1 for fingerprint 00000000000000000000000000000000');
    expect(result.chains[0]?.logFiles.unproven).toBe(55);
  });

  test('digests signed with another key than their fingerprint names prove nothing', async () => {
    const { bucket, digests } = make({ key: OTHER_KEY, each: (fields) => ({ ...fields, digestPublicKeyFingerprint: KEY.fingerprint }) });
    expect(figures(await verifyBucket(bucket, KEYS))).toEqual({
      verdict: 'failed',
      digests: '0/4',
      logs: '0/0',
      problems: digests.map((key) => `broken signature ${key}`),
    });
  });
});

describe('finds what AWS’s own command line does not', () => {
  test('a new starting digest in the middle: a gap', async () => {
    const { bucket, digests } = make({ restart: true });
    expect(figures(await verifyBucket(bucket, KEYS))).toEqual({
      verdict: 'failed',
      digests: '4/4',
      logs: '55/55',
      problems: [`gap ${digests[2]}`],
    });
  });

  test('a log file that no digest lists', async () => {
    const { bucket, chain } = make();
    const extra = chain.logKey(chain.endOf(1) - HOUR / 2, 'Planted');
    bucket.objects.set(extra, gzipSync('{"Records":[]}'));
    expect(figures(await verifyBucket(bucket, KEYS))).toEqual({
      verdict: 'failed',
      digests: '4/4',
      logs: '55/55',
      problems: [`unlisted ${extra}`],
    });
  });

  test('the newest digest gone, held against the clock; but none is missing before it is due', async () => {
    const { bucket, chain, digests } = make();
    for (const to of [chain.endOf(3), chain.endOf(3) + 58 * 60_000])
      expect((await verifyBucket(bucket, KEYS, { to })).verdict).toBe('verified');
    bucket.objects.delete(digests[3]);
    for (const to of [chain.endOf(3), chain.endOf(3) + 58 * 60_000])
      expect(figures(await verifyBucket(bucket, KEYS, { to }))).toEqual({
        verdict: 'failed',
        digests: '3/4',
        logs: '55/55',
        problems: [`missing digest ${digests[3]}`],
      });
  });

  test('the newest digest gone, held against the digests of another Region', async () => {
    const { bucket, chain } = make();
    const other = new Chain(bucket, { key: KEY, region: 'eu-west-1', homeRegion: 'us-east-1' });
    for (let hour = 0; hour < 6; hour++) other.deliver([]);
    const missing = (await verifyBucket(bucket, KEYS)).problems;
    expect(missing.map(({ verdict, region, window }) => [verdict, region, window?.to])).toEqual([
      ['missing digest', 'us-east-1', chain.endOf(4)],
    ]);
  });

  test('a digest that is not the one whose hash the next digest holds', async () => {
    const { bucket, digests } = make({ third: (fields) => ({ ...fields, previousDigestHashValue: 'ab'.repeat(32) }) });
    const result = await verifyBucket(bucket, KEYS);
    expect(figures(result)).toMatchObject({ verdict: 'failed', digests: '3/4', problems: [`changed file ${digests[1]}`] });
  });

  test('two digests in a row gone: both are told (aws-cli issue 7054)', async () => {
    const { bucket, digests } = make();
    bucket.objects.delete(digests[1]);
    bucket.objects.delete(digests[2]);
    expect(figures(await verifyBucket(bucket, KEYS))).toEqual({
      verdict: 'failed',
      digests: '2/4',
      logs: '0/0',
      problems: [`missing digest ${digests[1]}`, `missing digest ${digests[2]}`],
    });
  });

  test.each([true, false])('the last digest of the period gone, told by the one after it (metadata %s)', async (metadata) => {
    const { bucket, chain, digests } = make();
    bucket.objects.delete(digests[2]);
    const { verdict, problems } = await verifyBucket(bucket, KEYS, { metadata, from: chain.endOf(0), to: chain.endOf(2) - 60_000 });
    expect([verdict, problems.filter((each) => each.verdict === 'missing digest').map(({ object }) => object)]).toEqual([
      'failed',
      [digests[2]],
    ]);
  });

  test('the first digest of the period gone, or begun anew, held against the one before it', async () => {
    const { bucket, chain, digests } = make();
    bucket.objects.delete(digests[1]);
    const period = { from: chain.endOf(0), to: chain.endOf(3) };
    expect((await verifyBucket(bucket, KEYS, period)).problems).toMatchObject([{ verdict: 'missing digest', object: digests[1] }]);
    const other = make({ restart: true });
    expect((await verifyBucket(other.bucket, KEYS, { ...period, from: chain.endOf(1) - 60_000 })).problems).toMatchObject([
      { verdict: 'gap', object: other.digests[2] },
    ]);
  });

  test('the oldest digest gone, unless the period begins after it', async () => {
    const { bucket, chain, digests } = make();
    bucket.objects.delete(digests[0]);
    expect(figures(await verifyBucket(bucket, KEYS))).toMatchObject({ verdict: 'failed', problems: [`missing digest ${digests[0]}`] });
    expect((await verifyBucket(bucket, KEYS, { from: chain.endOf(0) })).verdict).toBe('verified');
  });

  test('an old digest copied to the name of a missing hour does not stand in for it', async () => {
    const { bucket, digests } = make();
    bucket.objects.set(digests[2], bucket.objects.get(digests[1])!);
    bucket.metadata.set(digests[2], bucket.metadata.get(digests[1])!);
    expect(figures(await verifyBucket(bucket, KEYS)).problems).toEqual([`missing digest ${digests[2]}`, `unlisted ${digests[2]}`]);
  });

  test('log files from before the first digest are not passed over', async () => {
    const { bucket, chain } = make();
    const early = chain.logKey(chain.endOf(-30));
    bucket.objects.set(early, gzipSync('{}'));
    expect(figures(await verifyBucket(bucket, KEYS)).problems).toEqual([`not enabled ${early}`]);
    expect((await verifyBucket(bucket, KEYS, { from: chain.endOf(-1) })).verdict).toBe('verified');
  });

  test('a log file dated in the future is no file that waits for its digest', async () => {
    const { bucket, chain } = make();
    const waiting = chain.logKey(chain.endOf(3) + HOUR / 2);
    bucket.objects.set(waiting, gzipSync('{}'));
    const result = await verifyBucket(bucket, KEYS);
    expect([result.verdict, result.chains[0]?.logFiles.pending]).toEqual(['verified', 1]);
    const future = chain.logKey(chain.endOf(1000));
    bucket.objects.set(future, gzipSync('{}'));
    expect(figures(await verifyBucket(bucket, KEYS)).problems).toEqual([`unlisted ${future}`]);
  });

  test('a log file delivered late is listed by a digest after the period', async () => {
    const bucket = new Bucket();
    const chain = new Chain(bucket, { key: KEY });
    chain.deliver([]);
    chain.deliver([]);
    chain.deliver([]);
    const late = chain.logKey(chain.endOf(0) + HOUR / 2);
    const [content] = logContents(1);
    bucket.objects.set(late, gzipSync(content!));
    expect((await verifyBucket(bucket, KEYS, { to: chain.endOf(1) })).verdict).toBe('failed');
    const { createHash } = await import('node:crypto');
    const entry = {
      s3Bucket: bucket.name,
      s3Object: late,
      hashValue: createHash('sha256').update(content!).digest('hex'),
      hashAlgorithm: 'SHA-256',
    };
    chain.deliver([], (fields) => ({ ...fields, logFiles: [entry] }));
    expect((await verifyBucket(bucket, KEYS, { to: chain.endOf(1) })).verdict).toBe('verified');
  });
});

describe('without metadata', () => {
  test('signatures come from the next digest, and nothing can be said of the newest', async () => {
    const { bucket, digests, chain } = make();
    expect(figures(await verifyBucket(bucket, KEYS, { metadata: false }))).toEqual({
      verdict: 'failed',
      digests: '3/4',
      logs: '55/55',
      problems: [`unverifiable signature ${digests[3]}`],
    });
    expect(figures(await verifyBucket(bucket, KEYS, { metadata: false, to: chain.endOf(2) }))).toMatchObject({
      verdict: 'verified',
      digests: '3/3',
      logs: '55/55',
    });
  });

  test('an edited digest is found all the same', async () => {
    const { bucket, digests } = make();
    edit(bucket, digests[1], (text) => text.replace('"logFiles":[{', '"logFiles":[ {'));
    expect(figures(await verifyBucket(bucket, KEYS, { metadata: false })).problems).toContain(`broken signature ${digests[1]}`);
  });
});

describe('chains', () => {
  test('of several accounts, Regions and trails are told apart', async () => {
    const bucket = new Bucket();
    for (const [account, region, trail] of [
      ['111122223333', 'us-east-1', 'a'],
      ['111122223333', 'us-east-1', 'b_c'],
      ['111122223333', 'eu-west-1', 'a'],
      ['444455556666', 'us-east-1', 'a'],
    ] as const) {
      const chain = new Chain(bucket, { account, region, trail, key: KEY, organization: 'o-exampleorgid/', prefix: 'logs/' });
      chain.deliver(logContents(2, account + region + trail));
      chain.deliver([]);
    }
    const result = await verifyBucket(bucket, KEYS);
    expect(result.verdict).toBe('verified');
    expect(result.chains.map(({ account, region, trail, logFiles }) => [account, region, trail?.name, logFiles.valid])).toEqual([
      ['111122223333', 'us-east-1', 'a', 2],
      ['111122223333', 'us-east-1', 'b_c', 2],
      ['111122223333', 'eu-west-1', 'a', 2],
      ['444455556666', 'us-east-1', 'a', 2],
    ]);
  });

  test('of backfill digests stand for themselves: no hour is due, and a new start is no gap', async () => {
    const { bucket, chain } = make();
    const backfill = new Chain(bucket, { key: KEY, backfill: true, firstEnd: chain.endOf(1) });
    backfill.deliver(logContents(1, 'late'));
    backfill.restart();
    backfill.deliver(logContents(1, 'later'));
    const result = await verifyBucket(bucket, KEYS, { to: chain.endOf(3) });
    expect([result.verdict, result.chains.map(({ trail, digests }) => [trail?.backfill, digests.valid])]).toEqual([
      'verified',
      [
        [false, 4],
        [true, 2],
      ],
    ]);
    const [first] = backfill.digests;
    const { signature, 'signature-algorithm': algorithm } = bucket.metadata.get(first!.key)!;
    bucket.metadata.set(first!.key, { signature: signature!, 'signature-algorithm': algorithm! });
    expect((await verifyBucket(bucket, KEYS)).problems).toMatchObject([{ verdict: 'changed file', object: first!.key }]);
  });

  test('go on through a change of the signing key, and each Region has its own keys', async () => {
    const bucket = new Bucket();
    const spki = signingKey('spki');
    new Chain(bucket, { key: spki, region: 'eu-west-1' }).deliver(logContents(1));
    expect((await verifyBucket(bucket, publicKeyList(KEY, spki))).verdict).toBe('verified');
    expect((await verifyBucket(bucket, publicKeyList(KEY))).problems).toMatchObject([{ verdict: 'broken signature' }]);
  });

  test('that began anew after a stop are one chain with a gap, whatever the length of the stop', async () => {
    const bucket = new Bucket();
    const chain = new Chain(bucket, { key: KEY });
    chain.deliver([]);
    chain.restart(100);
    chain.deliver([]);
    const { problems } = await verifyBucket(bucket, KEYS);
    expect(problems).toMatchObject([{ verdict: 'gap', window: { from: chain.endOf(0), to: chain.endOf(100) } }]);
  });

  test('with a very long hole tell it in one sentence and count every hour', async () => {
    const bucket = new Bucket();
    const chain = new Chain(bucket, { key: KEY });
    for (let hour = 0; hour < 60; hour++) chain.deliver([]);
    for (const { key } of chain.digests.slice(1, 59)) bucket.objects.delete(key);
    const { problems, chains } = await verifyBucket(bucket, KEYS);
    expect(problems.map(({ verdict, count }) => [verdict, count])).toEqual([
      ['missing digest', 57],
      ['missing digest', 1],
    ]);
    expect(chains[0]?.digests).toMatchObject({ valid: 2, missing: 58 });
  });

  test('do not exist where there are only log files: not enabled', async () => {
    const { bucket, digests } = make();
    for (const key of digests) bucket.objects.delete(key);
    const result = await verifyBucket(bucket, KEYS);
    expect([result.verdict, result.problems]).toMatchObject([
      'not enabled',
      [{ verdict: 'not enabled', count: 55, object: 'AWSLogs/111122223333/CloudTrail/us-east-1/' }],
    ]);
  });

  test('of one Region do not make up for another without any', async () => {
    const { bucket } = make();
    bucket.objects.set(new Chain(bucket, { key: KEY, region: 'eu-west-1' }).logKey(Date.UTC(2023, 6, 10, 12)), gzipSync('{}'));
    expect(await verifyBucket(bucket, KEYS)).toMatchObject({
      verdict: 'failed',
      problems: [{ verdict: 'not enabled', region: 'eu-west-1' }],
    });
  });
});

test('a chain that goes on from another bucket is not broken off, and a forged digest cannot say that it does', async () => {
  const elsewhere = (fields: Record<string, unknown>): Record<string, unknown> => ({
    ...fields,
    previousDigestS3Bucket: 'the-bucket-before',
  });
  const bucket = new Bucket();
  const chain = new Chain(bucket, { key: KEY });
  const before = chain.deliver([]);
  chain.deliver([], elsewhere);
  chain.deliver(logContents(1, 'a'));
  bucket.objects.delete(before.key);
  bucket.metadata.delete(before.key);
  const from = chain.endOf(0) - HOUR / 2;
  expect(figures(await verifyBucket(bucket, KEYS, { from }))).toMatchObject({ verdict: 'verified', digests: '2/2', problems: [] });

  const forged = make();
  edit(forged.bucket, forged.digests[2], (content) =>
    content.replace(/"previousDigestS3Bucket":"[^"]*"/, '"previousDigestS3Bucket":"other"'),
  );
  forged.bucket.objects.delete(forged.digests[1]);
  const told = await verifyBucket(forged.bucket, KEYS);
  expect(told.problems.map(({ verdict }) => verdict)).toContain('missing digest');
});

test('what cannot be read is neither missing nor changed: alone it makes a trail unknown, beside something broken it is broken', async () => {
  const { bucket, chain, digests } = make();
  const hidden = [digests[1], chain.digests[2]!.logs[0]!];
  const copy = memoryCopy(bucket);
  const deny = async <T>(key: string, read: (key: string) => Promise<T>): Promise<T | { kind: 'unreadable'; message: string }> =>
    hidden.includes(key) ? { kind: 'unreadable', message: 'AccessDenied' } : await read(key);
  const denied = { ...copy, readDigest: (key: string) => deny(key, copy.readDigest), hashLog: (key: string) => deny(key, copy.hashLog) };
  const publicKeys = new PublicKeys();
  publicKeys.add(KEYS, { name: 'keys', region: null });
  const options = { copy: denied, publicKeys, period: { from: null, to: null }, concurrency: 2 };
  const unknown = await verifyTrails(options);
  expect(unknown.verdict).toBe('unknown');
  expect(unknown.problems.map(({ verdict, object }) => [verdict, object])).toEqual(
    hidden.map((key) => ['unreadable', key]).toSorted(([, a], [, b]) => (a! < b! ? -1 : 1)),
  );
  expect(unknown.chains[0]).toMatchObject({ digests: { valid: 3, unreadable: 1 }, logFiles: { unreadable: 1, unproven: 5, unlisted: 0 } });
  bucket.objects.delete(chain.digests[2]!.logs[1]!);
  expect((await verifyTrails(options)).verdict).toBe('failed');
});
