/** Trails validated in their bucket over HTTP, hour by hour, with what a database remembers. */
import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { DAY, HOUR } from '../../services/core/clock.ts';
import type { JsonObject } from '../../services/core/json.ts';
import { createAws } from '../../services/platform/aws.ts';
import { createLeases } from '../../services/platform/leases.ts';
import { createLogger } from '../../services/platform/logger.ts';
import type { ReadLimits } from '../../services/sources/limits.ts';
import { createBuckets } from '../../services/sources/s3-trail/buckets.ts';
import { openTrailObject } from '../../services/sources/s3-trail/open.ts';
import { registerDelivery } from '../../services/store/batches.ts';
import { ingest } from '../../services/workers/ingest.ts';
import { integritySchema } from '../../services/workers/integrity/config.ts';
import { checkOncePerHour } from '../../services/workers/integrity/loop.ts';
import { Chain, logContents, signingKey } from '../support/digest-chain.ts';
import { storedFindings } from '../support/oracle.ts';
import { type TrailWorld, trailWorld } from '../support/trail-world.ts';

const KEY = signingKey();
const OTHER_KEY = signingKey('spki');

/** End of the first digest. */
const FIRST = Date.UTC(2023, 6, 10, 11, 1, 31);

interface Made {
  readonly world: TrailWorld;
  readonly chain: Chain;
}

/** Five digests: a starting one, and four with three log files each. It is an hour and a half after the last. */
async function made(): Promise<Made> {
  const world = await trailWorld(FIRST + 5.5 * HOUR);
  world.knowKey(KEY);
  const chain = new Chain(world.bucket, { key: KEY, firstEnd: FIRST });
  chain.deliver([]);
  for (const hour of ['b', 'c', 'd', 'e']) chain.deliver(logContents(3, hour));
  return { world, chain };
}

function edit({ bucket }: TrailWorld, key: string, change: (content: string) => string): void {
  bucket.objects.set(key, gzipSync(change(gunzipSync(bucket.objects.get(key)!).toString())));
}

function remove({ bucket }: TrailWorld, key: string): void {
  bucket.objects.delete(key);
  bucket.metadata.delete(key);
}

interface Area {
  readonly account: string;
  readonly region: string;
  readonly standing: string;
  readonly reason: string | null;
  readonly verified_until: number | null;
}

async function areas(world: TrailWorld): Promise<Area[]> {
  return await world.query<Area>('SELECT account, region, standing, reason, verified_until FROM integrity_area ORDER BY account, region');
}

async function standing(world: TrailWorld): Promise<string> {
  const found = await areas(world);
  return found.map((area) => area.standing).join(', ');
}

/** What is wrong now, as `verdict key`. */
async function wrong(world: TrailWorld): Promise<string[]> {
  const rows = await world.query<{ verdict: string; object_key: string }>(
    'SELECT verdict, object_key FROM integrity_problem WHERE resolved_at IS NULL ORDER BY 1, 2',
  );
  return rows.map((row) => `${row.verdict} ${row.object_key}`);
}

/** The findings of the detector, as `verdict severity open|resolved`. */
async function findings(world: TrailWorld): Promise<string[]> {
  const found = (await storedFindings(world.pipeline)).filter(({ detector }) => detector === 'log-integrity-broken');
  return found.map(({ dedupKey, severity, open }) => `${dedupKey.at(-1)} ${severity} ${open ? 'open' : 'resolved'}`).toSorted();
}

