import { describe, expect, test } from 'vitest';
import { backoffMs } from '../../../services/alerts/backoff.ts';
import { DIGEST_EVERY_MS, meter } from '../../../services/alerts/flood.ts';
import { decide, type GroupSettings, type GroupState, type GroupView, NEW_GROUP } from '../../../services/alerts/group.ts';
import { mutedUntil, silenceState } from '../../../services/alerts/silence.ts';
import { DEFAULT_TIMING, timingOf } from '../../../services/alerts/timing.ts';
import { HOUR, MINUTE } from '../../../services/core/clock.ts';

const NOW = 1_000_000;
const TIMING = { groupWait: 30, groupInterval: 300, repeatInterval: 4_000 };
const settings: GroupSettings = { timing: () => TIMING, sendResolved: true, isEscalation: false };
const EMPTY: GroupView = {
  firing: 0,
  topRank: null,
  news: 0,
  newsRank: null,
  newsSince: null,
  over: 0,
  missed: 0,
  missedRank: null,
  unresolved: 0,
  ripensAt: null,
};
const firing = (count: number, rank = 2): Partial<GroupView> => ({ firing: count, topRank: rank, unresolved: count });
const news = (count: number, since: number, rank = 2): Partial<GroupView> => ({ news: count, newsRank: rank, newsSince: since });
const told = (ago: number, rank: number | null = 2): GroupState => ({ open: true, toldAt: NOW - ago, toldRank: rank, more: false });

describe('a decision', () => {
  const cases: [string, GroupState, Partial<GroupView>, Partial<GroupSettings>, [string, string | null, number | null]][] = [
    ['waits for the group wait', NEW_GROUP, { ...firing(1), ...news(1, NOW - 29) }, {}, ['group-wait', null, NOW + 1]],
    ['tells a new group', NEW_GROUP, { ...firing(1), ...news(1, NOW - 30) }, {}, ['new-group', 'new-group', NOW + 4_000]],
    ['tells nothing of an empty group', NEW_GROUP, {}, {}, ['nothing-fires', null, null]],
    ['tells nothing of what is acknowledged', NEW_GROUP, { unresolved: 3 }, {}, ['nothing-fires', null, null]],
    ['waits for what ripens', NEW_GROUP, { unresolved: 1, ripensAt: NOW + 7 }, {}, ['nothing-fires', null, NOW + 7]],
    ['tells what was missed at once', NEW_GROUP, { missed: 1, missedRank: 1 }, {}, ['new-group', 'new-group', null]],
    ['waits for the group interval', told(299), { ...firing(2), ...news(1, NOW) }, {}, ['group-interval', null, NOW + 1]],
    ['tells new alerts', told(300), { ...firing(2), ...news(1, NOW) }, {}, ['new-alerts', 'new-alerts', NOW + 4_000]],
    ['does not keep what is worse', told(1), { ...firing(2, 0), ...news(1, NOW - 30, 0) }, {}, ['new-alerts', 'new-alerts', NOW + 4_000]],
    ['keeps what is worse for the group wait', told(1), { ...firing(2, 0), ...news(1, NOW, 0) }, {}, ['group-interval', null, NOW + 30]],
    ['keeps what is as bad', told(1, 0), { ...firing(2, 0), ...news(1, NOW - 30, 0) }, {}, ['group-interval', null, NOW + 299]],
    ['tells that part is over', told(300), { ...firing(1), over: 1 }, {}, ['resolved', 'resolved', NOW + 4_000]],
    ['tells that all is over', told(300), { over: 2 }, {}, ['resolved', 'resolved', null]],
    ['waits before it tells that all is over', told(299), { over: 2 }, {}, ['group-interval', null, NOW + 1]],
    ['does not tell that it is over where nobody asks', told(300), { over: 2 }, { sendResolved: false }, ['resolved-unasked', null, null]],
    ['repeats', told(4_000), firing(1), {}, ['repeat', 'repeat', NOW + 4_000]],
    ['waits to repeat', told(3_999), firing(1), {}, ['repeat-interval', null, NOW + 1]],
    ['repeats nothing that is acknowledged', told(9_999), { unresolved: 1 }, {}, ['nothing-fires', null, null]],
    ['closes what nothing is left of', told(9_999), {}, {}, ['all-over', null, null]],
    ['escalates', NEW_GROUP, { ...firing(1), ...news(1, NOW - 30) }, { isEscalation: true }, ['escalated', 'escalated', NOW + 4_000]],
    ['goes on at once', { ...told(0), more: true }, { ...firing(80), ...news(30, NOW) }, {}, ['continued', 'new-alerts', NOW + 4_000]],
  ];
  test.each(cases)('%s', (_name, before, view, changed, [because, tell, wakeAt]) => {
    const decision = decide(before, { ...EMPTY, ...view }, { settings: { ...settings, ...changed }, now: NOW });
    expect([decision.because, decision.tell, decision.wakeAt]).toEqual([because, tell, wakeAt]);
  });

  test('opens a group with what it tells, and closes it when all is over', () => {
    const opened = decide(NEW_GROUP, { ...EMPTY, ...firing(1, 1), ...news(1, 0, 1) }, { settings, now: NOW }).state;
    expect(opened).toEqual({ open: true, toldAt: NOW, toldRank: 1, more: false });
    expect(decide({ ...opened, toldAt: 0 }, { ...EMPTY, over: 1 }, { settings, now: NOW }).state.open).toBe(false);
    expect(decide(NEW_GROUP, { ...EMPTY, missed: 1, missedRank: 0 }, { settings, now: NOW }).state.open).toBe(false);
  });
});

