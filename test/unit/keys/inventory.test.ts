import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DAY, MINUTE } from '../../../services/core/clock.ts';
import type { Answer, InventoryFacts, KeyAnswers, KeyDescription } from '../../../services/core/inventory.ts';
import type { KeyFacts } from '../../../services/core/key.ts';
import { inventoryFacts, withInventory } from '../../../services/keys/inventory.ts';
import { mergeFacts } from '../../../services/keys/merge.ts';
import { rotationOf } from '../../../services/keys/rotation.ts';
import { stateOf } from '../../../services/keys/state.ts';

const ACCOUNT = '111122223333';
const ARN = `arn:aws:kms:eu-west-1:${ACCOUNT}:key/k`;
const T = Date.UTC(2026, 4, 1, 12, 0, 0, 700);

const said = <V>(value: V, at = T): Answer<V> => ({ kind: 'answered', at, value });
const refused: Answer<never> = { kind: 'unread', at: T + DAY, reason: 'access-denied', message: 'no' };

const symmetric: KeyDescription = {
  state: 'Enabled',
  created: T - 100 * DAY,
  manager: 'CUSTOMER',
  origin: 'AWS_KMS',
  keySpec: 'SYMMETRIC_DEFAULT',
  keyUsage: 'ENCRYPT_DECRYPT',
  description: '',
  multiRegion: false,
  multiRegionKeyType: null,
  primaryKeyArn: null,
  customKeyStoreId: null,
  deletionDate: null,
  pendingWindowDays: null,
  expires: false,
  validTo: null,
  materialId: 'm1',
};

function answers(description: Partial<KeyDescription>, more: Partial<KeyAnswers> = {}): KeyAnswers {
  const nothing = { rotation: null, lastRotation: null, policy: null, grants: null, tags: null, lastUsage: null };
  return { arn: ARN, describe: said({ ...symmetric, ...description }), ...nothing, ...more };
}

function facts(told: KeyAnswers, previous: InventoryFacts | null = null, run = 1): InventoryFacts {
  return inventoryFacts(told, { previous, origin: `inventory:${run}`, account: ACCOUNT });
}

