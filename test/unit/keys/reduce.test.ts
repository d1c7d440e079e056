import { describe, expect, it } from 'vitest';
import { DAY } from '../../../services/core/clock.ts';
import type { EventDetail, Outcome } from '../../../services/core/event.ts';
import type { KeyFacts } from '../../../services/core/key.ts';
import { factsOf, foldTimeline, mergeFacts } from '../../../services/keys/reduce.ts';
import { stateOf } from '../../../services/keys/state.ts';
import { KEY, OTHER_KEY, PRIMARY, REPLICA, stored, type Telling, tell } from './fabricate.ts';

const NOON = Date.UTC(2026, 2, 1, 12);

function says(operation: string, telling: Partial<Telling> = {}, keyArn: string = KEY): Record<string, unknown> {
  return plain(factsOf(stored(tell(operation, { at: NOON, key: keyArn, ...telling })), keyArn));
}

/** Register values; inferred ones under a name with `?`. */
function plain(facts: KeyFacts): Record<string, unknown> {
  const { tags, ...registers } = facts;
  const values = Object.entries(registers).map(([name, fact]) => [fact.inferred ? `${name}?` : name, fact.value]);
  const tagValues: Record<string, unknown> | undefined =
    tags && Object.fromEntries(Object.entries(tags).map(([name, fact]) => [name, fact.value]));
  const told: Record<string, unknown> = Object.fromEntries(values);
  return tagValues ? { ...told, tags: tagValues } : told;
}

const CREATED: EventDetail = {
  bypassPolicyLockoutSafetyCheck: false,
  metadata: {
    keySpec: 'SYMMETRIC_DEFAULT',
    keyUsage: 'ENCRYPT_DECRYPT',
    origin: 'AWS_KMS',
    keyManager: 'CUSTOMER',
    keyState: 'Enabled',
    enabled: true,
    multiRegion: false,
    creationDate: NOON - 500,
    description: 'orders',
  },
};

const SYMMETRIC = { 'keySpec?': 'SYMMETRIC_DEFAULT', 'keyUsage?': 'ENCRYPT_DECRYPT' };
const ROTATABLE = { ...SYMMETRIC, 'origin?': 'AWS_KMS', 'manager?': 'CUSTOMER', 'enabled?': true };
const IMPORTED = { 'origin?': 'EXTERNAL', 'manager?': 'CUSTOMER' };