test('timing is by the most severe alert, and what the route says goes before it', () => {
  expect(timingOf({}, 0)).toEqual(DEFAULT_TIMING.critical);
  expect(timingOf({}, 0).groupWait).toBe(0);
  expect(timingOf({}, 1).groupWait).toBe(0);
  expect(timingOf({ groupWait: 7 }, 4)).toEqual({ ...DEFAULT_TIMING.info, groupWait: 7 });
});

describe('a flood', () => {
  const at = (now: number) => ({ perMinute: 20, now, isUndelivered: false });

  test('begins when more groups are due than the rate allows, is told in one digest a minute, and ends by itself', () => {
    const calm = meter(null, 20, at(NOW));
    expect(calm.how).toBe('each');
    const more = meter(calm.state, 1, at(NOW));
    expect(more.how).toBe('digest');
    const held = meter(more.state, 1, at(NOW + 1_000));
    expect([held.how, held.until]).toEqual(['hold', NOW + DIGEST_EVERY_MS]);
    const again = meter(held.state, 500, at(NOW + DIGEST_EVERY_MS));
    expect(again.how).toBe('digest');
    expect(again.state.since).toBe(NOW);
    const over = meter(again.state, 12, at(NOW + 2 * DIGEST_EVERY_MS));
    expect(over.how).toBe('each');
    expect(over.state).toMatchObject({ since: null, tokens: 8 });
  });

  test('does not begin by what comes slowly', () => {
    let state = meter(null, 20, at(NOW)).state;
    for (let minute = 1; minute < 100; minute += 1) {
      const metered = meter(state, 20, at(NOW + minute * MINUTE));
      expect(metered.how).toBe('each');
      state = metered.state;
    }
  });

  test('makes no second digest while the first has not arrived', () => {
    const first = meter(null, 500, at(NOW));
    const waiting = meter(first.state, 500, { ...at(NOW + DIGEST_EVERY_MS), isUndelivered: true });
    expect(waiting.how).toBe('hold');
    expect(waiting.until).toBeGreaterThan(NOW + DIGEST_EVERY_MS);
  });

  test('is none for receivers without a limit', () => {
    expect(meter(null, 100_000, { perMinute: null, now: NOW, isUndelivered: false }).how).toBe('each');
  });
});

describe('a silence', () => {
  const silence = (operator: '=' | '=~', value: string, startsAt: number, endsAt: number) => ({
    id: 1,
    matchers: [{ name: 'severity', operator, value }] as const,
    author: 'ines',
    comment: 'why',
    createdAt: 0,
    startsAt,
    endsAt,
  });

  test('mutes from its start until before its end, and the last one to end counts', () => {
    const silences = [silence('=', 'low', 10, 20), silence('=~', 'low|info', 15, 30)];
    const mutedAt = (now: number) => ['low', 'info', 'high'].map((severity) => mutedUntil(silences, now)({ severity }));
    expect(mutedAt(9)).toEqual([null, null, null]);
    expect(mutedAt(10)).toEqual([20, null, null]);
    expect(mutedAt(15)).toEqual([30, 30, null]);
    expect(mutedAt(29)).toEqual([30, 30, null]);
    expect(mutedAt(30)).toEqual([null, null, null]);
    expect([9, 10, 20].map((now) => silenceState(silences[0]!, now))).toEqual(['pending', 'active', 'expired']);
  });

  test('that cannot be read, or says nothing, mutes nothing', () => {
    const broken = [silence('=~', '(', 0, 99), { ...silence('=', 'low', 0, 99), matchers: [] }];
    expect(mutedUntil(broken, 50)({ severity: 'low' })).toBe(null);
  });
});

describe('the wait before the next try', () => {
  test('doubles to five minutes, with jitter that is the same for the same try and differs between notifications', () => {
    for (let attempts = 1; attempts < 40; attempts += 1) {
      const full = Math.min(5 * MINUTE, 1_000 * 2 ** (attempts - 1));
      const waits = Array.from({ length: 50 }, (_, n) => backoffMs(`n${n}`, attempts));
      expect(Math.min(...waits)).toBeGreaterThanOrEqual(full / 2);
      expect(Math.max(...waits)).toBeLessThanOrEqual(full);
      expect(new Set(waits).size).toBeGreaterThan(30);
      expect(backoffMs('n1', attempts)).toBe(waits[1]);
    }
  });

  test('heeds what the receiver asks for, within an hour', () => {
    expect(backoffMs('n', 1, 30_000)).toBe(30_000);
    expect(backoffMs('n', 1, 7 * 24 * HOUR)).toBe(HOUR);
  });
});