test('a sound trail: verified, with its digests, signatures and keys kept, its hours in the ledger, and nothing found', async () => {
  const { world, chain } = await made();
  await world.check();
  expect(await areas(world)).toEqual([
    { account: '111122223333', region: 'us-east-1', standing: 'verified', reason: null, verified_until: chain.endOf(4) },
  ]);
  const kept = await world.query<{ object_key: string; signature: string; verdict: string; bytes: Buffer }>(
    'SELECT object_key, signature, verdict, bytes FROM trail_digest ORDER BY ends_at',
  );
  expect(kept.map(({ object_key: key }) => key)).toEqual(chain.digests.map(({ key }) => key));
  for (const { object_key: key, signature, verdict, bytes } of kept) {
    expect(signature).toBe(world.bucket.metadata.get(key)?.['signature']);
    expect(verdict).toBe('verified');
    expect(bytes.equals(world.bucket.objects.get(key)!)).toBe(true);
  }
  expect(await world.query('SELECT region, fingerprint FROM digest_public_key')).toEqual([
    { region: 'us-east-1', fingerprint: KEY.fingerprint },
  ]);
  expect(await world.query('SELECT kind, verdict, count::int FROM integrity_total ORDER BY kind')).toEqual([
    { kind: 'digest', verdict: 'verified', count: 5 },
    { kind: 'log-file', verdict: 'verified', count: 12 },
  ]);
  const ledger = await world.query<{ source: string; verified: number; missing: number }>(
    'SELECT source, verified, missing FROM coverage_hourly ORDER BY hour',
  );
  expect(ledger).toEqual(Array.from({ length: 4 }, () => ({ source: 's3-trail', verified: 3, missing: 0 })));
  expect(await wrong(world)).toEqual([]);
  expect(await findings(world)).toEqual([]);
});