describe('answers as facts', () => {
  test.each([
    [{ state: 'Enabled' }, 'Enabled'],
    [{ state: 'Disabled' }, 'Disabled'],
    [{ state: 'PendingDeletion', deletionDate: T + 9 * DAY }, 'PendingDeletion'],
    [{ state: 'PendingReplicaDeletion', pendingWindowDays: 14 }, 'PendingReplicaDeletion'],
    [{ state: 'PendingImport', origin: 'EXTERNAL' }, 'PendingImport'],
    [{ state: 'Enabled', origin: 'EXTERNAL' }, 'Enabled'],
    [{ state: 'Unavailable', origin: 'AWS_CLOUDHSM' }, null],
    [{ state: 'Creating' }, 'Enabled'],
    [{ state: 'Updating' }, null],
  ])('DescribeKey %j makes state %s', (description, state) => {
    expect(stateOf(withInventory({}, facts(answers(description)), ACCOUNT))).toBe(state);
  });

  test('a key that is pending deletion does not tell whether it is enabled, has material or rotates', () => {
    const told = facts(answers({ state: 'PendingDeletion', origin: 'EXTERNAL', deletionDate: T + DAY }));
    expect([told.enabled, told.material, told.rotationEnabled]).toEqual([undefined, undefined, undefined]);
  });

  test('imported material has the expiry that is told, or none', () => {
    const external = { origin: 'EXTERNAL', validTo: T + DAY };
    expect(facts(answers({ ...external, expires: true })).material?.value).toEqual({ validTo: T + DAY, materialId: 'm1' });
    expect(facts(answers({ ...external, expires: false })).material?.value).toEqual({ validTo: null, materialId: 'm1' });
    expect(facts(answers({})).material).toBeUndefined();
  });

  test('a key without rotations has the material that it was made with, unless that was imported or is its primary’s', () => {
    const none = { lastRotation: said(null) };
    expect(facts(answers({}, none)).lastRotated?.value).toBe(symmetric.created);
    expect(facts(answers({}, { lastRotation: said(T - DAY) })).lastRotated?.value).toBe(T - DAY);
    expect(facts(answers({ origin: 'EXTERNAL' }, none)).lastRotated).toBeUndefined();
    expect(facts(answers({ multiRegion: true, multiRegionKeyType: 'REPLICA' }, none)).lastRotated).toBeUndefined();
    expect(facts(answers({}, { lastRotation: refused })).lastRotated).toBeUndefined();
  });

  test('answers alone are enough to know whether a key can rotate', () => {
    const told = facts(answers({}, { rotation: said({ enabled: false, periodDays: null }) }));
    expect(rotationOf(withInventory({}, told, ACCOUNT)).eligible).toBe(true);
    expect(rotationOf(withInventory({}, facts(answers({ manager: 'AWS' })), ACCOUNT)).eligible).toBe(false);
  });

  test('the same answer again is known since the first, by the run that first gave it', () => {
    const first = facts(answers({}, { rotation: said({ enabled: true, periodDays: 90 }) }));
    const again = facts(
      answers({}, { describe: said(symmetric, T + DAY), rotation: said({ enabled: true, periodDays: 200 }, T + DAY) }),
      first,
      2,
    );
    expect(again.rotationEnabled).toEqual({ value: true, at: T, origin: 'inventory:1', asOf: T + DAY });
    expect(again.rotationPeriodDays).toEqual({ value: 200, at: T + DAY, origin: 'inventory:2', asOf: T + DAY });
    const off = facts(answers({}, { rotation: said({ enabled: false, periodDays: null }, T + 2 * DAY) }), again, 3);
    expect(off.rotationEnabled).toMatchObject({ value: false, at: T + 2 * DAY });
    expect(off.rotationPeriodDays).toBeUndefined();
  });

  test('a refusal leaves what was answered before; a new description leaves nothing of the old', () => {
    const first = facts(answers({ customKeyStoreId: 'cks-1' }, { policy: said('{}'), tags: said([['team', 'a']]) }));
    const refusedAll = facts(answers({}, { describe: refused, policy: refused, tags: refused }), first, 2);
    expect(refusedAll).toEqual(first);
    const described = facts(answers({}, { describe: said(symmetric, T + DAY), policy: refused }), first, 2);
    expect(described.customKeyStoreId).toBeUndefined();
    expect(described.policy).toEqual(first.policy);
    expect(described.tags).toEqual(first.tags);
  });

  test('a key that is gone keeps what was known of it, and lives again when it is described again', () => {
    const gone = facts(answers({}, { describe: { kind: 'gone', at: T + DAY } }), facts(answers({})));
    expect(stateOf(withInventory({}, gone, ACCOUNT))).toBe('Deleted');
    expect(gone.keySpec?.value).toBe('SYMMETRIC_DEFAULT');
    expect(stateOf(withInventory({}, facts(answers({}, { describe: said(symmetric, T + 2 * DAY) }), gone, 2), ACCOUNT))).toBe('Enabled');
  });

  test('tags of any name are tags', () => {
    const told = facts(
      answers(
        {},
        {
          tags: said([
            ['__proto__', 'x'],
            ['constructor', 'y'],
          ]),
        },
      ),
    );
    expect(Object.entries(withInventory({}, told, ACCOUNT).tags ?? {}).map(([name, { value }]) => [name, value])).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ]);
  });
});

