import { describe, expect, test } from 'vitest';
import { HOUR, MINUTE } from '../../services/core/clock.ts';
import { createLogger } from '../../services/platform/logger.ts';
import { addSilence, expireSilence } from '../../services/store/silences.ts';
import { adoptRoutes } from '../../services/workers/notify.ts';
import { type AlertWorld, alertWorld, finding, told } from '../support/alerts.ts';

const SECOND = 1_000;

describe('a group', () => {
  test('is told once of what is new, and again of what comes, is over, or has been so for the repeat interval', async () => {
    await using world = await alertWorld({ route: { group_wait: '30s', group_interval: '5m', repeat_interval: '4h' } });
    await world.find('key:1', [finding('a')]);
    await world.work();
    expect(world.sent()).toEqual([]);
    await world.pass(10 * SECOND);
    await world.find('key:1', [finding('a'), finding('b', { severity: 'critical' })]);
    await world.pass(20 * SECOND);
    expect(world.sent().map(told)).toEqual([['new-group', 'firing', ['b open', 'a open'], 0]]);

    await world.find('key:1', [finding('a', { open: false }), finding('b', { severity: 'critical' }), finding('c')]);
    await world.pass(4 * MINUTE);
    expect(world.sent()).toHaveLength(1);
    await world.pass(MINUTE);
    expect(told(world.sent().at(-1)!)).toEqual(['new-alerts', 'firing', ['b open', 'c open', 'a resolved'], 0]);

    await world.pass(4 * HOUR - SECOND);
    expect(world.sent()).toHaveLength(2);
    await world.pass(SECOND);
    expect(told(world.sent().at(-1)!)).toEqual(['repeat', 'firing', ['b open', 'c open'], 0]);

    await world.find('key:1', [finding('a', { open: false })]);
    await world.pass(5 * MINUTE);
    expect(told(world.sent().at(-1)!)).toEqual(['resolved', 'resolved', ['b resolved', 'c resolved'], 0]);
    await world.pass(24 * HOUR);
    expect(world.sent()).toHaveLength(4);
    expect(await world.query('SELECT FROM alert')).toHaveLength(0);
    expect(new Set(world.sent().map(({ groupKey }) => groupKey)).size).toBe(1);
    expect(new Set(world.sent().map(({ idempotencyKey }) => idempotencyKey)).size).toBe(4);
  });
});

describe('a person', () => {
  test('who acknowledges or suppresses is not told again, and hears when it is over', async () => {
    await using world = await alertWorld({ route: { group_wait: '0s', group_interval: '1m', repeat_interval: '1h' } });
    const [a, b, c] = [finding('a'), finding('b', { key: 2 }), finding('c', { key: 3 })];
    await world.find('s', [a, b, c]);
    await world.say(b.id, 'acknowledged');
    await world.say(c.id, 'suppressed');
    await world.work();
    expect(world.sent().map(told)).toEqual([['new-group', 'firing', ['a open'], 0]]);
    await world.say(a.id, 'acknowledged');
    await world.pass(5 * HOUR);
    expect(world.sent()).toHaveLength(1);
    await world.say(b.id, 'open');
    await world.work();
    expect(told(world.sent()[1]!)).toEqual(['new-group', 'firing', ['b open'], 0]);
    await world.find('s', [{ ...a, open: false }, b, c]);
    await world.work();
    expect(told(world.sent()[2]!)).toEqual(['resolved', 'resolved', ['a resolved'], 0]);
    expect(world.sent()).toHaveLength(3);
  });

  test('hears of what nobody acknowledged in time, and of its end; of what somebody did, nothing', async () => {
    const route = { group_wait: '0s', group_interval: '1m', escalate: { after: '30m', receiver: 'boss' } };
    await using world = await alertWorld({ receivers: { team: {}, boss: {} }, route });
    const [a, b, c] = [finding('a'), finding('b', { key: 2 }), finding('c', { key: 3 })];
    await world.find('s', [a, b, c]);
    await world.work();
    expect(world.sent('team')).toHaveLength(3);
    await world.pass(20 * MINUTE);
    await world.say(a.id, 'acknowledged');
    await world.find('s', [a, b, { ...c, open: false }]);
    await world.pass(9 * MINUTE);
    expect(world.sent('boss')).toEqual([]);
    await world.pass(MINUTE);
    expect(world.sent('boss').map(told)).toEqual([['escalated', 'firing', ['b open'], 0]]);
    await world.find('s', [a, { ...b, open: false }]);
    await world.pass(MINUTE);
    expect(told(world.sent('boss')[1]!)).toEqual(['resolved', 'resolved', ['b resolved'], 0]);
    await world.say(a.id, 'open');
    await world.pass(29 * MINUTE);
    expect(world.sent('boss')).toHaveLength(2);
    await world.pass(MINUTE);
    expect(told(world.sent('boss')[2]!)).toEqual(['escalated', 'firing', ['a open'], 0]);
  });
});