describe('what was done to the bucket is found, and raised', () => {
  test.each<[string, (made: Made) => readonly string[], readonly string[]]>([
    [
      'a log file is gone',
      ({ world, chain }) => {
        const log = chain.digests[2]!.logs[1]!;
        remove(world, log);
        return [`missing-file ${log}`];
      },
      ['missing-file critical open'],
    ],
    [
      'a record was cut out of a log file',
      ({ world, chain }) => {
        const log = chain.digests[1]!.logs[0]!;
        edit(world, log, (content) => content.replace('Decrypt', 'Encrypt'));
        return [`changed-file ${log}`];
      },
      ['changed-file critical open'],
    ],
    [
      'an entry was cut out of a digest',
      ({ world, chain }) => {
        const { key } = chain.digests[2]!;
        edit(world, key, (content) => content.replace(/"logFiles":\[\{.*?\},/, '"logFiles":['));
        return [`broken-signature ${key}`];
      },
      ['broken-signature critical open'],
    ],
    [
      'a signature was taken away',
      ({ world, chain }) => {
        const { key } = chain.digests[2]!;
        world.bucket.metadata.delete(key);
        return [`broken-signature ${key}`];
      },
      ['broken-signature critical open'],
    ],
    [
      'a digest in the middle is gone',
      ({ world, chain }) => {
        const { key } = chain.digests[2]!;
        remove(world, key);
        return [`missing-digest ${key}`];
      },
      ['missing-digest critical open'],
    ],
    [
      'two digests in a row are gone',
      ({ world, chain }) => {
        const keys = [chain.digests[2]!.key, chain.digests[3]!.key];
        for (const key of keys) remove(world, key);
        return keys.map((key) => `missing-digest ${key}`);
      },
      ['missing-digest critical open'],
    ],
    [
      'the newest digest is gone: only the clock tells',
      ({ world, chain }) => {
        const { key } = chain.digests[4]!;
        remove(world, key);
        return [`missing-digest ${key}`];
      },
      ['missing-digest critical open'],
    ],
    [
      'a log file was added that no digest lists',
      ({ world, chain }) => {
        const key = chain.logKey(chain.endOf(3) - HOUR / 2, 'added');
        world.bucket.objects.set(key, gzipSync(logContents(1, 'x')[0]!));
        return [`unlisted ${key}`];
      },
      ['unlisted high open'],
    ],
  ])('%s', async (_what, alter, expected) => {
    const one = await made();
    const problems = alter(one);
    await one.world.check();
    expect(await wrong(one.world)).toEqual(problems);
    expect(await standing(one.world)).toBe('failed');
    expect(await findings(one.world)).toEqual(expected);
  });

  test('a chain that begins anew without a record that says why', async () => {
    const world = await trailWorld(FIRST + 5.5 * HOUR);
    world.knowKey(KEY);
    const chain = new Chain(world.bucket, { key: KEY, firstEnd: FIRST });
    chain.deliver(logContents(1, 'a'));
    chain.deliver(logContents(1, 'b'));
    chain.restart(1);
    const { key } = chain.deliver(logContents(1, 'c'));
    chain.deliver([]);
    await world.check();
    expect(await wrong(world)).toEqual([`gap ${key}`]);
    expect(await findings(world)).toEqual(['gap high open']);
  });

  test('a chain by a key that is not CloudTrail’s', async () => {
    const world = await trailWorld(FIRST + 1.5 * HOUR);
    world.knowKey(KEY);
    const chain = new Chain(world.bucket, { key: OTHER_KEY, firstEnd: FIRST });
    const { key, logs } = chain.deliver(logContents(1, 'a'));
    await world.check();
    expect(await wrong(world)).toEqual([`broken-signature ${key}`]);
    expect(await world.query('SELECT verdict FROM digest_log_file WHERE object_key = $1', [logs[0]])).toEqual([]);
  });

  test('digests and log files of a Region vanish all together, after they were seen', async () => {
    const { world, chain } = await made();
    await world.check();
    world.bucket.objects.clear();
    await world.check();
    const missing = (await wrong(world)).filter((problem) => problem.startsWith('missing-digest'));
    expect(await world.query("SELECT count::int FROM integrity_total WHERE (kind, verdict) = ('digest', 'missing-digest')")).toEqual([
      { count: missing.length },
    ]);
    expect(await wrong(world)).toEqual(expect.arrayContaining(chain.digests.map(({ key }) => `missing-digest ${key}`)));
    expect(await standing(world)).toBe('failed');
  });
});

describe('the next hour', () => {
  test('asks for what is new alone', async () => {
    const { world, chain } = await made();
    await world.check();
    const asked = world.aws.requests.length;
    world.s3.requests.length = 0;
    await world.check();
    expect(world.s3.requests.filter((request) => request.startsWith('GET'))).toEqual([]);
    world.s3.requests.length = 0;
    const fresh = chain.deliver(logContents(2, 'f'));
    chain.deliver([]);
    await world.check();
    expect(world.s3.requests.filter((request) => request.startsWith('GET')).toSorted()).toEqual(
      [chain.digests.at(-1)!.key, fresh.key, ...fresh.logs].map((key) => `GET ${key}`).toSorted(),
    );
    expect(world.aws.requests.length).toBe(asked);
    expect(await standing(world)).toBe('verified');
    expect(await world.query("SELECT count::int FROM integrity_total WHERE kind = 'log-file'")).toEqual([{ count: 14 }]);
  });

  test('needs no more requests after a week than after a day', async () => {
    const { world, chain } = await made();
    const requestsOf = async (): Promise<number> => {
      world.s3.requests.length = 0;
      chain.deliver(logContents(1, String(world.now)));
      await world.check({ look_back_hours: 3 });
      return world.s3.requests.length;
    };
    chain.deliver([]);
    await requestsOf();
    const early = await requestsOf();
    for (let hour = 0; hour < 30; hour++) await requestsOf();
    expect(await requestsOf()).toBe(early);
    expect(await standing(world)).toBe('verified');
  });

  test('downloads again what was overwritten since, and sees that it is another file', async () => {
    const { world, chain } = await made();
    await world.check();
    const log = chain.digests[3]!.logs[2]!;
    edit(world, log, (content) => `${content} `);
    world.s3.requests.length = 0;
    await world.check();
    expect(world.s3.requests.filter((request) => request.startsWith('GET'))).toEqual([`GET ${log}`]);
    expect(await wrong(world)).toContain(`changed-file ${log}`);
  });

  test('a file that is put back resolves the finding', async () => {
    const { world, chain } = await made();
    chain.deliver([]);
    chain.deliver([]);
    const log = chain.digests[2]!.logs[1]!;
    const bytes = world.bucket.objects.get(log)!;
    remove(world, log);
    await world.check();
    expect(await findings(world)).toEqual(['missing-file critical open']);
    const [history] = await world.query<{ change: string }>('SELECT change FROM finding_history');
    expect(history?.change).toBe('opened');
    world.bucket.objects.set(log, bytes);
    await world.check();
    expect(await wrong(world)).toEqual([]);
    expect(await findings(world)).toEqual(['missing-file critical resolved']);
    expect(await standing(world)).toBe('verified');
    remove(world, log);
    chain.deliver([]);
    await world.check();
    expect(await findings(world)).toEqual(['missing-file critical open']);
  });

  test('a digest that comes late is not missing any more', async () => {
    const { world, chain } = await made();
    const { key } = chain.digests[4]!;
    const [bytes, metadata] = [world.bucket.objects.get(key)!, world.bucket.metadata.get(key)!];
    remove(world, key);
    await world.check();
    expect(await findings(world)).toEqual(['missing-digest critical open']);
    world.bucket.objects.set(key, bytes);
    world.bucket.metadata.set(key, metadata);
    chain.deliver([]);
    await world.check();
    expect(await wrong(world)).toEqual([]);
    expect(await findings(world)).toEqual(['missing-digest critical resolved']);
  });

  test('who takes away the digest that proves it does not resolve what is wrong with a log file', async () => {
    const { world, chain } = await made();
    chain.deliver([]);
    const { key, logs } = chain.digests[2]!;
    edit(world, logs[0]!, (content) => `${content} `);
    await world.check();
    remove(world, key);
    await world.check();
    expect(await wrong(world)).toEqual([`changed-file ${logs[0]!}`, `missing-digest ${key}`]);
    expect(await findings(world)).toEqual(['changed-file critical open', 'missing-digest critical open']);
  });

  test('a problem is looked at again for days, beyond what is looked back at otherwise', async () => {
    const { world, chain } = await made();
    const log = chain.digests[4]!.logs[1]!;
    const bytes = world.bucket.objects.get(log)!;
    remove(world, log);
    await world.check({ look_back_hours: 2 });
    for (let hour = 0; hour < 32; hour++) chain.deliver([]);
    world.now += 30 * HOUR;
    await world.check({ look_back_hours: 2 });
    expect(await findings(world)).toEqual(['missing-file critical open']);
    world.bucket.objects.set(log, bytes);
    chain.deliver([]);
    await world.check({ look_back_hours: 2 });
    expect(await findings(world)).toEqual(['missing-file critical resolved']);
  });
});

describe('what cannot be read is unknown, and neither verified nor broken', () => {
  test('the whole bucket', async () => {
    const { world, chain } = await made();
    world.s3.denies = () => true;
    await world.check();
    chain.deliver([]);
    expect(await areas(world)).toMatchObject([{ account: '', standing: 'unknown', reason: expect.stringContaining('AccessDenied') }]);
    world.s3.denies = () => false;
    await world.check();
    expect(await areas(world)).toMatchObject([{ account: '111122223333', standing: 'verified' }]);
    expect(await findings(world)).toEqual([]);
  });

  test('a bucket that was verified before', async () => {
    const { world } = await made();
    await world.check();
    world.s3.denies = (request) => request.startsWith('LIST');
    await world.check();
    expect(await standing(world)).toBe('unknown, unknown');
    expect(await wrong(world)).toEqual([]);
  });

  test.each([
    ['a log file', (request: string) => request.includes('/CloudTrail/') && request.includes('0001.json.gz')],
    ['a digest', (request: string) => request.startsWith('GET') && request.includes('T130131Z')],
  ])('%s', async (_what, denies) => {
    const { world } = await made();
    world.s3.denies = denies;
    await world.check();
    expect(await standing(world)).toBe('unknown');
    expect(await wrong(world)).toEqual([]);
    expect(await findings(world)).toEqual([]);
    const ledger = await world.query<{ verified: number }>('SELECT sum(verified)::int AS verified FROM coverage_hourly');
    expect(ledger[0]?.verified).toBeLessThan(12);
    world.s3.denies = () => false;
    await world.check({ look_back_hours: 2 });
    expect(await world.query("SELECT count(*)::int AS n FROM digest_log_file WHERE verdict = 'verified'")).toEqual([{ n: 12 }]);
  });

  test('but what is broken beside it is still found', async () => {
    const { world, chain } = await made();
    const [hidden, gone] = [chain.digests[1]!.logs[0]!, chain.digests[3]!.logs[0]!];
    world.s3.denies = (request) => request === `GET ${hidden}`;
    remove(world, gone);
    await world.check();
    expect(await standing(world)).toBe('failed');
    expect(await wrong(world)).toEqual([`missing-file ${gone}`]);
  });

  test('the public keys: a signature that cannot be checked is not a broken one', async () => {
    const { world } = await made();
    world.aws.cloudTrail.denied.add('999988887777');
    await world.check();
    expect(await areas(world)).toMatchObject([
      { standing: 'unknown', reason: expect.stringContaining('public keys'), verified_until: null },
    ]);
    expect(await wrong(world)).toEqual([]);
    world.aws.cloudTrail.denied.clear();
    await world.check();
    expect((await areas(world))[0]?.verified_until).not.toBeNull();
    expect(await wrong(world)).not.toContain(expect.stringContaining('broken-signature'));
  });
});

test('every account and Region of an organization has a chain and keys of its own, and what is wrong in one is found of it alone', async () => {
  const world = await trailWorld(FIRST + 2.5 * HOUR);
  const irish = signingKey();
  world.knowKey(KEY);
  // Found by its fingerprint, and only in its own Region.
  world.knowKey(OTHER_KEY);
  world.knowKey(irish, 'eu-west-1');
  const shared = { organization: 'o-exampleorgid/', trail: 'org', firstEnd: FIRST };
  const chains = ['111122223333', '444455556666'].flatMap((account) => [
    new Chain(world.bucket, { ...shared, account, key: OTHER_KEY }),
    new Chain(world.bucket, { ...shared, account, key: irish, region: 'eu-west-1', homeRegion: 'us-east-1' }),
  ]);
  for (const chain of chains)
    for (const hour of ['a', 'b']) chain.deliver(logContents(2, chain.options.account + chain.options.region + hour));
  const gone = chains[3]!.digests[1]!.logs[0]!;
  remove(world, gone);
  await world.check();
  expect((await areas(world)).map((area) => `${area.account} ${area.region} ${area.standing}`)).toEqual([
    '111122223333 eu-west-1 verified',
    '111122223333 us-east-1 verified',
    '444455556666 eu-west-1 failed',
    '444455556666 us-east-1 verified',
  ]);
  const found = (await storedFindings(world.pipeline)).filter(({ detector }) => detector === 'log-integrity-broken');
  expect(found.map(({ account, region, details }) => [account, region, details['trail']])).toEqual([['444455556666', 'eu-west-1', 'org']]);
  expect(found[0]?.explanation.what).toContain(gone.slice(gone.lastIndexOf('/') + 1));
});

test('a key of another Region does not vouch for a digest', async () => {
  const world = await trailWorld(FIRST + 1.5 * HOUR);
  world.knowKey(KEY, 'eu-west-1');
  const { key } = new Chain(world.bucket, { key: KEY, firstEnd: FIRST }).deliver([]);
  await world.check();
  expect(await wrong(world)).toEqual([`broken-signature ${key}`]);
});

test('backfill digests are a chain of their own, with the key of the time when they were made', async () => {
  const { world } = await made();
  const late = signingKey();
  world.aws.cloudTrail.publicKeys.push({
    region: 'us-east-1',
    value: late.value,
    fingerprint: late.fingerprint,
    from: FIRST + 2 * HOUR,
    to: FIRST + 30 * DAY,
  });
  const backfill = new Chain(world.bucket, { key: late, backfill: true, firstEnd: FIRST + 3 * HOUR });
  const { logs } = backfill.deliver(logContents(1, 'late'));
  await world.check();
  expect(await standing(world)).toBe('verified');
  expect(await world.query('SELECT verdict FROM digest_log_file WHERE object_key = $1', [logs[0]])).toEqual([{ verdict: 'verified' }]);
});

test('of several processes one checks, once an hour', async () => {
  const { world } = await made();
  const { deps } = world.pipeline;
  const leases = [createLeases(deps.pool, createLogger('silent')), createLeases(deps.pool, createLogger('silent'))];
  const options = {
    settings: integritySchema.parse({ trails: [{ bucket: world.bucket.name, bucket_region: 'us-east-1' }] }),
    aws: createAws({ clock: deps.clock, version: 'test' }),
    logger: createLogger('silent'),
    signal: new AbortController().signal,
    expectsIngested: () => false,
  };
  const both = await Promise.all(leases.map((each) => checkOncePerHour(deps, each, options)));
  expect(both.filter((did) => did)).toHaveLength(1);
  expect(await checkOncePerHour(deps, leases[1]!, options)).toBe(false);
  expect(world.s3.requests.filter((request) => request === 'LIST AWSLogs/')).toHaveLength(1);
  world.now += HOUR;
  expect(await checkOncePerHour(deps, leases[1]!, options)).toBe(true);
  for (const each of leases) await each.close();
});

describe('log files that were ingested', () => {
  /** Ingests a log file as the source would that a queue has told of it. */
  async function ingestLog(world: TrailWorld, key: string, etag = etagOf(world, key)): Promise<void> {
    const { pipeline, bucket } = world;
    const locator = { bucket: bucket.name, key, region: 'us-east-1', etag };
    const batchId = await registerDelivery(pipeline.deps.pool, {
      runId: 'test',
      source: 's3-trail',
      locator,
      payload: null,
      checkpoint: null,
      quarantined: [],
      receivedAt: world.now,
    });
    const buckets = createBuckets([], createAws({ clock: pipeline.deps.clock, version: 'test' }));
    const openers = { 's3-trail': (where: JsonObject, limits: ReadLimits) => openTrailObject(buckets, where, limits) };
    await ingest({ ...pipeline.deps, openers }, batchId);
    buckets.close();
  }

  function etagOf({ bucket }: TrailWorld, key: string): string {
    return createHash('md5').update(bucket.objects.get(key)!).digest('hex');
  }

  const logGets = ({ s3 }: TrailWorld): string[] =>
    s3.requests.filter((request) => request.startsWith('GET') && !request.includes('Digest'));

  test('are not downloaded again, and the others are', async () => {
    const { world, chain } = await made();
    const [other, ...ingested] = chain.digests.flatMap(({ logs }) => logs);
    for (const key of ingested) await ingestLog(world, key);
    world.s3.requests.length = 0;
    await world.check({ ingested: true });
    expect(logGets(world)).toEqual([`GET ${other}`]);
    expect(await standing(world)).toBe('verified');
    expect(await world.query('SELECT object_key FROM digest_log_file WHERE NOT ingested')).toEqual([{ object_key: other }]);
    expect(await world.query('SELECT sum(verified)::int AS verified, sum(missing)::int AS missing FROM coverage_hourly')).toEqual([
      { verified: 12, missing: 1 },
    ]);
    // It comes late, by a backfill for example.
    await ingestLog(world, other!);
    chain.deliver([]);
    await world.check({ ingested: true });
    expect(await world.query('SELECT sum(missing)::int AS missing FROM coverage_hourly')).toEqual([{ missing: 0 }]);
  });

  test('but are when they were overwritten after that', async () => {
    const { world, chain } = await made();
    const key = chain.digests[2]!.logs[0]!;
    await ingestLog(world, key);
    edit(world, key, (content) => `${content} `);
    await world.check();
    expect(await wrong(world)).toEqual([`changed-file ${key}`]);
  });

  test('and when the message that told of them had named another ETag', async () => {
    const { world, chain } = await made();
    const key = chain.digests[2]!.logs[0]!;
    const original = world.bucket.objects.get(key)!;
    edit(world, key, (content) => `${content} `);
    const etag = etagOf(world, key);
    const changed = world.bucket.objects.get(key)!;
    world.bucket.objects.set(key, original);
    await ingestLog(world, key, etag);
    world.bucket.objects.set(key, changed);
    await world.check();
    expect(await wrong(world)).toEqual([`changed-file ${key}`]);
  });

  test('are proven wrong when what was ingested is not what CloudTrail delivered', async () => {
    const { world, chain } = await made();
    const key = chain.digests[2]!.logs[0]!;
    edit(world, key, (content) => content.replace('Decrypt', 'Encrypt'));
    await ingestLog(world, key);
    world.s3.requests.length = 0;
    await world.check();
    expect(logGets(world)).not.toContain(`GET ${key}`);
    expect(await wrong(world)).toEqual([`changed-file ${key}`]);
  });
});
