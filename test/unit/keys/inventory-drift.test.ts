import { describe, expect, test } from 'vitest';
import { DAY, HOUR } from '../../../services/core/clock.ts';
import type { InventoryFacts } from '../../../services/core/inventory.ts';
import type { Fact, KeyFacts } from '../../../services/core/key.ts';
import { type Compared, driftOf } from '../../../services/keys/inventory-drift.ts';

const T = Date.UTC(2026, 4, 1);
const ACCOUNT = '111122223333';

const told = <V>(value: V, at = T - 10 * DAY): Fact<V> => ({ value, at, origin: 'e1' });
const answer = <V>(value: V, asOf = T) => ({ value, at: asOf, origin: 'inventory:1', asOf });

function compare(events: KeyFacts, inventory: InventoryFacts, more: Partial<Compared> = {}): (readonly [string, unknown, unknown])[] {
  const drifts = driftOf({ account: ACCOUNT, events, inventory, asOf: T, aliases: null, watchedSince: T - 100 * DAY, ...more });
  return drifts.map(({ fact, events: e, inventory: i }) => [fact, e.value, i.value]);
}

describe('a difference', () => {
  test.each<[string, KeyFacts, InventoryFacts, unknown]>([
    ['in being enabled', { enabled: told(true) }, { enabled: answer(false) }, ['enabled', true, false]],
    ['in rotation', { rotationEnabled: told(false) }, { rotationEnabled: answer(true) }, ['rotation', 'off', 'on']],
    [
      'in the period of rotation',
      { rotationEnabled: told(true), rotationPeriodDays: told(90) },
      { rotationEnabled: answer(true), rotationPeriodDays: answer(365) },
      ['rotation', 'every 90 days', 'every 365 days'],
    ],
    [
      'in a rotation that no event tells of',
      { lastRotated: told(T - 9 * DAY) },
      { lastRotated: answer(T - DAY) },
      expect.arrayContaining(['rotation']),
    ],
    [
      'in a deletion that no event tells of',
      { created: told(T - 20 * DAY) },
      { deletion: answer({ date: T + DAY, windowDays: 30, waitsForReplicas: false }) },
      ['deletion', 'none', 'pending until 2026-05-02T00:00:00.000Z'],
    ],
    [
      'in a deletion that was cancelled',
      { deletion: told({ date: T + DAY, windowDays: 7, waitsForReplicas: false }) },
      { deletion: answer(null) },
      ['deletion', 'pending until 2026-05-02T00:00:00.000Z', 'none'],
    ],
    ['in a deletion that was not', { deleted: told(true as const) }, { deletion: answer(null) }, ['deletion', 'deleted', 'none']],
    ['in a key that is gone', { enabled: told(true) }, { deleted: answer(true as const) }, ['deletion', 'none', 'deleted']],
    [
      'in material',
      { material: told(null) },
      { material: answer({ validTo: null, materialId: null }) },
      ['material', 'absent', 'present, does not expire'],
    ],
  ])('%s is one', (_, events, inventory, expected) => expect(compare(events, inventory)).toEqual([expected]));

  test('between policies shows neither of them', () => {
    const [drift] = compare({ policy: told('{"a":"SECRET"}') }, { policy: answer('{"b":"SECRET"}') });
    expect(drift).toEqual([
      'policy',
      expect.stringMatching(/^policy of 14 characters, sha256 [0-9a-f]{16}$/),
      expect.stringMatching(/^policy of 14/),
    ]);
  });

  test('between aliases is one', () => {
    expect(compare({}, {}, { aliases: { events: ['alias/b', 'alias/a'], listed: ['alias/a'], asOf: T } })).toEqual([
      ['alias', ['alias/a', 'alias/b'], ['alias/a']],
    ]);
    expect(compare({}, {}, { aliases: { events: ['alias/b', 'alias/a'], listed: ['alias/a', 'alias/b'], asOf: T } })).toEqual([]);
  });
});

describe('no difference', () => {
  test.each<[string, KeyFacts, InventoryFacts]>([
    [
      'is what events do not speak of',
      {},
      { enabled: answer(false), rotationEnabled: answer(true), policy: answer('{}'), material: answer(null) },
    ],
    ['is an answer of an earlier reading', { enabled: told(true) }, { enabled: answer(false, T - DAY) }],
    ['is what is not answered', { enabled: told(true), policy: told('{}') }, {}],
    [
      'is a deletion of a key of which no event tells',
      {},
      { deletion: answer({ date: T + DAY, windowDays: 30, waitsForReplicas: false }) },
    ],
    ['is the end of a key of which no event tells', {}, { deleted: answer(true as const) }],
    [
      'is a date that is reckoned',
      { deletion: told({ date: T + DAY, windowDays: 7, waitsForReplicas: false }) },
      { deletion: answer({ date: T + DAY + 5 * HOUR, windowDays: 30, waitsForReplicas: false }) },
    ],
    ['is a rotation told a little later', { lastRotated: told(T - 9 * DAY) }, { lastRotated: answer(T - 9 * DAY + 60_000) }],
    ['is a rotation that only events tell of', { lastRotated: told(T - DAY) }, { lastRotated: answer(T - 400 * DAY) }],
    [
      'is the rotation of a replica',
      { rotationEnabled: told(false) },
      { rotationEnabled: answer(true), multiRegionKeyType: answer('REPLICA') },
    ],
    ['is the rotation of a key of AWS', { rotationEnabled: told(false) }, { rotationEnabled: answer(true), manager: answer('AWS') }],
    [
      'is a policy of which the record did not tell',
      { policy: told('{"a":1}', T - 9 * DAY), policyOmitted: told(true, T - 2 * DAY) },
      { policy: answer('{}') },
    ],
  ])('%s', (_, events, inventory) => expect(compare(events, inventory)).toEqual([]));
});

describe('a key of whose making no event tells', () => {
  const made = (at: number): InventoryFacts => ({ created: answer(at), manager: answer('CUSTOMER') });

  test('was missed when it is younger than the first event', () => {
    expect(compare({}, made(T - 99 * DAY))).toMatchObject([['creation', null, expect.any(String)]]);
    expect(compare({}, made(T - 101 * DAY))).toEqual([]);
    expect(compare({}, made(T - DAY), { watchedSince: null })).toEqual([]);
    expect(compare({}, { ...made(T - DAY), manager: answer('AWS') })).toEqual([]);
    expect(compare({ created: told(T - DAY) }, made(T - DAY))).toEqual([]);
  });
});