describe('what is over before it was told', () => {
  test('is told where it is critical or high, and not otherwise', async () => {
    await using world = await alertWorld({ route: { group_wait: '1m' } });
    await world.find('s', [
      finding('a', { severity: 'critical', open: false }),
      finding('b', { severity: 'high', open: false, key: 2 }),
      finding('c', { severity: 'medium', open: false, key: 3 }),
    ]);
    await world.find('t', [finding('d', { severity: 'medium', key: 4 })]);
    await world.pass(30 * SECOND);
    await world.find('t', [finding('d', { severity: 'medium', key: 4, open: false })]);
    await world.pass(HOUR);
    expect(
      world
        .sent()
        .map(({ reason, status, alerts }) => `${reason} ${status} ${alerts.map(({ title }) => title).join()}`)
        .toSorted((a, b) => (a < b ? -1 : 1)),
    ).toEqual(['new-group resolved finding a', 'new-group resolved finding b']);
    expect(await world.query('SELECT FROM alert')).toHaveLength(0);
  });

  test('is not told a second time when the title of the finding changes later', async () => {
    await using world = await alertWorld();
    await world.find('s', [finding('a', { open: false })]);
    await world.pass(HOUR);
    await world.find('s', [finding('a', { open: false, title: 'another' })]);
    await world.pass(HOUR);
    expect(world.sent()).toHaveLength(1);
  });
});

describe('a finding', () => {
  test('that is withdrawn is over for whoever was told of it', async () => {
    await using world = await alertWorld({ route: { group_interval: '1m' } });
    await world.find('s', [finding('a')]);
    await world.work();
    await world.find('s', []);
    await world.pass(MINUTE);
    expect(world.sent().map(told)).toEqual([
      ['new-group', 'firing', ['a open'], 0],
      ['resolved', 'resolved', ['a resolved'], 0],
    ]);
  });

  test('whose severity moves it to another receiver is over for the first one and new for the second', async () => {
    const routes = [{ matchers: ['severity="critical"'], receiver: 'pager' }];
    await using world = await alertWorld({ receivers: { team: {}, pager: {} }, route: { group_wait: '0s', group_interval: '0s', routes } });
    await world.find('s', [finding('a', { severity: 'medium' })]);
    await world.work();
    await world.find('s', [finding('a', { severity: 'critical' })]);
    await world.work();
    expect(world.sent('team').map(told)).toEqual([
      ['new-group', 'firing', ['a open'], 0],
      ['resolved', 'resolved', ['a resolved'], 0],
    ]);
    expect(world.sent('pager').map(told)).toEqual([['new-group', 'firing', ['a open'], 0]]);
  });

  test('that becomes worse is told at once, though the group was told a moment ago; one that becomes harmless is not', async () => {
    await using world = await alertWorld();
    await world.find('s', [finding('a', { severity: 'high' })]);
    await world.work();
    await world.find('s', [finding('a', { severity: 'critical' })]);
    await world.work();
    expect(world.sent().map(({ reason }) => reason)).toEqual(['new-group', 'new-alerts']);
    await world.find('s', [finding('a', { severity: 'low' })]);
    await world.pass(2 * HOUR);
    expect(world.sent()).toHaveLength(2);
  });

  test('with hostile words in it is told as it is, and breaks nothing', async () => {
    await using world = await alertWorld({ route: { group_by: ['account', '__proto__'] } });
    const title = 'finding \u0000<!channel> {"a"},"b\\" \ud800';
    await world.find('s', [finding('a', { title, account: '{",\\"}' })]);
    await world.work();
    expect(world.sent()[0]?.alerts[0]?.title).toBe('finding \ufffd<!channel> {"a"},"b\\" \ufffd');
    expect(world.sent()[0]?.groupLabels).toEqual({ account: '{",\\"}' });
    expect(world.sent()[0]?.alerts[0]?.url).toBe(`https://kmswatch.example.com/#finding-${finding('a').id}`);
  });
});

