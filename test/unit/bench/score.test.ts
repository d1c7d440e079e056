import { describe, expect, test } from 'vitest';
import { Calendar, isOfStory, type Judge, NoiseCount, recognises, type Told } from '../../../bench/detection-quality/score.ts';
import { DAY, HOUR } from '../../../services/core/clock.ts';
import type { DerivedFinding } from '../../../services/core/finding.ts';

const START = Date.UTC(2026, 0, 1);
const KEY = 'arn:aws:kms:eu-west-1:111122223333:key/one';
const THIEF = 'arn:aws:iam::111122223333:role/thief';

const story: Told = {
  playbook: 'bulk-decrypt',
  variant: 'loud',
  startsAt: START + 40 * DAY,
  endsAt: START + 40 * DAY + HOUR,
  recognisableAt: START + 40 * DAY,
  expects: ['key-disabled', 'volume-spike', 'trail-stopped'],
  accounts: ['111122223333'],
  keys: [KEY],
  actors: [THIEF],
  aftermath: [],
  unseen: [],
  eventIds: new Set(['own-1', 'own-2']),
};

const judges: Record<string, Judge> = {
  'key-disabled': { id: 'key-disabled', kind: 'event', subject: 'key' },
  'volume-spike': { id: 'volume-spike', kind: 'baseline', subject: 'key' },
  'trail-stopped': { id: 'trail-stopped', kind: 'event', subject: 'account' },
  'source-silent': { id: 'source-silent', kind: 'absence', subject: 'account' },
};
const judgeOf = (detector: string): Judge => judges[detector] ?? (judges['key-disabled'] as Judge);

function finding(fields: Partial<DerivedFinding> = {}): DerivedFinding {
  return {
    id: 'f-1',
    detector: 'key-disabled',
    dedupKey: [],
    severity: 'high',
    title: 'something',
    open: true,
    resolvedAt: null,
    resolution: null,
    keyArn: KEY,
    actor: null,
    account: '111122223333',
    region: 'eu-west-1',
    firstSeen: story.startsAt,
    lastSeen: story.startsAt,
    occurrences: 1,
    evidence: ['own-1'],
    explanation: { what: 'what', why: 'why', benign: '', now: [] },
    details: {},
    ...fields,
  };
}

describe('a story is recognised', () => {
  const recognised = (fields: Partial<DerivedFinding>, told = story): boolean => {
    const found = finding(fields);
    return recognises(found, told, judgeOf(found.detector));
  };

  test('by an expected detector, on its key or actor, out of its own events', () => {
    expect(recognised({})).toBe(true);
    expect(recognised({ evidence: ['benign', 'own-2'] })).toBe(true);
    expect(recognised({ keyArn: null, actor: THIEF })).toBe(true);
  });

  test('by a detector of accounts in one of its accounts', () => {
    const inAccount = { detector: 'trail-stopped', keyArn: null };
    expect(recognised(inAccount)).toBe(true);
    expect(recognised({ ...inAccount, account: '444455556666' })).toBe(false);
    expect(recognised({ keyArn: null })).toBe(false);
  });

  test.each([
    ['other events on its key', { evidence: ['benign'] }],
    ['its own events on another key', { keyArn: `${KEY}-2` }],
    ['a detector that it does not expect', { detector: 'rotation-disabled' }],
    ['no evidence at all', { evidence: [] }],
  ])('not by %s', (_, fields) => {
    expect(recognised(fields)).toBe(false);
  });

  test('by volume when the unusual time lies in it, whichever events stand for it', () => {
    const volume = { detector: 'volume-spike', evidence: ['benign'], firstSeen: START + 10 * DAY };
    expect(recognised({ ...volume, lastSeen: story.startsAt + HOUR })).toBe(true);
    expect(recognised({ ...volume, lastSeen: story.startsAt - HOUR })).toBe(false);
    expect(recognised({ ...volume, lastSeen: story.endsAt + 2 * DAY })).toBe(false);
    expect(recognised({ ...volume, lastSeen: story.startsAt + HOUR, keyArn: `${KEY}-2` })).toBe(false);
  });

  test('by silence in an account that it blinds, not in others', () => {
    const unseen = [{ account: '999900001111', from: story.startsAt, to: story.endsAt + HOUR, kmsOnly: false }];
    const blinding: Told = { ...story, expects: ['source-silent'], unseen };
    const silence = { detector: 'source-silent', keyArn: null, evidence: [], lastSeen: story.endsAt + HOUR };
    expect(recognised({ ...silence, account: '999900001111' }, blinding)).toBe(true);
    expect(recognised({ ...silence, account: '444455556666' }, blinding)).toBe(false);
  });
});

