import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Bucket, Chain, logContents, publicKeyList, signingKey } from '../../support/digest-chain.ts';
import { inProcess } from '../../support/out.ts';

const KEY = signingKey();
const IRISH_KEY = signingKey('spki');

interface Told {
  readonly verdict: string;
  readonly digests: Record<string, number>;
  readonly log_files: Record<string, number>;
  readonly chains: readonly {
    account: string;
    region: string;
    trail: string | null;
    verdict: string;
    digests: Record<string, number>;
    log_files: Record<string, number>;
  }[];
  readonly problems: readonly { verdict: string; object: string; message: string; account: string; region: string }[];
}

let home = '';
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'kmswatch-verify-'));
  writeFileSync(join(home, 'keys.json'), JSON.stringify(publicKeyList(KEY)));
  writeFileSync(join(home, 'irish.json'), JSON.stringify(publicKeyList(IRISH_KEY)));
});
afterAll(() => rmSync(home, { recursive: true }));

/** Two accounts of an organization, one with a second Region. */
function made(): { bucket: Bucket; chains: [Chain, Chain, Chain] } {
  const bucket = new Bucket();
  const shared = { organization: 'o-exampleorgid/', prefix: 'audit/trails/', trail: 'org' };
  const chains: [Chain, Chain, Chain] = [
    new Chain(bucket, { ...shared, key: KEY }),
    new Chain(bucket, { ...shared, key: IRISH_KEY, region: 'eu-west-1', homeRegion: 'us-east-1' }),
    new Chain(bucket, { ...shared, key: KEY, account: '444455556666' }),
  ];
  for (const chain of chains) {
    chain.deliver([]);
    chain.deliver(logContents(3, chain.options.account + chain.options.region));
    chain.deliver(logContents(2, `${chain.options.account}${chain.options.region}later`));
  }
  return { bucket, chains };
}

function write(bucket: Bucket, folder = 'copy'): { path: string; manifest: string } {
  const path = join(mkdtempSync(join(home, 'case-')), folder);
  bucket.writeTo(path);
  writeFileSync(`${path}.json`, JSON.stringify(bucket.manifest()));
  return { path, manifest: `${path}.json` };
}

async function verify(args: readonly string[]): Promise<{ code: number; told: Told; stderr: string }> {
  const { code, stdout, stderr } = await inProcess(
    ['verify', '--public-keys', 'keys.json', '--public-keys', 'eu-west-1=irish.json', '--json', ...args],
    home,
  );
  return { code, told: (stdout === '' ? {} : JSON.parse(stdout)) as Told, stderr };
}

test('a sound copy of several accounts and Regions is verified, chain by chain, with exit code 0', async () => {
  const { path, manifest } = write(made().bucket);
  const { code, told } = await verify(['--path', path, '--metadata', manifest]);
  expect(told).toMatchObject({ verdict: 'verified', digests: { total: 9, valid: 9 }, log_files: { total: 15, valid: 15 }, problems: [] });
  expect(
    told.chains.map(({ account, region, trail, digests, log_files }) => [account, region, trail, digests['valid'], log_files['valid']]),
  ).toEqual([
    ['111122223333', 'eu-west-1', 'org', 3, 5],
    ['111122223333', 'us-east-1', 'org', 3, 5],
    ['444455556666', 'us-east-1', 'org', 3, 5],
  ]);
  expect(code).toBe(0);
});

describe('the folder may be any level of the bucket', () => {
  test.each([
    ['without the prefix', 'audit/trails', 15],
    ['without AWSLogs too', 'audit/trails/AWSLogs/o-exampleorgid', 15],
    ['one account', 'audit/trails/AWSLogs/o-exampleorgid/444455556666', 5],
    ['one account’s digests, with the log files beside them', 'audit/trails/AWSLogs/o-exampleorgid/111122223333/CloudTrail-Digest', 10],
    ['one Region’s digests', 'audit/trails/AWSLogs/o-exampleorgid/111122223333/CloudTrail-Digest/eu-west-1', 5],
  ])('%s', async (_level, below, logs) => {
    const { path, manifest } = write(made().bucket);
    const { told, code } = await verify(['--path', join(path, below), '--metadata', manifest]);
    expect(told).toMatchObject({ verdict: 'verified', log_files: { valid: logs }, problems: [] });
    expect(code).toBe(0);
  });

  test('more than the bucket: folders around it', async () => {
    const { path, manifest } = write(made().bucket, 'copies/of/buckets/trail');
    expect((await verify(['--path', join(path, '../../..'), '--metadata', manifest])).told).toMatchObject({
      verdict: 'verified',
      log_files: { valid: 15 },
    });
  });

  test('but one account’s files moved below another prefix are not where they belong', async () => {
    const { bucket } = made();
    for (const [key, bytes] of [...bucket.objects].filter(([each]) => each.includes('/444455556666/'))) {
      bucket.objects.delete(key);
      bucket.objects.set(key.replace('audit/trails/', 'elsewhere/'), bytes);
    }
    const { path } = write(bucket);
    const { told, code } = await verify(['--path', path, '--metadata', `${path}.json`]);
    expect(told.problems.filter(({ verdict }) => verdict === 'missing digest')).toHaveLength(3);
    expect(told.chains.find(({ account }) => account === '444455556666')?.log_files['valid']).toBe(0);
    expect(code).toBe(1);
  });
});

