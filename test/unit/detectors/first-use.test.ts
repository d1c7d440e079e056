import { describe, expect, test } from 'vitest';
import { DAY } from '../../../services/core/clock.ts';
import type { KeySubject, KeyUse } from '../../../services/detectors/contract.ts';
import { firstUses } from '../../../services/detectors/first-use.ts';

const START = Date.UTC(2026, 0, 1);
const MEMORY = 90 * DAY;

const use = (name: string, firstDay: number, lastDay: number, more: Partial<KeyUse> = {}): KeyUse => ({
  actor: { type: 'role', id: `arn:aws:iam::111122223333:role/${name}`, account: '111122223333', name },
  operationClass: 'use',
  outcome: 'ok',
  count: 1,
  firstAt: START + firstDay * DAY,
  firstEventId: `first-${name}`,
  lastAt: START + lastDay * DAY,
  lastEventId: `last-${name}`,
  ...more,
});

const subject = (uses: readonly KeyUse[]): KeySubject => ({
  kind: 'key',
  arn: 'arn:aws:kms:eu-west-1:111122223333:key/0d8f6a52-7c1e-4b93-9f25-6e3a1c47b8d0',
  account: '111122223333',
  region: 'eu-west-1',
  facts: {},
  timeline: [],
  uses,
  failures: [],
  aliases: [],
  protectsLogs: false,
});

describe('firstUses', () => {
  test('counts who was known at each first use', () => {
    const { firsts } = firstUses(subject([use('c', 100, 100), use('a', 0, 120), use('b', 40, 50)]), MEMORY);
    expect(firsts.map(({ use: { actor }, known, joined }) => [actor.name, known, joined])).toEqual([
      ['a', 0, 0],
      ['b', 1, 1],
      ['c', 2, 1],
    ]);
  });

  test('forgets who has been silent for longer than the memory', () => {
    const { firsts } = firstUses(subject([use('a', 0, 5), use('b', 200, 200)]), MEMORY);
    expect(firsts[1]).toMatchObject({ known: 0, joined: 0, lastJoinedAt: START });
  });

  test('failed calls and calls that only read or administer make no user; only calls that use the key begin its history', () => {
    const uses = [use('admin', 0, 0, { operationClass: 'control' }), use('denied', 1, 9, { outcome: 'denied' }), use('app', 30, 30)];
    const history = firstUses(subject(uses), MEMORY);
    expect(history.begin).toBe(START + DAY);
    expect(history.firsts.map((first) => [first.use.actor.name, first.known])).toEqual([['app', 0]]);
  });

  test('several rows of one actor are one user', () => {
    const history = firstUses(subject([use('a', 8, 9), use('a', 3, 4)]), MEMORY);
    expect(history.firsts).toHaveLength(1);
    expect(history.firsts[0]?.use).toMatchObject({ count: 2, firstAt: START + 3 * DAY, lastAt: START + 9 * DAY });
  });

  test('the order of rows does not matter, even for first uses at one moment', () => {
    const uses = [use('a', 3, 4), use('b', 3, 9), use('c', 3, 3)];
    expect(firstUses(subject(uses.toReversed()), MEMORY)).toEqual(firstUses(subject(uses), MEMORY));
  });
});