describe('events and answers', () => {
  const told = facts(answers({ state: 'Disabled' }, { rotation: said({ enabled: false, periodDays: null }), tags: said([['kept', 'b']]) }));
  const event = <V>(value: V, at: number, more: object = {}) => ({ value, at, origin: 'e1', ...more });

  test('of the second of the answer the event stands: it may have come after', () => {
    const second = Math.floor(T / 1000) * 1000;
    expect(withInventory({ enabled: event(true, second) }, told, ACCOUNT).enabled).toMatchObject({ value: true, origin: 'e1' });
    expect(withInventory({ enabled: event(true, second - 1000) }, told, ACCOUNT).enabled).toEqual({
      value: false,
      at: T,
      origin: 'inventory:1',
    });
  });

  test('an answer that an earlier event contradicts holds from its last confirmation only', () => {
    const again = facts(answers({ state: 'Disabled' }, { describe: said({ ...symmetric, state: 'Disabled' }, T + 2 * DAY) }), told, 2);
    expect(withInventory({ enabled: event(true, T - DAY) }, again, ACCOUNT).enabled).toMatchObject({ value: false, at: T });
    expect(withInventory({ enabled: event(true, T + DAY) }, again, ACCOUNT).enabled).toMatchObject({ value: false, at: T + 2 * DAY });
  });

  test('what only follows from a call gives way to an answer, as it does to an event', () => {
    expect(withInventory({ enabled: event(true, T + DAY, { inferred: true }) }, told, ACCOUNT).enabled?.value).toBe(false);
  });

  test('tags that are not listed are gone, but for those of later events', () => {
    const tags = {
      old: event('a', T - DAY),
      kept: event('b', T - DAY),
      later: event('c', T + DAY),
      cut: event<string | null>(null, T - DAY),
    };
    expect(withInventory({ tags }, told, ACCOUNT).tags).toMatchObject({
      old: { value: null, origin: 'inventory:1' },
      kept: { value: 'b', origin: 'e1' },
      later: { value: 'c' },
      cut: { value: null, origin: 'e1' },
    });
  });

  test('a key that is described long after its deletion was told was not deleted', () => {
    expect(withInventory({ deleted: event(true as const, T - DAY) }, told, ACCOUNT).deleted).toBeUndefined();
    expect(withInventory({ deleted: event(true as const, T - MINUTE) }, told, ACCOUNT).deleted).toBeDefined();
    expect(withInventory({ deleted: event(true as const, T + DAY) }, told, ACCOUNT).deleted).toBeDefined();
  });

  const fact = <V>(value: fc.Arbitrary<V>) =>
    fc.option(
      fc.record({ value, at: fc.integer({ min: -5, max: 5 }).map((n) => T - (T % 1000) + n * DAY), origin: fc.constantFrom('e1', 'e2') }),
      { nil: undefined },
    );
  const eventFacts: fc.Arbitrary<KeyFacts> = fc.record({
    enabled: fact(fc.boolean()),
    rotationEnabled: fact(fc.boolean()),
    rotationPeriodDays: fact(fc.constantFrom(90, 365)),
    description: fact(fc.constantFrom('', 'x')),
  });

  test('say what merging by time says', () => {
    fc.assert(
      fc.property(eventFacts, fc.constantFrom('Enabled', 'Disabled'), fc.boolean(), (events, state, enabled) => {
        const inventory = facts(answers({ state }, { rotation: said({ enabled, periodDays: enabled ? 365 : null }) }));
        const together = withInventory(events, inventory, ACCOUNT);
        for (const register of ['enabled', 'rotationEnabled', 'rotationPeriodDays', 'description'] as const) {
          const answer = inventory[register];
          const merged = mergeFacts(events, answer === undefined ? {} : { [register]: { ...answer, at: answer.asOf - 1000 } });
          expect(together[register]?.value).toEqual(merged[register]?.value);
        }
      }),
    );
  });

  test('are the events alone where KMS was never asked', () => {
    fc.assert(
      fc.property(eventFacts, (events) => {
        expect(withInventory(events, null, ACCOUNT)).toBe(events);
      }),
    );
  });
});