test('tells what is wrong, where, and ends with 1', async () => {
  const { bucket, chains } = made();
  const [missing, changed] = [chains[2].digests[1]!.logs[0]!, chains[1].digests[2]!.logs[1]!];
  bucket.objects.delete(missing);
  bucket.objects.set(changed, gzipSync('{"Records":[]}'));
  const { path, manifest } = write(bucket);
  const { code, told } = await verify(['--path', path, '--metadata', manifest]);
  expect(told.problems).toMatchObject([
    {
      verdict: 'changed file',
      object: changed,
      account: '111122223333',
      region: 'eu-west-1',
      message: 'the SHA-256 of its content is not the one in the digest',
    },
    { verdict: 'missing file', object: missing, account: '444455556666', region: 'us-east-1' },
  ]);
  expect(told.chains.map((chain) => chain.verdict)).toEqual(['failed', 'verified', 'failed']);
  expect([told.verdict, code]).toEqual(['failed', 1]);
});

test('a Region’s digests are not vouched for by the keys of another', async () => {
  const { path, manifest } = write(made().bucket);
  const { stdout, code } = await inProcess(
    ['verify', '--path', path, '--metadata', manifest, '--public-keys', 'keys.json', '--public-keys', 'eu-central-1=irish.json', '--json'],
    home,
  );
  expect((JSON.parse(stdout) as Told).problems).toMatchObject(
    Array.from({ length: 3 }, () => ({ verdict: 'broken signature', region: 'eu-west-1' })),
  );
  expect(code).toBe(1);
});

describe('the manifest', () => {
  test('that has no entry for a digest between others, or an empty one, says that its signature was taken away', async () => {
    for (const entry of [undefined, {}]) {
      const { bucket, chains } = made();
      const [, { key }] = chains[0].digests as [unknown, { key: string }];
      const { path } = write(bucket);
      writeFileSync(`${path}.json`, JSON.stringify({ ...bucket.manifest(), [key]: entry }));
      const { told } = await verify(['--path', path, '--metadata', `${path}.json`]);
      expect(told).toMatchObject({
        digests: { valid: 8, broken_signature: 1 },
        log_files: { valid: 15 },
        problems: [{ verdict: 'broken signature', object: key }],
      });
    }
  });

  test('of the newest digests alone is enough, as answers of head-object too', async () => {
    const { bucket, chains } = made();
    const newest = chains.map((chain) => chain.digests[2]!.key);
    const { path } = write(bucket);
    writeFileSync(
      `${path}.json`,
      JSON.stringify(
        Object.fromEntries(newest.map((key) => [`s3://trail-bucket/${key}`, { ContentLength: 7, Metadata: bucket.metadata.get(key) }])),
      ),
    );
    expect((await verify(['--path', path, '--metadata', `${path}.json`])).told).toMatchObject({
      verdict: 'verified',
      digests: { valid: 9 },
    });
  });

  test('that knows a digest which is not in the copy shows that it is missing, be it the newest', async () => {
    const { bucket, chains } = made();
    const { key } = chains[0].digests[2]!;
    bucket.objects.delete(key);
    const { path, manifest } = write(bucket);
    expect((await verify(['--path', path, '--metadata', manifest])).told.problems).toMatchObject([
      { verdict: 'missing digest', object: key },
    ]);
  });

  test('may be left out: then the newest digests are unverifiable, and nothing else', async () => {
    const { path } = write(made().bucket);
    const { told, code } = await verify(['--path', path]);
    expect(told).toMatchObject({
      verdict: 'failed',
      digests: { total: 9, valid: 6, unverifiable_signature: 3 },
      log_files: { valid: 9, unproven: 6 },
    });
    expect(new Set(told.problems.map(({ verdict }) => verdict))).toEqual(new Set(['unverifiable signature']));
    expect(code).toBe(1);
  });
});

test('--to now holds the copy against the clock', async () => {
  const { path, manifest } = write(made().bucket);
  const { told, code } = await verify(['--path', path, '--metadata', manifest, '--to', 'now']);
  expect(told.problems.map(({ verdict }) => verdict)).toEqual(['missing digest', 'missing digest', 'missing digest']);
  expect([told.verdict, code]).toEqual(['failed', 1]);
});

