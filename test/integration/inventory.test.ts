import { describe, expect, test } from 'vitest';
import { DAY, HOUR, MINUTE } from '../../services/core/clock.ts';
import type { KeyFacts } from '../../services/core/key.ts';
import { recheckDrift } from '../../services/workers/inventory-drift.ts';
import { deniedByKeyPolicy } from '../support/aws/kms.ts';
import { defaultPolicy, fakeKey } from '../support/aws/kms-key.ts';
import { mostInASecond } from '../support/aws/server.ts';
import { type InventoryWorld, inventoryWorld, PLACE } from '../support/inventory.ts';
import { ACCOUNT, aliasArn, record, REGION, resources } from '../support/records.ts';

const NOW = Date.UTC(2026, 4, 1, 12);
const GRACE = { graceMs: 30 * MINUTE };

function keyArn(n: number): string {
  return `arn:aws:kms:${REGION}:${ACCOUNT}:key/0b0b0b0b-0000-4000-8000-${String(n).padStart(12, '0')}`;
}

async function factsOf(world: InventoryWorld, arn: string): Promise<KeyFacts> {
  const rows = await world.rows<{ facts: KeyFacts }>('SELECT facts FROM kms_key WHERE arn = $1', [arn]);
  return rows[0]?.facts ?? {};
}

async function readings(world: InventoryWorld): Promise<Record<string, unknown>> {
  const rows = await world.rows<{ arn: string; reading: string; reason: string | null }>(
    'SELECT k.arn, i.reading, i.reason FROM inventory_key i JOIN kms_key k ON k.id = i.key_id ORDER BY 1',
  );
  return Object.fromEntries(rows.map(({ arn, reading, reason }) => [arn, [reading, reason]]));
}

interface DriftRow {
  readonly fact: string;
  readonly events: unknown;
  readonly inventory: unknown;
  readonly due: boolean;
  readonly resolved: boolean;
}

async function drifts(world: InventoryWorld): Promise<DriftRow[]> {
  return await world.rows<DriftRow>(
    `SELECT fact, events_say->'value' AS events, inventory_says->'value' AS inventory, due_at <= $1 AS due, resolved_at IS NOT NULL AS resolved
     FROM inventory_drift ORDER BY fact, key_id, first_seen`,
    [new Date(world.now)],
  );
}

function asked(world: InventoryWorld, operation: string): string[] {
  return world.aws.requests
    .filter((request) => request.operation === operation && request.outcome === 'ok')
    .map(({ body }) => (JSON.parse(body) as { KeyId?: string }).KeyId ?? '');
}

