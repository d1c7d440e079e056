import { describe, expect, it } from 'vitest';
import { aliasOf, aliasTargetAt, aliasTimeline } from '../../../services/keys/alias.ts';
import { ALIAS, KEY, OTHER_KEY, stored, tell } from './fabricate.ts';

const OTHER_ALIAS = 'arn:aws:kms:eu-west-1:111122223333:alias/payments';

const EVENTS = [
  tell('DeleteAlias', { at: 400, otherKey: ALIAS }),
  tell('UpdateAlias', { at: 200, key: OTHER_KEY, otherKey: ALIAS }),
  tell('UpdateAlias', { at: 150, key: OTHER_KEY, otherKey: ALIAS, outcome: 'denied' }),
  tell('CreateAlias', { at: 120, key: OTHER_KEY, otherKey: OTHER_ALIAS }),
  tell('CreateAlias', { at: 100, otherKey: ALIAS }),
  tell('DisableKey', { at: 130 }),
].map(stored);

describe('alias timeline', () => {
  const timeline = aliasTimeline(EVENTS, ALIAS);

  it('tells in event order where the alias pointed before and after; a failed call moves nothing', () => {
    expect(timeline.map(({ event, before, after }) => [event.operation, event.eventTime, before, after])).toEqual([
      ['CreateAlias', 100, null, KEY],
      ['UpdateAlias', 150, KEY, KEY],
      ['UpdateAlias', 200, KEY, OTHER_KEY],
      ['DeleteAlias', 400, OTHER_KEY, null],
    ]);
  });

  it.each([
    [99, null],
    [100, KEY],
    [199, KEY],
    [200, OTHER_KEY],
    [399, OTHER_KEY],
    [400, null],
    [9999, null],
  ])('as of %i it points to %s', (at, target) => {
    expect(aliasTargetAt(timeline, at)).toBe(target);
  });

  it('of an unknown alias points nowhere', () => {
    expect(aliasTargetAt([], 100)).toBeNull();
  });

  it('takes the last of several moves within one moment', () => {
    const moves = [
      tell('UpdateAlias', { at: 100, id: 'ffffffff-0000-4000-8000-000000000000', key: OTHER_KEY, otherKey: ALIAS }),
      tell('UpdateAlias', { at: 100, id: '00000000-0000-4000-8000-000000000000', otherKey: ALIAS }),
    ].map(stored);
    expect(aliasTargetAt(aliasTimeline(moves, ALIAS), 100)).toBe(OTHER_KEY);
  });
});

describe('aliasOf', () => {
  it('is the alias of alias operations only, KMS ones', () => {
    expect(aliasOf(tell('CreateAlias', { at: 1, otherKey: ALIAS }))?.arn).toBe(ALIAS);
    expect(aliasOf(tell('DeleteAlias', { at: 1, key: ALIAS }))?.arn).toBe(ALIAS);
    expect(aliasOf(tell('Decrypt', { at: 1, key: ALIAS }))).toBeNull();
    expect(aliasOf(tell('ReEncrypt', { at: 1, otherKey: ALIAS }))).toBeNull();
    expect(aliasOf(tell('CreateAlias', { at: 1, service: 'lambda', otherKey: ALIAS }))).toBeNull();
    expect(aliasOf(tell('CreateAlias', { at: 1, otherKey: null }))).toBeNull();
  });
});