test('--from and --to leave out what is not of the period', async () => {
  const { bucket, chains } = made();
  bucket.objects.delete(chains[0].digests[2]!.logs[0]!);
  const { path, manifest } = write(bucket);
  const args = ['--path', path, '--metadata', manifest];
  expect((await verify([...args, '--to', '2023-07-10T12:01:31Z'])).told).toMatchObject({
    verdict: 'verified',
    digests: { total: 6 },
    log_files: { total: 9 },
  });
  expect((await verify([...args, '--from', '2023-07-10T12:01:31Z'])).told).toMatchObject({
    verdict: 'failed',
    digests: { total: 3 },
    log_files: { total: 6, missing: 1 },
  });
});

test('log files without digests are not enabled, with exit code 1', async () => {
  const { bucket } = made();
  for (const key of bucket.objects.keys()) if (key.includes('-Digest')) bucket.objects.delete(key);
  const { path } = write(bucket);
  const { told, code } = await verify(['--path', path]);
  expect(told).toMatchObject({ verdict: 'not enabled', digests: { total: 0 }, log_files: { unlisted: 15 } });
  expect(code).toBe(1);
});

test('a path in a digest cannot lead out of the folder, and a pipe does not make it wait', async () => {
  const bucket = new Bucket();
  const chain = new Chain(bucket, { key: KEY });
  const { createHash } = await import('node:crypto');
  const outside = `${chain.place}../../../outside.json.gz`;
  const entry = (key: string): object => ({
    s3Bucket: bucket.name,
    s3Object: key,
    hashValue: createHash('sha256').update('x').digest('hex'),
  });
  chain.deliver([], (fields) => ({ ...fields, logFiles: [entry(outside), entry(`${chain.place}device`)] }));
  const { path, manifest } = write(bucket);
  writeFileSync(join(path, '..', 'outside.json.gz'), gzipSync('x'));
  mkdirSync(join(path, chain.place), { recursive: true });
  symlinkSync('/dev/zero', join(path, chain.place, 'device'));
  const { told } = await verify(['--path', path, '--metadata', manifest]);
  expect(told.problems).toMatchObject([
    { verdict: 'missing file', object: outside },
    { verdict: 'changed file', message: 'it is no file' },
  ]);
});

test('for people: a table, the problems, and a conclusion', async () => {
  const { bucket, chains } = made();
  bucket.objects.delete(chains[0].digests[1]!.logs[0]!);
  const { path, manifest } = write(bucket);
  const { stdout, stderr, code } = await inProcess(
    ['verify', '--path', path, '--metadata', manifest, '--public-keys', 'keys.json', '--public-keys', 'irish.json'],
    home,
  );
  expect(stdout).toMatch(/^ACCOUNT +REGION +TRAIL +FROM/);
  expect(stdout).toContain('444455556666');
  expect(stdout).toContain('missing file');
  expect(stdout).toContain('Failed: 9 digests and 14 log files are proven; 1 problem.');
  expect(stderr).toContain('--to says until when');
  expect(code).toBe(1);
});

describe('what cannot be used', () => {
  test.each([
    [['--public-keys', 'keys.json'], 2, '--public-keys and --metadata need --path'],
    [['--path', 'x'], 2, '--path needs --public-keys'],
    [['--path', 'x', '--public-keys', 'keys.json', '--from', '2023-07-11', '--to', '2023-07-10'], 2, '--from must be before --to'],
    [['--path', 'x', '--public-keys', 'keys.json', '--from', 'then'], 2, 'Write a time as in'],
    [['--path', 'nowhere', '--public-keys', 'keys.json'], 1, 'nowhere cannot be read: ENOENT'],
    [['--path', '.', '--public-keys', 'nokeys.json'], 1, 'nokeys.json cannot be read'],
    [['--path', 'empty', '--public-keys', 'keys.json'], 1, 'There are no CloudTrail files of this period in empty'],
    [['--path', 'empty', '--public-keys', 'bad-keys.json'], 1, 'bad-keys.json cannot be used as list of public keys'],
    [['--path', 'empty', '--public-keys', 'keys.json', '--metadata', 'text.json'], 1, 'text.json is not JSON'],
  ])('%j ends with %d', async (args, exit, why) => {
    mkdirSync(join(home, 'empty'), { recursive: true });
    writeFileSync(join(home, 'bad-keys.json'), '{"PublicKeyList":[{"Fingerprint":"ab","Value":"MIIB"}]}');
    writeFileSync(join(home, 'text.json'), 'text');
    const { code, stdout, stderr } = await inProcess(['verify', ...args], home);
    expect(stderr).toContain(why);
    expect(stdout).toBe('');
    expect(code).toBe(exit);
  });
});