describe('a reading', () => {
  test('stores every key over many pages, through throttling, cut connections, failing servers and a marker that expires', async () => {
    const world = await inventoryWorld(NOW);
    const { kms } = world.aws;
    const grants = Array.from({ length: 9 }, (_, n) => ({
      GrantId: `grant-${n}`,
      GranteePrincipal: 'arn:aws:iam::1:role/a',
      Operations: ['Decrypt'],
    }));
    const tags = Object.fromEntries(Array.from({ length: 8 }, (_, n) => [`tag-${n}`, String(n)]));
    for (let n = 0; n < 23; n += 1) kms.put(fakeKey(keyArn(n), { grants, tags, rotations: [NOW - 40 * DAY, NOW - 400 * DAY] }));
    for (let n = 0; n < 11; n += 1) kms.alias(PLACE, `alias/app-${n}`, keyArn(n));
    kms.pageSize = 4;
    kms.refusedMarkers = 2;
    let count = 0;
    world.aws.onRequest = ({ service }) => {
      if (service !== 'kms') return null;
      count += 1;
      if (count % 60 === 0) return { kind: 'cut' };
      if (count % 13 === 0) return { kind: 'error', code: 'ThrottlingException' };
      return count % 45 === 0 ? { kind: 'unavailable' } : null;
    };

    expect(await world.sync()).toMatchObject({ outcome: 'finished' });

    const outcomes = new Set(world.aws.requests.map(({ outcome }) => outcome));
    expect([...outcomes]).toEqual(expect.arrayContaining(['ThrottlingException', 'InvalidMarkerException', 'cut', 'unavailable']));
    expect(Object.values(await readings(world))).toEqual(Array.from({ length: 23 }, () => ['readable', null]));
    const facts = await factsOf(world, keyArn(7));
    expect(facts.lastRotated?.value).toBe(NOW - 40 * DAY);
    expect(Object.keys(facts.tags ?? {})).toHaveLength(8);
    expect(await world.rows('SELECT count(*)::int AS n FROM key_grant WHERE retired_at IS NULL')).toEqual([{ n: 23 * 9 }]);
    expect(await world.rows('SELECT count(*)::int AS n FROM key_alias WHERE target_key_id IS NOT NULL')).toEqual([{ n: 11 }]);
    expect(await world.rows('SELECT listed, failures FROM inventory_run')).toEqual([{ listed: 23, failures: 0 }]);
  });

  test('spreads its requests: a second holds no more than are allowed, but for the few that are under way at a time', async () => {
    const world = await inventoryWorld(NOW);
    for (let n = 0; n < 14; n += 1) world.aws.kms.put(fakeKey(keyArn(n)));
    await world.sync({ requestsPerSecond: 40 });
    const requests = world.aws.requests.filter(({ service }) => service === 'kms');
    expect(requests).toHaveLength(2 + 14 * 7);
    expect(mostInASecond(requests)).toBeLessThanOrEqual(40 + 6);
    expect(new Set(requests.map(({ account }) => account))).toEqual(new Set([ACCOUNT]));
  });

  test('lists a key that may not be read, with the reason, and keeps what was known of it', async () => {
    const world = await inventoryWorld(NOW);
    const { kms } = world.aws;
    for (const n of [1, 2, 3, 4, 5]) kms.put(fakeKey(keyArn(n), { rotation: { periodDays: 200 } }));
    await world.sync();
    const scp = 'User: x is not authorized to perform: kms:DescribeKey with an explicit deny in a service control policy';
    kms.refuse = (request) => {
      if (request.key === keyArn(1)) return deniedByKeyPolicy(request);
      if (request.key === keyArn(2) && request.operation === 'GetKeyPolicy')
        return { code: 'AccessDeniedException', message: 'no identity-based policy allows it' };
      if (request.key === keyArn(3)) return { code: 'KMSInternalException', message: 'try later', status: 500 };
      if (request.key === keyArn(4)) return { code: 'AccessDeniedException', message: scp };
      return null;
    };
    world.now += DAY;
    expect(await world.sync()).toMatchObject({ outcome: 'finished' });

    expect(await readings(world)).toEqual({
      [keyArn(1)]: ['unreadable', 'denied-by-key-policy'],
      [keyArn(2)]: ['partly', 'denied-by-identity-policy'],
      [keyArn(3)]: ['unreadable', 'service-error'],
      [keyArn(4)]: ['unreadable', 'denied-by-organization-policy'],
      [keyArn(5)]: ['readable', null],
    });
    expect(await world.rows('SELECT unread FROM inventory_key i JOIN kms_key k ON k.id = i.key_id WHERE arn = $1', [keyArn(2)])).toEqual([
      { unread: { GetKeyPolicy: 'denied-by-identity-policy' } },
    ]);
    expect((await factsOf(world, keyArn(1))).rotationPeriodDays).toMatchObject({ value: 200, at: NOW });
    // One refusal is enough: what else there is to ask would be refused too.
    expect(world.aws.requests.filter(({ body, outcome }) => body.includes(keyArn(1)) && outcome === 'AccessDeniedException')).toHaveLength(
      1,
    );
  });

  test('that was never allowed of a key lists it all the same', async () => {
    const world = await inventoryWorld(NOW);
    world.aws.kms.put(fakeKey(keyArn(1)));
    world.aws.kms.refuse = (request) => (request.key === null ? null : deniedByKeyPolicy(request));
    await world.sync();
    expect(await readings(world)).toEqual({ [keyArn(1)]: ['unreadable', 'denied-by-key-policy'] });
    expect(await factsOf(world, keyArn(1))).toEqual({});
  });

  test('knows grants by what they allow and never the values of an encryption context, and ends those that are gone', async () => {
    const world = await inventoryWorld(NOW);
    const grant = (GrantId: string, more: object = {}) => ({
      GrantId,
      KeyId: keyArn(1),
      GranteePrincipal: 'arn:aws:iam::444455556666:role/backup',
      RetiringPrincipal: 'arn:aws:iam::111122223333:role/ops',
      IssuingAccount: `arn:aws:iam::${ACCOUNT}:root`,
      CreationDate: (NOW - 3 * DAY) / 1000,
      Operations: ['GenerateDataKey', 'Decrypt'],
      ...more,
    });
    const key = world.aws.kms.put(
      fakeKey(keyArn(1), {
        grants: [
          grant('one', { Constraints: { EncryptionContextSubset: { tenant: 'SECRET-TENANT', __proto__x: 'SECRET-OTHER' } } }),
          grant('two', {
            GranteePrincipal: undefined,
            GranteeServicePrincipal: 'rds.amazonaws.com',
            Constraints: { SourceArn: 'arn:aws:rds:::db' },
          }),
        ],
      }),
    );
    await world.sync();
    const rows = await world.rows('SELECT * FROM key_grant ORDER BY grant_id');
    expect(rows).toMatchObject([
      {
        grant_id: 'one',
        grantee: 'arn:aws:iam::444455556666:role/backup',
        operations: ['Decrypt', 'GenerateDataKey'],
        constraints: { encryption_context_subset: ['__proto__x', 'tenant'] },
        issuing_account: ACCOUNT,
        created_at: NOW - 3 * DAY,
        as_of: NOW,
        retired_at: null,
      },
      { grant_id: 'two', grantee: 'rds.amazonaws.com', constraints: { source_arn: true } },
    ]);
    const everything = await world.rows('SELECT to_jsonb(g)::text AS t FROM key_grant g UNION ALL SELECT facts::text FROM inventory_key');
    expect(JSON.stringify(everything)).not.toContain('SECRET');

    key.grants = key.grants.slice(1);
    world.now += DAY;
    await world.sync();
    expect(await world.rows('SELECT grant_id, retired_at, ended_reason FROM key_grant ORDER BY 1')).toEqual([
      { grant_id: 'one', retired_at: NOW + DAY, ended_reason: 'not-listed' },
      { grant_id: 'two', retired_at: null, ended_reason: null },
    ]);
  });
});