describe('a silence', () => {
  const matchers = [{ name: 'account', operator: '=~', value: '1111.*' }] as const;
  const add = (world: AlertWorld, endsAt: number, startsAt = world.now()) =>
    addSilence(world.deps.pool, { matchers, author: 'ines', comment: 'planned', createdAt: world.now(), startsAt, endsAt });

  test('keeps quiet while it lasts, and what is still so is told when it ends', async () => {
    await using world = await alertWorld({ route: { group_interval: '1m' } });
    await add(world, world.now() + HOUR);
    await world.find('s', [finding('a'), finding('b', { account: '999900001111' }), finding('c', { severity: 'critical', key: 2 })]);
    await world.work();
    expect(world.sent().map(told)).toEqual([['new-group', 'firing', ['b open'], 0]]);
    await world.find('s', [
      finding('a'),
      finding('b', { account: '999900001111' }),
      finding('c', { severity: 'critical', key: 2, open: false }),
    ]);
    await world.pass(HOUR - 1);
    expect(world.sent()).toHaveLength(1);
    await world.pass(1);
    expect(world.sent().slice(1).map(told)).toEqual([['new-group', 'firing', ['a open'], 0]]);
  });

  test('that is ended early has its alerts told at once; one that has not begun keeps nothing quiet', async () => {
    await using world = await alertWorld();
    const { id } = await add(world, world.now() + 24 * HOUR);
    await world.find('s', [finding('a')]);
    await world.work();
    expect(world.sent()).toEqual([]);
    await world.pass(MINUTE);
    await expireSilence(world.deps.pool, id, world.now());
    expect(await expireSilence(world.deps.pool, id, world.now())).toBe(null);
    await world.work();
    expect(world.sent()).toHaveLength(1);
    await add(world, world.now() + 2 * HOUR, world.now() + HOUR);
    await world.find('s', [finding('a'), finding('b', { key: 2 })]);
    await world.work();
    expect(world.sent()).toHaveLength(2);
    await world.find('s', [finding('a'), finding('b', { key: 2 }), finding('c', { key: 3 })]);
    expect(world.sent()).toHaveLength(2);
  });

  test('does not keep quiet that something which was told is over', async () => {
    await using world = await alertWorld({ route: { group_interval: '1m' } });
    await world.find('s', [finding('a')]);
    await world.work();
    await add(world, world.now() + 24 * HOUR);
    await world.find('s', [finding('a', { open: false })]);
    await world.pass(MINUTE);
    expect(world.sent().map(({ reason }) => reason)).toEqual(['new-group', 'resolved']);
  });
});

test('a restart in the middle of the group wait loses and delays nothing, and tells nothing twice', async () => {
  await using before = await alertWorld({ route: { group_wait: '30s' } });
  await before.find('s', [finding('a')]);
  await before.pass(10 * SECOND);
  expect(before.sent()).toEqual([]);
  await using after = await alertWorld({ route: { group_wait: '30s' }, url: before.url });
  await after.pass(29 * SECOND);
  expect(after.sent()).toEqual([]);
  await after.pass(SECOND);
  expect(after.sent().map(told)).toEqual([['new-group', 'firing', ['a open'], 0]]);
  await before.pass(HOUR);
  expect(before.sent()).toEqual([]);
});