describe('what one event says of its key', () => {
  it.each<[string, Partial<Telling>, Record<string, unknown>]>([
    ['EnableKey', {}, { enabled: true }],
    ['DisableKey', {}, { enabled: false }],
    ['CancelKeyDeletion', {}, { enabled: false, deletion: null }],
    ['DeleteKey', {}, { deleted: true }],
    ['ScheduleKeyDeletion', {}, { deletion: { date: NOON + 30 * DAY, windowDays: 30, waitsForReplicas: false } }],
    [
      'ScheduleKeyDeletion',
      { detail: { pendingWindowInDays: 7, deletionDate: NOON + 8 * DAY } },
      { deletion: { date: NOON + 8 * DAY, windowDays: 7, waitsForReplicas: false } },
    ],
    [
      'ScheduleKeyDeletion',
      { detail: { pendingWindowInDays: 7 } },
      { deletion: { date: NOON + 7 * DAY, windowDays: 7, waitsForReplicas: false } },
    ],
    [
      'ScheduleKeyDeletion',
      { detail: { pendingWindowInDays: 1e300, deletionDate: 1e300 } },
      { deletion: { date: NOON + 30 * DAY, windowDays: 30, waitsForReplicas: false } },
    ],
    [
      'ScheduleKeyDeletion',
      { detail: { keyState: 'PendingReplicaDeletion', pendingWindowInDays: 10 } },
      { deletion: { date: null, windowDays: 10, waitsForReplicas: true } },
    ],
    ['EnableKeyRotation', {}, { ...ROTATABLE, rotationEnabled: true, rotationPeriodDays: 365 }],
    ['EnableKeyRotation', { detail: { rotationPeriodInDays: 90 } }, { ...ROTATABLE, rotationEnabled: true, rotationPeriodDays: 90 }],
    ['DisableKeyRotation', {}, { ...ROTATABLE, rotationEnabled: false }],
    ['RotateKeyOnDemand', {}, { ...SYMMETRIC, 'manager?': 'CUSTOMER', 'enabled?': true }],
    ['RotateKey', {}, { ...SYMMETRIC, 'origin?': 'AWS_KMS', lastRotated: NOON }],
    [
      'RotateKey',
      { detail: { rotationType: 'AUTOMATIC', keyMaterialId: 'b2' } },
      { ...SYMMETRIC, 'origin?': 'AWS_KMS', 'rotationEnabled?': true, lastRotated: NOON, keyMaterialId: 'b2' },
    ],
    [
      'RotateKey',
      { detail: { rotationType: 'ON_DEMAND', keyMaterialId: 'b2', metadata: { origin: 'EXTERNAL' } } },
      { ...SYMMETRIC, 'manager?': 'CUSTOMER', origin: 'EXTERNAL', lastRotated: NOON, keyMaterialId: 'b2' },
    ],
    [
      'ImportKeyMaterial',
      { detail: { validTo: NOON + DAY, importType: 'NEW_KEY_MATERIAL', keyMaterialId: 'b1' } },
      { ...IMPORTED, material: { validTo: NOON + DAY, materialId: 'b1' }, lastRotated: NOON },
    ],
    [
      'ImportKeyMaterial',
      { detail: { importType: 'EXISTING_KEY_MATERIAL', validTo: NOON + DAY, expirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' } },
      { ...IMPORTED, material: { validTo: null, materialId: null } },
    ],
    ['ImportKeyMaterial', {}, { ...IMPORTED, material: { validTo: null, materialId: null }, 'lastRotated?': NOON }],
    ['DeleteImportedKeyMaterial', {}, { ...IMPORTED, material: null, enabled: true }],
    ['DeleteExpiredKeyMaterial', {}, { ...IMPORTED, material: null, enabled: true }],
    ['PutKeyPolicy', { detail: { policy: '{}' } }, { policy: '{}', policyOmitted: false }],
    ['PutKeyPolicy', { detail: { policyOmitted: true } }, { policyOmitted: true }],
    ['PutKeyPolicy', {}, { policyOmitted: true }],
    ['UpdateKeyDescription', { detail: { description: 'payments' } }, { description: 'payments' }],
    ['TagResource', { detail: { tags: { team: 'a' } } }, { tags: { team: 'a' } }],
    ['UntagResource', { detail: { tagKeys: ['team'] } }, { tags: { team: null } }],
    ['CreateAlias', { otherKey: 'arn:aws:kms:eu-west-1:111122223333:alias/aws/ebs' }, { 'manager?': 'AWS' }],
    ['CreateAlias', { otherKey: 'arn:aws:kms:eu-west-1:111122223333:alias/aws-orders' }, {}],
    ['SynchronizeMultiRegionKey', {}, {}],
    ['SomethingNew', { detail: { policy: '{}' } }, {}],
  ])('%s %j', (operation, telling, expected) => {
    expect(says(operation, telling)).toEqual(expected);
  });

  it.each<Outcome>(['denied', 'disabled', 'pending-deletion', 'invalid-state', 'not-found', 'throttled', 'dry-run', 'other'])(
    'a call that ended as %s says nothing',
    (outcome) => {
      for (const operation of ['CreateKey', 'DisableKey', 'ScheduleKeyDeletion', 'PutKeyPolicy', 'EnableKeyRotation']) {
        expect(says(operation, { outcome, detail: { ...CREATED, policy: '{}' } })).toEqual({});
      }
    },
  );

  it('says nothing of another key, nor on behalf of another service', () => {
    expect(factsOf(stored(tell('DisableKey', { at: NOON })), OTHER_KEY)).toEqual({});
    expect(says('DisableKey', { service: 'elasticache' })).toEqual({});
  });

  it('an alias operation says nothing of the alias as if it were a key', () => {
    const alias = 'arn:aws:kms:eu-west-1:111122223333:alias/aws/ebs';
    expect(factsOf(stored(tell('CreateAlias', { at: NOON, otherKey: alias })), alias)).toEqual({});
  });

  it('takes the time and the id of the event into every fact', () => {
    const event = tell('EnableKeyRotation', { at: NOON });
    for (const fact of Object.values(factsOf(stored(event), KEY))) {
      expect(fact).toMatchObject({ at: NOON, origin: event.eventId });
    }
  });
});

describe('CreateKey', () => {
  it('states the metadata, the default policy, rotation off and the age of the material', () => {
    expect(says('CreateKey', { detail: { ...CREATED, tags: { team: 'a' } } })).toEqual({
      enabled: true,
      created: NOON - 500,
      manager: 'CUSTOMER',
      origin: 'AWS_KMS',
      keySpec: 'SYMMETRIC_DEFAULT',
      keyUsage: 'ENCRYPT_DECRYPT',
      multiRegion: false,
      description: 'orders',
      'rotationEnabled?': false,
      lastRotated: NOON - 500,
      policy: null,
      policyOmitted: false,
      tags: { team: 'a' },
    });
  });

  it('never takes an omitted policy for the default one', () => {
    const facts = says('CreateKey', { detail: { ...CREATED, policyOmitted: true } });
    expect(facts).toMatchObject({ policyOmitted: true });
    expect(facts).not.toHaveProperty('policy');
    expect(says('CreateKey')).not.toHaveProperty('policy');
  });

  it('of an EXTERNAL key makes no key material: it waits for import and is as old as its first import', () => {
    const metadata = { ...CREATED.metadata, origin: 'EXTERNAL', keyState: 'PendingImport', enabled: false };
    const facts = says('CreateKey', { detail: { ...CREATED, metadata } });
    expect(facts).toMatchObject({ material: null, enabled: true, origin: 'EXTERNAL' });
    expect(facts).not.toHaveProperty('lastRotated');
    expect(facts).not.toHaveProperty('rotationEnabled?');
  });

  it('of a replica does not know the policy or the age of the material', () => {
    const metadata = {
      ...CREATED.metadata,
      multiRegion: true,
      multiRegionKeyType: 'REPLICA',
      primaryKeyArn: PRIMARY,
      keyState: 'Creating',
      enabled: false,
    };
    const facts = says('CreateKey', { detail: { ...CREATED, metadata } }, REPLICA);
    expect(facts).toMatchObject({ multiRegionKeyType: 'REPLICA', primaryKeyArn: PRIMARY, enabled: true });
    for (const register of ['policy', 'policyOmitted', 'lastRotated', 'rotationEnabled?']) expect(facts).not.toHaveProperty(register);
  });

  it('without a key spec is of a symmetric key only where the response tells that the key encrypts', () => {
    const old = { keyUsage: 'ENCRYPT_DECRYPT', origin: 'AWS_KMS' };
    expect(says('CreateKey', { detail: { metadata: old } })).toMatchObject({ 'keySpec?': 'SYMMETRIC_DEFAULT' });
    expect(says('CreateKey', { detail: { metadata: { keyUsage: 'SIGN_VERIFY' } } })).not.toHaveProperty('keySpec?');
    expect(says('CreateKey', { detail: { metadata: { ...old, keySpec: 'RSA_4096' } } })).toMatchObject({ keySpec: 'RSA_4096' });
  });
});

describe('multi-Region keys', () => {
  const replicate = {
    key: PRIMARY,
    otherKey: REPLICA,
    detail: { replicaRegion: 'us-east-1', policy: '{"a":1}', metadata: { ...CREATED.metadata, keyState: 'Creating', enabled: false } },
  };

  it('ReplicateKey tells of both keys', () => {
    expect(says('ReplicateKey', replicate, PRIMARY)).toEqual({
      multiRegion: true,
      multiRegionKeyType: 'PRIMARY',
      primaryKeyArn: PRIMARY,
      'enabled?': true,
    });
    const replica = plain(factsOf(stored(tell('ReplicateKey', { at: NOON, ...replicate })), REPLICA));
    expect(replica).toMatchObject({
      multiRegion: true,
      multiRegionKeyType: 'REPLICA',
      primaryKeyArn: PRIMARY,
      enabled: true,
      origin: 'AWS_KMS',
      policy: '{"a":1}',
    });
    expect(replica).not.toHaveProperty('lastRotated');
  });

  it('UpdatePrimaryRegion swaps the roles, in either of its two records', () => {
    const detail = { primaryRegion: 'us-east-1' };
    expect(says('UpdatePrimaryRegion', { detail }, PRIMARY)).toMatchObject({ multiRegionKeyType: 'REPLICA', primaryKeyArn: REPLICA });
    expect(says('UpdatePrimaryRegion', { detail }, REPLICA)).toMatchObject({ multiRegionKeyType: 'PRIMARY', primaryKeyArn: REPLICA });
    expect(says('UpdatePrimaryRegion', {}, PRIMARY)).toEqual({});
  });

  it('a successful EnableKeyRotation on a multi-Region id shows the primary key', () => {
    expect(says('EnableKeyRotation', {}, PRIMARY)).toMatchObject({ 'multiRegion?': true, 'multiRegionKeyType?': 'PRIMARY' });
  });
});

describe('merging', () => {
  const told = (operation: string, telling: Telling): KeyFacts => factsOf(stored(tell(operation, telling)), KEY);

  it('keeps the later fact whichever way round', () => {
    const [off, on] = [told('DisableKey', { at: NOON }), told('EnableKey', { at: NOON + 1000 })];
    expect(mergeFacts(off, on).enabled?.value).toBe(true);
    expect(mergeFacts(on, off).enabled?.value).toBe(true);
  });

  it('breaks ties of time by the stored form of the event id, not by its text', () => {
    // As text "z…" is last; hashed it comes before the canonical id.
    const odd = told('DisableKey', { at: NOON, id: 'z-34' });
    const canonical = told('EnableKey', { at: NOON, id: 'ffffffff-0000-4000-8000-000000000000' });
    expect(mergeFacts(odd, canonical).enabled?.value).toBe(true);
    expect(mergeFacts(canonical, odd).enabled?.value).toBe(true);
  });

  it('breaks ties of two tellings of one event by value, whatever order the fields come back in', () => {
    const tellings = [
      { pendingWindowInDays: 9, deletionDate: 1 },
      { pendingWindowInDays: 7, deletionDate: 2 },
    ];
    const [a, b] = tellings.map((detail) => told('ScheduleKeyDeletion', { at: NOON, id: 'same', detail })) as [KeyFacts, KeyFacts];
    const reversed = ({ deletion }: KeyFacts): KeyFacts => ({
      deletion: { ...deletion!, value: Object.fromEntries(Object.entries(deletion!.value!).reverse()) as never },
    });
    const stands = mergeFacts(a, b);
    for (const [x, y] of [
      [b, a],
      [reversed(a), reversed(b)],
      [reversed(b), reversed(a)],
      [reversed(a), b],
      [a, reversed(b)],
    ] as const) {
      expect(mergeFacts(x, y)).toEqual(stands);
    }
  });

  it('never lets an inferred fact stand before a stated one, however late it is', () => {
    const off = told('DisableKey', { at: NOON });
    const later = told('DisableKeyRotation', { at: NOON + DAY });
    expect(mergeFacts(off, later).enabled).toMatchObject({ value: false, at: NOON });
    expect(mergeFacts(later, off).enabled).toMatchObject({ value: false, at: NOON });
  });

  it('an automatic rotation shows that rotation is on, unless it was switched off by a call', () => {
    const created = told('CreateKey', { at: NOON, detail: CREATED });
    const rotated = told('RotateKey', { at: NOON + 365 * DAY, detail: { rotationType: 'AUTOMATIC' } });
    const off = told('DisableKeyRotation', { at: NOON + 300 * DAY });
    expect(mergeFacts(rotated, created).rotationEnabled?.value).toBe(true);
    expect(mergeFacts(mergeFacts(rotated, off), created).rotationEnabled?.value).toBe(false);
  });

  it('the first import makes the material, importing the same again does not make it newer', () => {
    const [first, second] = [told('ImportKeyMaterial', { at: NOON }), told('ImportKeyMaterial', { at: NOON + DAY })];
    expect(mergeFacts(second, first).lastRotated?.value).toBe(NOON);
    const renewed = told('ImportKeyMaterial', { at: NOON + 2 * DAY, detail: { importType: 'NEW_KEY_MATERIAL' } });
    expect(mergeFacts(mergeFacts(renewed, second), first).lastRotated?.value).toBe(NOON + 2 * DAY);
  });

  it('keeps one register a tag, also for names that mean something to JavaScript', () => {
    const names = JSON.parse('{"__proto__":"a","constructor":"b","team":"c"}') as Record<string, string>;
    const tagged = told('TagResource', { at: NOON, detail: { tags: names } });
    const untagged = told('UntagResource', { at: NOON + 1000, detail: { tagKeys: ['team'] } });
    const { tags = {} } = mergeFacts(untagged, tagged);
    expect(Object.entries(tags).map(([name, fact]) => [name, fact.value])).toEqual([
      ['__proto__', 'a'],
      ['constructor', 'b'],
      ['team', null],
    ]);
    expect(Object.getPrototypeOf(tags)).toBe(Object.prototype);
    expect(({} as Record<string, unknown>)['team']).toBeUndefined();
  });

  it('bounds the number of tags without depending on their order of arrival', () => {
    const many = (from: number): EventDetail => ({
      tags: Object.fromEntries(Array.from({ length: 400 }, (_, i) => [`t${from + i}`, 'x'])),
    });
    const [a, b] = [told('TagResource', { at: NOON, detail: many(1000) }), told('TagResource', { at: NOON, detail: many(1400) })];
    expect(Object.keys(mergeFacts(a, b).tags ?? {})).toHaveLength(500);
    expect(mergeFacts(a, b)).toEqual(mergeFacts(b, a));
  });

  it('writes equal facts as equal text', () => {
    const parts = [
      told('CreateKey', { at: NOON, detail: CREATED }),
      told('PutKeyPolicy', { at: NOON + 1, detail: { policy: '{}' } }),
      told('DisableKey', { at: NOON + 2 }),
    ];
    const [a, b, c] = parts as [KeyFacts, KeyFacts, KeyFacts];
    expect(JSON.stringify(mergeFacts(c, mergeFacts(b, a)))).toBe(JSON.stringify(mergeFacts(mergeFacts(a, b), c)));
    expect(JSON.stringify(mergeFacts(a, a))).toBe(JSON.stringify(a));
  });
});

describe('the timeline', () => {
  it('puts events in order and tells what was known before and after each; failed calls change nothing', () => {
    const events = [
      tell('CancelKeyDeletion', { at: NOON + 3000 }),
      tell('ScheduleKeyDeletion', { at: NOON + 1000 }),
      tell('EnableKey', { at: NOON + 2000, outcome: 'pending-deletion' }),
      tell('CreateKey', { at: NOON, detail: CREATED }),
    ].map(stored);
    const steps = foldTimeline(events, KEY);
    expect(steps.map(({ event, before, after }) => [event.operation, stateOf(before), stateOf(after)])).toEqual([
      ['CreateKey', null, 'Enabled'],
      ['ScheduleKeyDeletion', 'Enabled', 'PendingDeletion'],
      ['EnableKey', 'PendingDeletion', 'PendingDeletion'],
      ['CancelKeyDeletion', 'PendingDeletion', 'Disabled'],
    ]);
    expect(events[0]?.operation).toBe('CancelKeyDeletion');
  });

  it('follows an imported key: waiting, imported, disabled, material gone, imported again and enabled by that', () => {
    const metadata = { ...CREATED.metadata, origin: 'EXTERNAL', keyState: 'PendingImport', enabled: false };
    const operations = [
      'CreateKey',
      'ImportKeyMaterial',
      'DisableKey',
      'DeleteImportedKeyMaterial',
      'ImportKeyMaterial',
      'DeleteExpiredKeyMaterial',
    ];
    const events = operations.map((operation, i) => stored(tell(operation, { at: NOON + i * 1000, detail: i === 0 ? { metadata } : {} })));
    expect(foldTimeline(events, KEY).map(({ after }) => stateOf(after))).toEqual([
      'PendingImport',
      'Enabled',
      'Disabled',
      'PendingImport',
      'Enabled',
      'PendingImport',
    ]);
  });

  it('takes an event that names an alias for the key it was resolved to', () => {
    const event = stored(tell('DisableKey', { at: NOON, key: 'arn:aws:kms:eu-west-1:111122223333:alias/orders' }));
    expect(foldTimeline([event], KEY).at(-1)?.after.enabled?.value).toBe(false);
  });
});