describe('a reading that is cut off', () => {
  test('is gone on with: keys that were stored are not asked about again', async () => {
    const world = await inventoryWorld(NOW);
    for (let n = 0; n < 30; n += 1) world.aws.kms.put(fakeKey(keyArn(n)));
    const stop = new AbortController();
    const first = await world.sync({ signal: stop.signal, keysAtATime: 5, onProgress: (_, { done }) => void (done >= 15 && stop.abort()) });
    expect(first.outcome).toBe('interrupted');
    expect(await world.rows('SELECT count(*)::int AS n FROM inventory_key')).toEqual([{ n: 15 }]);
    const before = asked(world, 'DescribeKey').length;

    const second = await world.sync({ keysAtATime: 5 });
    expect(second).toEqual({ outcome: 'finished', run: first.run });
    expect(asked(world, 'DescribeKey').slice(before).toSorted()).toEqual(Array.from({ length: 15 }, (_, n) => keyArn(n + 15)));
    expect(Object.keys(await readings(world))).toHaveLength(30);
    expect(await world.rows('SELECT attempts, finished_at IS NOT NULL AS finished FROM inventory_run')).toEqual([
      { attempts: 2, finished: true },
    ]);
  });

  test('too long ago is begun anew', async () => {
    const world = await inventoryWorld(NOW);
    for (let n = 0; n < 4; n += 1) world.aws.kms.put(fakeKey(keyArn(n)));
    const stop = new AbortController();
    const first = await world.sync({ signal: stop.signal, keysAtATime: 2, onProgress: (_, { done }) => void (done >= 2 && stop.abort()) });
    world.now += 2 * DAY;
    const second = await world.sync();
    expect(second.outcome).toBe('finished');
    expect(second.run).not.toBe(first.run);
    expect(await world.rows('SELECT DISTINCT run_id FROM inventory_key')).toEqual([{ run_id: second.run }]);
  });

  test('by a network that is gone, says so and goes on when it is back', async () => {
    const world = await inventoryWorld(NOW);
    for (let n = 0; n < 6; n += 1) world.aws.kms.put(fakeKey(keyArn(n)));
    world.aws.onRequest = ({ operation }) =>
      operation === 'DescribeKey' && asked(world, 'DescribeKey').length >= 4 ? { kind: 'cut' } : null;
    expect(await world.sync({ keysAtATime: 2 })).toMatchObject({ outcome: 'failed', failure: { reason: 'network' } });
    expect(await world.rows('SELECT failure, failures, finished_at FROM inventory_run')).toEqual([
      { failure: 'network', failures: 1, finished_at: null },
    ]);
    world.aws.onRequest = () => null;
    expect(await world.sync()).toMatchObject({ outcome: 'finished' });
    expect(Object.keys(await readings(world))).toHaveLength(6);
    expect(await world.rows('SELECT failure, failures FROM inventory_run')).toEqual([{ failure: null, failures: 1 }]);
  });

  test('is not begun by a second process meanwhile', async () => {
    const world = await inventoryWorld(NOW);
    for (let n = 0; n < 6; n += 1) world.aws.kms.put(fakeKey(keyArn(n)));
    const others: Promise<string>[] = [];
    const first = await world.sync({
      keysAtATime: 2,
      onProgress: () => {
        if (others.length === 0) others.push(world.sync().then(({ outcome }) => outcome));
      },
    });
    expect(first.outcome).toBe('finished');
    expect(await Promise.all(others)).toEqual(['busy']);
    expect(asked(world, 'ListKeys')).toHaveLength(1);
  });

  test('by KMS itself, or by a role that cannot be assumed, is a failure of the place and of no key', async () => {
    const world = await inventoryWorld(NOW);
    for (let n = 0; n < 8; n += 1) world.aws.kms.put(fakeKey(keyArn(n)));
    world.aws.sts.denied.add(ACCOUNT);
    expect(await world.sync()).toMatchObject({ outcome: 'failed', failure: { reason: 'access-denied' } });
    world.aws.sts.denied.clear();
    world.aws.kms.refuse = ({ operation }) => (operation === 'ListKeys' ? { code: 'AccessDeniedException', message: 'no' } : null);
    expect(await world.sync()).toMatchObject({ outcome: 'failed', failure: { reason: 'access-denied' } });
    world.aws.kms.refuse = ({ operation }) =>
      operation === 'DescribeKey' ? { code: 'KMSInternalException', message: 'down', status: 500 } : null;
    expect(await world.sync()).toMatchObject({ outcome: 'failed', failure: { reason: 'service-error' } });
    expect(await readings(world)).toEqual({});
    world.aws.kms.refuse = () => null;
    expect(await world.sync()).toMatchObject({ outcome: 'finished' });
  });
});