describe('a finding is of a story', () => {
  test('that has made it, wherever and however late it stands', () => {
    const late = finding({ keyArn: `${KEY}-2`, firstSeen: START + 80 * DAY, lastSeen: START + 80 * DAY });
    expect(isOfStory(late, story, judgeOf('key-disabled'))).toBe(true);
  });

  test('on whose key or actor it falls while the story or what it does to others lasts, not before and not after', () => {
    const after = finding({ evidence: ['benign'], firstSeen: story.endsAt + 2 * DAY, lastSeen: story.endsAt + 2 * DAY });
    const before = finding({ evidence: ['benign'], firstSeen: START, lastSeen: START + DAY });
    const during = finding({ evidence: ['benign'] });
    const aftermath = [{ key: KEY, from: story.endsAt, to: story.endsAt + 3 * DAY, code: 'DisabledException', message: '' }];
    expect([after, before, during].map((each) => isOfStory(each, story, judgeOf('key-disabled')))).toEqual([false, false, true]);
    expect(isOfStory(after, { ...story, aftermath }, judgeOf('key-disabled'))).toBe(true);
  });
});

describe('account-days', () => {
  const period = { start: START, learnedDays: 30, days: 50, accounts: ['111122223333', '444455556666'] };

  test('are benign after learning, but for those of a story in its accounts', () => {
    expect(new Calendar({ ...period, stories: [] }).benignDays).toBe(40);
    const calendar = new Calendar({ ...period, stories: [{ ...story, endsAt: story.startsAt + DAY }] });
    expect(calendar.benignDays).toBe(38);
    expect([39, 40, 41, 42].map((day) => calendar.isBenign('111122223333', day))).toEqual([true, false, false, true]);
    expect(calendar.isBenign('444455556666', 40)).toBe(true);
    expect(calendar.isBenign('444455556666', 29)).toBe(false);
  });

  test('a story that blinds an account is under way there as well', () => {
    const unseen = [{ account: '444455556666', from: story.startsAt, to: story.startsAt + 2 * DAY, kmsOnly: true }];
    expect(new Calendar({ ...period, stories: [{ ...story, unseen }] }).isBenign('444455556666', 42)).toBe(false);
  });
});

describe('noise', () => {
  const other = { account: '444455556666', keyArn: `${KEY}-2`, evidence: ['benign'] };
  const counting = (): NoiseCount => {
    const calendar = new Calendar({
      start: START,
      learnedDays: 30,
      days: 50,
      accounts: ['111122223333', '444455556666'],
      stories: [story],
    });
    return new NoiseCount({ calendar, stories: [story], judges: new Map(Object.entries(judges)) });
  };
  const ids = (count: NoiseCount): string[] => count.noise.map(({ id }) => id);

  test('is every finding of a benign account-day, once, on the day on which it first stands, with the highest severity that it reaches', () => {
    const count = counting();
    count.take([finding({ ...other, severity: 'low' })], 35);
    count.take([finding({ ...other, severity: 'critical' }), finding({ ...other, id: 'f-2' })], 36);
    count.take([finding({ ...other, severity: 'medium' })], 37);
    expect(count.noise.map(({ id, day, severity }) => [id, day, severity])).toEqual([
      ['f-1', 35, 'critical'],
      ['f-2', 36, 'high'],
    ]);
  });

  test('counts again when it comes back after it was over, and not while it goes on', () => {
    const count = counting();
    const at = (day: number): number => START + day * DAY;
    count.take([finding({ ...other, lastSeen: at(31) })], 31);
    count.take([finding({ ...other, lastSeen: at(32) })], 32);
    count.take([finding({ ...other, lastSeen: at(32), open: false, resolvedAt: at(33) })], 33);
    count.take([finding({ ...other, lastSeen: at(32), open: false, resolvedAt: at(33) })], 34);
    expect(count.noise.map(({ day }) => day)).toEqual([31]);
    count.take([finding({ ...other, lastSeen: at(38) })], 38);
    expect(count.noise.map(({ day }) => day)).toEqual([31, 38]);
  });

  test('is not what stood before learning was over', () => {
    const count = counting();
    count.take([finding(other)], 29);
    count.take([finding(other)], 30);
    expect(ids(count)).toEqual([]);
  });

  test('is not a finding of a story, nor any that first stands in its account on its day', () => {
    const count = counting();
    count.take([finding({ ...other, id: 'made of its events', evidence: ['own-2'] })], 45);
    count.take([finding({ ...other, id: 'same day', account: '111122223333' })], 40);
    count.take(
      [finding({ ...other, id: 'same day, another account' }), finding({ ...other, id: 'day after', account: '111122223333' })],
      41,
    );
    expect(ids(count)).toEqual(['same day, another account', 'day after']);
  });

  test("counts findings about others' accounts as well", () => {
    const count = counting();
    count.take([finding({ ...other, account: '999900001111' })], 31);
    expect(ids(count)).toEqual(['f-1']);
  });
});
