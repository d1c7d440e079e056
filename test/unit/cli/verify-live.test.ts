/** `kmswatch verify` on the bucket itself, over HTTP. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, onTestFinished, test, vi } from 'vitest';
import { startAws } from '../../support/aws/server.ts';
import { Bucket, Chain, logContents, publicKeyList, signingKey } from '../../support/digest-chain.ts';
import { inProcess } from '../../support/out.ts';
import { startTrailS3, type TrailS3 } from '../../support/trail-s3.ts';

const HOUR = 3_600_000;
const KEY = signingKey();

/** The commands' clock stands at 2026-03-01T00:00Z; the newest digest ends an hour and a half before. */
const LAST = Date.UTC(2026, 1, 28, 22, 30, 0);

const home = mkdtempSync(join(tmpdir(), 'kmswatch-verify-live-'));
afterAll(() => rmSync(home, { recursive: true }));

interface World {
  readonly bucket: Bucket;
  readonly chain: Chain;
  readonly s3: TrailS3;
  verify(...args: string[]): Promise<{ code: number; stdout: string; stderr: string; told: Told }>;
}

interface Told {
  readonly verdict: string;
  readonly chains: readonly { readonly verdict: string; readonly trail: string | null }[];
  readonly problems: readonly { readonly verdict: string; readonly object: string }[];
  readonly [field: string]: unknown;
}

async function world(hours = 6): Promise<World> {
  const bucket = new Bucket();
  const chain = new Chain(bucket, { key: KEY, firstEnd: LAST - (hours - 1) * HOUR });
  for (let hour = 0; hour < hours; hour++) chain.deliver(logContents(2, String(hour)));
  const s3 = await startTrailS3(bucket);
  onTestFinished(() => s3[Symbol.asyncDispose]());
  const aws = await startAws();
  onTestFinished(() => aws[Symbol.asyncDispose]());
  const known = { region: 'us-east-1', value: KEY.value, fingerprint: KEY.fingerprint };
  aws.cloudTrail.publicKeys.push({ ...known, from: LAST - 90 * 24 * HOUR, to: LAST + 24 * HOUR });
  for (const [name, value] of Object.entries({ ...aws.environment, AWS_ENDPOINT_URL_S3: s3.url })) vi.stubEnv(name, value);
  onTestFinished(() => void vi.unstubAllEnvs());
  const config = join(mkdtempSync(join(home, 'case-')), 'kmswatch.yaml');
  writeFileSync(config, 'integrity:\n  trails:\n    - { bucket: trail-bucket, bucket_region: us-east-1 }\n');
  return {
    bucket,
    chain,
    s3,
    async verify(...args) {
      const result = await inProcess(['verify', '--config', config, ...args], home);
      return { ...result, told: (result.stdout.startsWith('{') ? JSON.parse(result.stdout) : {}) as Told };
    },
  };
}

test('a sound trail is verified, in the same form as a copy of it', async () => {
  const { verify, bucket, s3 } = await world();
  const live = await verify('--json');
  expect(live.told).toMatchObject({ verdict: 'verified', digests: { valid: 6 }, log_files: { valid: 12 }, problems: [] });
  expect(live.code).toBe(0);
  expect(s3.requests.filter((request) => request.startsWith('GET'))).toHaveLength(18);

  const copy = mkdtempSync(join(home, 'copy-'));
  bucket.writeTo(copy);
  writeFileSync(join(home, 'keys.json'), JSON.stringify(publicKeyList(KEY)));
  writeFileSync(join(home, 'manifest.json'), JSON.stringify(bucket.manifest()));
  const offline = await verify('--path', copy, '--public-keys', 'keys.json', '--metadata', 'manifest.json', '--json');
  const { from, to, ...rest } = live.told;
  expect(offline.told).toMatchObject(rest);
  expect(Object.keys(offline.told)).toEqual(Object.keys(live.told));
  expect([from, to]).toEqual(['2026-02-27T23:00:00.000Z', '2026-02-28T23:00:00.000Z']);
});

test('what is wrong is told, with exit code 1', async () => {
  const { verify, bucket, chain } = await world();
  const [log, digest] = [chain.digests[2]!.logs[0]!, chain.digests[5]!.key];
  bucket.objects.delete(log);
  bucket.objects.delete(digest);
  const { told, code } = await verify('--json');
  expect(told.problems.map(({ verdict, object }) => [verdict, object])).toEqual(
    [
      ['missing file', log],
      ['missing digest', digest],
    ].toSorted(([, a], [, b]) => (a! < b! ? -1 : 1)),
  );
  expect(told.verdict).toBe('failed');
  expect(code).toBe(1);
});

test('of a past time only its days are read', async () => {
  const { verify, s3 } = await world(24 * 9);
  const { told } = await verify('--from', '2026-02-22T06:00:00Z', '--to', '2026-02-22T12:00:00Z', '--json');
  expect(told).toMatchObject({ verdict: 'verified', log_files: { valid: 14 } });
  const days = new Set(s3.requests.flatMap((request) => /^GET .*\/(2026\/\d\d\/\d\d)\//.exec(request)?.[1] ?? []));
  expect([...days]).toEqual(['2026/02/22']);
});

test('one of two trails', async () => {
  const { verify, bucket } = await world();
  const other = new Chain(bucket, { key: KEY, trail: 'second', firstEnd: LAST - HOUR });
  other.deliver(logContents(1, 'x'));
  const gone = other.deliver(logContents(1, 'y')).logs[0]!;
  bucket.objects.delete(gone);
  const second = await verify('--trail', 'arn:aws:cloudtrail:us-east-1:111122223333:trail/second', '--json');
  expect(second.told).toMatchObject({ verdict: 'failed', problems: [{ verdict: 'missing file', object: gone }] });
  expect(second.told.chains).toHaveLength(1);
  const first = await verify('--trail', 'main_trail', '--json');
  expect(first.told).toMatchObject({ verdict: 'verified', problems: [] });
  expect(first.code).toBe(0);
  const none = await verify('--trail', 'third');
  expect(none.stderr).toContain('no digests of a trail third');
  expect(none.code).toBe(1);
});

test('what may not be read is unknown, and never verified', async () => {
  const { verify, s3, chain } = await world();
  const log = chain.digests[2]!.logs[0]!;
  s3.denies = (request) => request === `GET ${log}`;
  const one = await verify('--json');
  expect(one.told).toMatchObject({
    verdict: 'unknown',
    chains: [{ verdict: 'unknown' }],
    problems: [{ verdict: 'unreadable', object: log }],
  });
  expect(one.code).toBe(1);
  expect((await verify()).stdout).toContain('Unknown:');
  s3.denies = (request) => request.startsWith('LIST');
  const all = await verify('--json');
  expect(all.stderr).toMatch(/could not be listed: AccessDenied[\s\S]*s3:ListBucket/);
  expect(all).toMatchObject({ code: 1, stdout: '' });
});

test('without a trail in the configuration it says what to do', async () => {
  const config = join(home, 'empty.yaml');
  writeFileSync(config, '{}\n');
  const { code, stderr } = await inProcess(['verify', '--config', config], home);
  expect(stderr).toContain('integrity.trails');
  expect(code).toBe(1);
});