describe('inventory and events', () => {
  const enable = (at: number, periodInDays = 120) =>
    record('EnableKeyRotation', at, {
      ...resources(keyArn(1)),
      requestParameters: { keyId: keyArn(1), rotationPeriodInDays: periodInDays },
    });
  const disable = (at: number) => record('DisableKey', at, { ...resources(keyArn(1)), requestParameters: { keyId: keyArn(1) } });

  test.each(['event first', 'inventory first'])('stand by time, whichever comes first: %s', async (order) => {
    const world = await inventoryWorld(NOW);
    world.aws.kms.put(fakeKey(keyArn(1), { rotation: null, state: 'Enabled' }));
    // Earlier than the answers, and otherwise; and later than the answers.
    const events = [enable(NOW - 2 * HOUR), disable(NOW + 10 * MINUTE)];
    if (order === 'event first') await world.happen(...events);
    await world.sync();
    if (order === 'inventory first') await world.happen(...events);
    const facts = await factsOf(world, keyArn(1));
    expect(facts.rotationEnabled).toMatchObject({ value: false, origin: expect.stringMatching(/^inventory:\d+$/) });
    expect(facts.enabled).toMatchObject({ value: false, at: NOW + 10 * MINUTE });
    expect(facts.enabled?.origin).not.toContain('inventory');
    expect(await world.rows('SELECT state FROM kms_key WHERE arn = $1', [keyArn(1)])).toEqual([{ state: 'Disabled' }]);
  });

  test('that agree leave the event as the proof', async () => {
    const world = await inventoryWorld(NOW);
    world.aws.kms.put(fakeKey(keyArn(1), { rotation: { periodDays: 120 } }));
    await world.happen(enable(NOW - 5 * DAY));
    await world.sync();
    const facts = await factsOf(world, keyArn(1));
    expect(facts.rotationEnabled).toMatchObject({ value: true, at: NOW - 5 * DAY });
    expect(facts.rotationEnabled?.origin).not.toContain('inventory');
    expect(await drifts(world)).toEqual([]);
  });

  test('know the latest rotation that either tells of', async () => {
    const world = await inventoryWorld(NOW);
    const key = world.aws.kms.put(fakeKey(keyArn(1), { rotation: { periodDays: 365 }, rotations: [NOW - 30 * DAY] }));
    const rotated = (at: number) =>
      record('RotateKey', at, { ...resources(keyArn(1)), eventType: 'AwsServiceEvent', serviceEventDetails: { keyId: keyArn(1) } });
    await world.happen(rotated(NOW - 400 * DAY));
    await world.sync();
    expect((await factsOf(world, keyArn(1))).lastRotated?.value).toBe(NOW - 30 * DAY);
    await world.happen(rotated(NOW - 3 * DAY));
    expect((await factsOf(world, keyArn(1))).lastRotated?.value).toBe(NOW - 3 * DAY);
    key.rotations = [];
    world.now += DAY;
    await world.sync();
    expect((await factsOf(world, keyArn(1))).lastRotated?.value).toBe(NOW - 3 * DAY);
  });

  test('make findings of keys of which no event tells, and the same again when read again', async () => {
    const world = await inventoryWorld(NOW);
    world.aws.kms.put(fakeKey(keyArn(1), { created: NOW - 500 * DAY }));
    world.aws.kms.put(fakeKey(keyArn(2), { created: NOW - 500 * DAY, rotation: { periodDays: 365 }, rotations: [NOW - 100 * DAY] }));
    world.aws.kms.put(fakeKey(keyArn(3), { created: NOW - 500 * DAY, spec: 'RSA_2048', usage: 'SIGN_VERIFY' }));
    world.aws.kms.put(fakeKey(keyArn(4), { created: NOW - 500 * DAY, manager: 'AWS' }));
    await world.sync();
    const findings = () =>
      world.rows<{ key_arn: string; detector: string; status: string; first_seen: number }>(
        "SELECT key_arn, detector, status, first_seen FROM finding WHERE detector LIKE 'rotation-%' ORDER BY 1, 2",
      );
    const found = await findings();
    expect(found.map(({ key_arn, detector, status }) => [key_arn, detector, status])).toEqual([
      [keyArn(1), 'rotation-not-enabled', 'open'],
      [keyArn(1), 'rotation-overdue', 'open'],
    ]);
    const facts = await world.rows('SELECT arn, facts, state, rotation_standing FROM kms_key ORDER BY 1');

    world.now += DAY;
    await world.sync();
    expect(await findings()).toEqual(found);
    expect(await world.rows('SELECT arn, facts, state, rotation_standing FROM kms_key ORDER BY 1')).toEqual(facts);
    expect(await world.rows("SELECT change FROM finding_history WHERE change <> 'opened'")).toEqual([]);

    world.aws.kms.put(fakeKey(keyArn(1), { created: NOW - 500 * DAY, rotation: { periodDays: 365 }, rotations: [NOW] }));
    world.now += DAY;
    await world.sync();
    expect(await findings()).toEqual([]);
  });

  test('name keys by their aliases, and move them by time', async () => {
    const world = await inventoryWorld(NOW);
    const { kms } = world.aws;
    for (const n of [1, 2]) kms.put(fakeKey(keyArn(n)));
    kms.alias(PLACE, 'alias/moved', keyArn(2));
    kms.alias(PLACE, 'alias/unheard', keyArn(1));
    kms.alias(PLACE, 'alias/aws/s3', null);
    const alias = (name: string, operation: string, at: number, n: number) =>
      record(operation, at, { requestParameters: { aliasName: name, targetKeyId: keyArn(n) }, ...resources(aliasArn(name), keyArn(n)) });
    await world.happen(alias('alias/moved', 'CreateAlias', NOW - DAY, 1), alias('alias/dropped', 'CreateAlias', NOW - DAY, 1));
    const names = () =>
      world.rows<{ alias: string; target: string | null }>(
        'SELECT a.name AS alias, t.arn AS target FROM key_alias l JOIN kms_key a ON a.id = l.alias_id LEFT JOIN kms_key t ON t.id = l.target_key_id ORDER BY 1',
      );
    await world.sync();
    const listed = [
      { alias: 'alias/dropped', target: null },
      { alias: 'alias/moved', target: keyArn(2) },
      { alias: 'alias/unheard', target: keyArn(1) },
    ];
    expect(await names()).toEqual(listed);
    expect(await drifts(world)).toMatchObject([
      { fact: 'alias', events: ['alias/dropped', 'alias/moved'], inventory: [] },
      { fact: 'alias', events: [], inventory: ['alias/moved'] },
    ]);
    // An older event changes nothing, a later one does.
    await world.happen(alias('alias/moved', 'UpdateAlias', NOW - 2 * HOUR, 1));
    expect(await names()).toEqual(listed);
    await world.happen(alias('alias/moved', 'UpdateAlias', NOW + MINUTE, 1));
    expect((await names())[1]).toEqual({ alias: 'alias/moved', target: keyArn(1) });
  });

  test('tell of a key that is gone although no event says so', async () => {
    const world = await inventoryWorld(NOW);
    await world.happen(
      record('CreateKey', NOW - 60 * DAY, {
        ...resources(keyArn(1)),
        responseElements: {
          keyMetadata: { arn: keyArn(1), origin: 'AWS_KMS', keyManager: 'CUSTOMER', keySpec: 'SYMMETRIC_DEFAULT', enabled: true },
        },
      }),
      // A name that was never a key: nothing is asked about it.
      record('Decrypt', NOW - DAY, {
        requestParameters: { keyId: keyArn(9) },
        errorCode: 'NotFoundException',
        errorMessage: 'no such key',
      }),
    );
    await world.sync();
    expect(await readings(world)).toEqual({ [keyArn(1)]: ['gone', null] });
    expect(await world.rows('SELECT state FROM kms_key WHERE arn = $1', [keyArn(1)])).toEqual([{ state: 'Deleted' }]);
    expect(await drifts(world)).toMatchObject([{ fact: 'deletion', inventory: 'deleted' }]);
    await world.happen(
      record('DeleteKey', NOW - HOUR, { ...resources(keyArn(1)), eventType: 'AwsServiceEvent', serviceEventDetails: { keyId: keyArn(1) } }),
    );
    await recheckDrift(world.pipeline.deps, GRACE);
    expect(await drifts(world)).toEqual([]);
  });
});