describe('other routes', () => {
  test('make receivers hear of what they did not know, and nobody of an end that is none', async () => {
    const logger = createLogger('silent');
    await using before = await alertWorld({ receivers: { team: {} }, route: { group_wait: '0s' } });
    await adoptRoutes(before.deps, logger);
    await before.find('s', [finding('a'), finding('b', { key: 2 }), finding('old', { key: 3, severity: 'low', open: false })]);
    await before.work();
    expect(before.sent()).toHaveLength(2);
    await adoptRoutes(before.deps, logger);
    await before.pass(MINUTE);
    expect(before.sent()).toHaveLength(2);
    const route = { group_wait: '0s', group_by: ['account'] };
    await using after = await alertWorld({ receivers: { pager: {}, team: {} }, route, url: before.url });
    await adoptRoutes(after.deps, logger);
    await after.pass(HOUR);
    expect(after.sent('pager').map(told)).toEqual([['new-group', 'firing', ['b open', 'a open'], 0]]);
    expect(after.sent('team')).toEqual([]);
    expect(await after.query("SELECT FROM alert a JOIN alert_group g ON g.id = a.group_id WHERE g.receiver = 'team'")).toHaveLength(0);
  });
});

describe('a flood', () => {
  const MANY = 10_000;

  /** Findings of so many keys within a minute, as detection stores them: a batch of subjects at a time. */
  async function flood(world: AlertWorld, each: () => Promise<void>): Promise<void> {
    const step = MANY / 20;
    for (let at = 0; at < MANY; at += step) {
      const findings = Array.from({ length: step }, (_, n) =>
        finding(`f${at + n}`, { key: at + n, severity: n === 7 ? 'critical' : 'high' }),
      );
      await world.find(`s${at}`, findings);
      await each();
    }
  }

  test('of 10,000 findings in a minute becomes a handful of notifications for people, which say so, and leaves nothing out', async () => {
    await using world = await alertWorld({ receivers: { team: { perMinute: 20 } } });
    await world.find('before', [finding('before', { key: null })]);
    await world.work();
    await flood(world, () => world.pass(3 * SECOND));
    await world.pass(MINUTE);
    const [first, ...digests] = world.sent();
    expect(first?.reason).toBe('new-group');
    expect(digests.length).toBeLessThan(6);
    expect(new Set(digests.map(({ reason, groupKey }) => `${reason} ${groupKey}`))).toEqual(new Set(['flood flood:team']));
    expect(digests.reduce((sum, { alerts, truncated }) => sum + alerts.length + truncated, 0)).toBe(MANY);
    expect(digests.reduce((sum, { counts }) => sum + counts.critical, 0)).toBe(20);
    for (const { alerts, counts } of digests)
      expect(alerts.slice(0, counts.critical).map(({ severity }) => severity)).toEqual(
        Array.from({ length: counts.critical }, () => 'critical'),
      );
    expect(await world.query("SELECT FROM alert WHERE told IS DISTINCT FROM 'firing'")).toHaveLength(0);

    // It is over: what comes now is told by itself.
    await world.pass(5 * MINUTE);
    await world.find('after', [finding('after', { key: null, account: '999900001111' })]);
    await world.work();
    expect(world.sent().at(-1)?.reason).toBe('new-group');
  });

  test('stays one for machines: each of them hears of every alert once, a group of any size in as many notifications as it takes', async () => {
    await using world = await alertWorld({
      receivers: { machine: { wantsEvery: true } },
      route: { group_by: ['account'], repeat_interval: '4h', group_interval: '1m' },
    });
    const findings = Array.from({ length: 1_234 }, (_, n) => finding(`f${n}`, { key: n }));
    await world.find('s', findings);
    await world.work();
    const heard = (): string[] =>
      world.sent().flatMap(({ alerts }) => alerts.filter(({ status }) => status === 'open').map(({ findingId }) => findingId));
    expect(new Set(heard())).toEqual(new Set(findings.map(({ id }) => id)));
    expect(heard().length).toBeLessThan(1_234 + 50);
    expect(world.sent().every(({ alerts }) => alerts.length <= 50)).toBe(true);
    const once = world.sent().length;
    await world.pass(4 * HOUR);
    expect(new Set(heard().slice(-1_234)).size).toBe(1_234);
    expect(world.sent().length).toBe(2 * once);
    await world.find('s', []);
    await world.pass(MINUTE);
    const over = world
      .sent()
      .slice(2 * once)
      .flatMap(({ alerts }) => alerts.filter(({ status }) => status === 'resolved'));
    expect(new Set(over.map(({ findingId }) => findingId)).size).toBe(1_234);
    expect(world.sent().at(-1)?.status).toBe('resolved');
  });
});