describe('drift', () => {
  const put = (at: number, policy: string) =>
    record('PutKeyPolicy', at, { ...resources(keyArn(1)), requestParameters: { keyId: keyArn(1), policyName: 'default', policy } });
  const rotation = (name: 'EnableKeyRotation' | 'DisableKeyRotation', at: number) =>
    record(name, at, { ...resources(keyArn(1)), requestParameters: { keyId: keyArn(1) } });

  test('is found where events were missed, counts when they can no longer be late, and is resolved when they come after all', async () => {
    const world = await inventoryWorld(NOW);
    world.aws.kms.put(fakeKey(keyArn(1), { rotation: null }));
    await world.happen(rotation('EnableKeyRotation', NOW - 10 * DAY));
    await world.sync();
    expect(await drifts(world)).toEqual([{ fact: 'rotation', events: 'on', inventory: 'off', due: false, resolved: false }]);
    world.now += 40 * MINUTE;
    await recheckDrift(world.pipeline.deps, GRACE);
    expect(await drifts(world)).toEqual([{ fact: 'rotation', events: 'on', inventory: 'off', due: true, resolved: false }]);
    await world.sync();
    expect(await drifts(world)).toHaveLength(1);
    await world.happen(rotation('DisableKeyRotation', NOW - 3 * DAY));
    await recheckDrift(world.pipeline.deps, GRACE);
    expect(await drifts(world)).toEqual([{ fact: 'rotation', events: 'on', inventory: 'off', due: true, resolved: true }]);
  });

  test('that a late event explains in time never was any', async () => {
    const world = await inventoryWorld(NOW);
    world.aws.kms.put(fakeKey(keyArn(1), { rotation: null }));
    await world.happen(rotation('EnableKeyRotation', NOW - 10 * DAY));
    await world.sync();
    expect(await drifts(world)).toHaveLength(1);
    world.now += 10 * MINUTE;
    await world.happen(rotation('DisableKeyRotation', NOW - 20 * MINUTE));
    await recheckDrift(world.pipeline.deps, GRACE);
    expect(await drifts(world)).toEqual([]);
  });

  test('is no event after the answers, and none around them', async () => {
    const world = await inventoryWorld(NOW);
    world.aws.kms.put(fakeKey(keyArn(1), { rotation: { periodDays: 365 } }));
    await world.happen(rotation('EnableKeyRotation', NOW - 10 * DAY), rotation('DisableKeyRotation', NOW + HOUR));
    await world.sync();
    expect(await drifts(world)).toEqual([]);
    world.now += DAY;
    await world.happen(rotation('DisableKeyRotation', world.now - 2_000));
    await world.sync();
    expect(await drifts(world)).toEqual([]);
  });

  test('is a policy that says something else, not one that is written otherwise', async () => {
    const world = await inventoryWorld(NOW);
    const key = world.aws.kms.put(fakeKey(keyArn(1)));
    const policy = JSON.stringify({
      Statement: [
        { Action: ['kms:*'], Effect: 'Allow', Resource: ['*'], Principal: { AWS: [ACCOUNT] }, Sid: 'Enable IAM User Permissions' },
      ],
      Id: 'key-default-1',
      Version: '2012-10-17',
    });
    await world.happen(put(NOW - DAY, policy));
    await world.sync();
    expect(await drifts(world)).toEqual([]);
    expect((await factsOf(world, keyArn(1))).policy?.value).toBe(policy);
    key.policy = defaultPolicy('444455556666');
    world.now += DAY;
    await world.sync();
    expect(await drifts(world)).toMatchObject([
      { fact: 'policy', events: expect.stringContaining('sha256'), inventory: expect.stringContaining('sha256') },
    ]);
    expect((await factsOf(world, keyArn(1))).policy?.value).toBe(key.policy);
  });

  test('is a key that nobody saw made, unless it is older than the first event or KMS made it', async () => {
    const world = await inventoryWorld(NOW);
    const { kms } = world.aws;
    kms.put(fakeKey(keyArn(1), { created: NOW - 50 * DAY }));
    kms.put(fakeKey(keyArn(2), { created: NOW - 10 * DAY }));
    kms.put(fakeKey(keyArn(3), { created: NOW - 10 * DAY, manager: 'AWS' }));
    await world.sync();
    // Nobody watches yet.
    expect(await drifts(world)).toEqual([]);
    await world.happen(record('Decrypt', NOW - 20 * DAY, resources(keyArn(1))));
    world.now += DAY;
    await world.sync();
    const rows = await world.rows('SELECT k.arn, d.fact FROM inventory_drift d JOIN kms_key k ON k.id = d.key_id');
    expect(rows).toEqual([{ arn: keyArn(2), fact: 'creation' }]);
  });
});
