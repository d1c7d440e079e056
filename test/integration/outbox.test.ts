import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { Json } from '../../services/core/json.ts';
import { HOUR, MINUTE } from '../../services/core/clock.ts';
import type { Delivery } from '../../services/notifiers/contract.ts';
import { groupDue } from '../../services/workers/notify-group.ts';
import { deliverAll } from '../../services/workers/notify-deliver.ts';
import { lockAlerts } from '../../services/store/alerts.ts';
import { claim } from '../../services/store/notifications.ts';
import { type AlertWorld, alertWorld, finding, told } from '../support/alerts.ts';

const SECOND = 1_000;
const DOWN: Delivery = { ok: false, reason: 'unreachable', code: 'ECONNREFUSED', retryable: true };

interface Row {
  readonly state: string;
  readonly attempts: number;
  readonly error: string | null;
}

function outbox(world: AlertWorld): Promise<Row[]> {
  return world.query<Row>('SELECT state, attempts, last_error AS error FROM notification ORDER BY id');
}

async function count(world: AlertWorld, outcome: string): Promise<number> {
  const { values } = await world.metrics.kmswatch_notifications_total.get();
  return values.find(({ labels }) => labels['outcome'] === outcome)?.value ?? -1;
}

describe('a notification that does not arrive', () => {
  test('is tried again, later each time, under the same idempotency key, until it arrives', async () => {
    await using world = await alertWorld();
    const team = world.receivers.get('team')!;
    let tries = 0;
    team.answer = () => ((tries += 1) <= 5 ? DOWN : { ok: true });
    await world.find('s', [finding('a')]);
    await world.work();
    await world.work();
    expect(team.sent).toHaveLength(1);
    expect(await outbox(world)).toEqual([{ state: 'pending', attempts: 1, error: 'unreachable: ECONNREFUSED' }]);
    const at: number[] = [];
    for (let second = 0; second < 120 && tries <= 5; second += 1) {
      const before = tries;
      await world.pass(SECOND);
      if (tries > before) at.push(second);
    }
    expect(at.length).toBe(5);
    expect(at[4]! - at[3]!).toBeGreaterThan(at[1]! - at[0]!);
    expect(new Set(team.sent.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1);
    expect(await outbox(world)).toEqual([{ state: 'delivered', attempts: 6, error: null }]);
    expect([await count(world, 'retried'), await count(world, 'delivered'), await count(world, 'failed')]).toEqual([5, 1, 0]);
  });

  test.each([
    [
      'is given up at once when trying again is of no use',
      { ...DOWN, reason: 'rejected', code: 'http-400', retryable: false },
      'rejected: http-400',
    ],
    ['is given up after a day', { ...DOWN, retryAfterMs: HOUR }, 'unreachable: ECONNREFUSED'],
    ['because of a bug of ours is given up after a day', 'throws', 'internal: TypeError'],
  ] as const)('%s', async (_name, answer, error) => {
    await using world = await alertWorld({ route: { repeat_interval: '7d' } });
    world.receivers.get('team')!.answer = () => {
      if (answer === 'throws') throw new TypeError('a secret of https://hooks.example.com/xyz');
      return answer;
    };
    await world.find('s', [finding('a')]);
    for (let hours = 0; hours < 26; hours += 1) await world.pass(HOUR);
    expect(await outbox(world)).toMatchObject([{ state: 'failed', error }]);
    expect(await count(world, 'failed')).toBe(1);
    // The group is told of anew when its time comes.
    world.receivers.get('team')!.answer = () => ({ ok: true });
    await world.pass(7 * 24 * HOUR);
    expect((await outbox(world)).at(-1)).toMatchObject({ state: 'delivered' });
  });

  test('keeps to what the receiver asks for, and is not counted as tried when the receiver was not asked', async () => {
    await using world = await alertWorld();
    const team = world.receivers.get('team')!;
    const answers: Delivery[] = [
      { ...DOWN, reason: 'paced', code: 'paced', retryAfterMs: 3 * SECOND },
      { ...DOWN, reason: 'rate-limited', code: 'http-429', retryAfterMs: 30 * SECOND },
    ];
    team.answer = () => answers.shift() ?? { ok: true };
    await world.find('s', [finding('a')]);
    await world.work();
    expect(await outbox(world)).toEqual([{ state: 'pending', attempts: 0, error: 'paced: paced' }]);
    await world.pass(2 * SECOND);
    expect(team.sent).toHaveLength(1);
    await world.pass(SECOND);
    expect(await outbox(world)).toMatchObject([{ attempts: 1, error: 'rate-limited: http-429' }]);
    await world.pass(29 * SECOND);
    expect(team.sent).toHaveLength(2);
    await world.pass(SECOND);
    expect(await outbox(world)).toMatchObject([{ state: 'delivered', attempts: 2 }]);
  });

  test('is replaced by the next one about its group, which says everything that was not heard, and no sooner than the receiver may be tried', async () => {
    await using world = await alertWorld({ route: { group_wait: '0s', group_interval: '10s' } });
    const team = world.receivers.get('team')!;
    team.answer = () => ({ ...DOWN, retryAfterMs: 10 * MINUTE });
    await world.find('s', [finding('a'), finding('b')]);
    await world.work();
    await world.find('s', [finding('a'), finding('b', { open: false }), finding('c')]);
    await world.pass(10 * SECOND);
    await world.find('s', [finding('a'), finding('b', { open: false }), finding('c'), finding('d', { severity: 'critical' })]);
    await world.pass(10 * SECOND);
    expect(team.sent).toHaveLength(1);
    expect(await outbox(world)).toMatchObject([{ state: 'superseded' }, { state: 'superseded' }, { state: 'pending', attempts: 0 }]);
    team.answer = () => ({ ok: true });
    await world.pass(10 * MINUTE);
    const [reason, status, alerts] = told(team.sent[1]!);
    expect([reason, status, alerts.toSorted((a, b) => (a < b ? -1 : 1))]).toEqual([
      'new-group',
      'firing',
      ['a open', 'b resolved', 'c open', 'd open'],
    ]);
    expect(team.sent).toHaveLength(2);
    expect(await count(world, 'superseded')).toBe(2);
  });
});

describe('while a notification is on its way', () => {
  test('no transaction is open, nobody else sends it, and the next one of its group waits for it', async () => {
    await using world = await alertWorld({ route: { group_wait: '0s', group_interval: '0s' } });
    const team = world.receivers.get('team')!;
    let arrive: (delivery: Delivery) => void = () => undefined;
    team.answer = () => new Promise((resolve) => (arrive = resolve));
    await world.find('s', [finding('a')]);
    await groupDue(world.deps);
    const sending = deliverAll(world.deps);
    while (team.sent.length === 0) await pause(5);
    const open = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'";
    expect(await world.query(open)).toHaveLength(0);
    await world.find('s', [finding('a'), finding('b')]);
    await groupDue(world.deps);
    await deliverAll(world.deps);
    expect(team.sent).toHaveLength(1);
    team.answer = () => ({ ok: true });
    arrive({ ok: true });
    await sending;
    expect(team.sent.map(told)).toEqual([
      ['new-group', 'firing', ['a open'], 0],
      ['new-alerts', 'firing', expect.arrayContaining(['a open', 'b open']), 0],
    ]);
  });

  test('its claim is kept for as long as it takes, and taken over when the process is dead', async () => {
    await using world = await alertWorld();
    const team = world.receivers.get('team')!;
    const alive = { ...world.deps, clock: { now: () => Date.now() }, alerting: { ...world.deps.alerting, leaseMs: 600 } };
    team.answer = async () => {
      await pause(2_000);
      return { ok: true };
    };
    await world.find('s', [finding('a')]);
    await groupDue(alive);
    const sending = deliverAll(alive);
    await pause(1_500);
    await deliverAll(alive);
    expect(team.sent).toHaveLength(1);
    await sending;
    expect(await outbox(world)).toMatchObject([{ state: 'delivered', attempts: 1 }]);

    await world.find('s', [finding('a'), finding('b', { key: 2 })]);
    await groupDue(alive);
    const dead = { receiver: 'team', by: '00000000-0000-4000-8000-000000000000', leaseMs: 600, limit: 10 };
    expect(await claim(world.deps.pool, { ...dead, now: Date.now() })).toHaveLength(1);
    team.answer = () => ({ ok: true });
    await deliverAll(alive);
    expect(team.sent).toHaveLength(1);
    await pause(650);
    await deliverAll(alive);
    expect(team.sent).toHaveLength(2);
  });
});

test('what a notifier remembers is handed to the next notification of the same case, and forgotten with the case', async () => {
  await using world = await alertWorld({
    receivers: { team: {}, other: {} },
    route: { group_wait: '0s', group_interval: '1m', routes: [{ matchers: ['severity=low'], receiver: 'other' }] },
  });
  const memories: unknown[] = [];
  let thread = 0;
  world.receivers.get('team')!.answer = (_notification, { memory }) => {
    memories.push(memory);
    return { ok: true, memory: (memory as Json) ?? { thread: (thread += 1) } };
  };
  await world.find('s', [finding('a')]);
  await world.work();
  await world.find('s', [finding('a'), finding('b')]);
  await world.pass(MINUTE * 5);
  await world.find('s', []);
  await world.pass(MINUTE * 5);
  await world.find('s', [finding('a')]);
  await world.pass(MINUTE * 5);
  expect(memories).toEqual([null, { thread: 1 }, { thread: 1 }, null]);
});

test('many processes that group and send at the same time tell every change once', async () => {
  await using world = await alertWorld({ route: { group_wait: '0s', group_interval: '0s' } });
  const others = await Promise.all([1, 2, 3].map(() => alertWorld({ route: { group_wait: '0s', group_interval: '0s' }, url: world.url })));
  const all = [world, ...others];
  const keys = Array.from({ length: 40 }, (_, key) => key);
  for (const open of [true, false, true]) {
    await Promise.all(
      all.map(async (each, at) => {
        for (const key of keys.filter((k) => k % all.length === at)) {
          await each.find(`s${key}`, [finding(`f${key}`, { key, open })]);
          await each.work();
        }
      }),
    );
    await Promise.all(all.map((each) => each.work()));
  }
  const heard = all.flatMap((each) => each.sent());
  for (const key of keys) {
    const of = heard.filter(({ alerts }) => alerts.some(({ title }) => title === `finding f${key}`)).toSorted((a, b) => a.at - b.at);
    expect(of.map(({ status }) => status).toSorted()).toEqual(['firing', 'firing', 'resolved']);
  }
  expect(new Set(heard.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(heard.length);
  for (const each of others) await each[Symbol.asyncDispose]();
});

test('one process at a time groups: who read a finding before it changed cannot write after it was grouped', async () => {
  await using world = await alertWorld();
  await world.find('s', [finding('a')]);
  const other = await world.deps.pool.connect();
  await other.query('BEGIN');
  await lockAlerts(other);
  let isDone = false;
  const grouping = groupDue(world.deps).then(() => (isDone = true));
  await pause(300);
  expect(isDone).toBe(false);
  await other.query('COMMIT');
  other.release();
  await grouping;
  expect(await outbox(world)).toHaveLength(1);
});

test('the statements of a step do not grow in number with the findings and groups that it works on', async () => {
  await using world = await alertWorld();
  const statementsOf = async (size: number): Promise<number> => {
    const findings = Array.from({ length: size }, (_, n) => finding(`${size} ${n}`, { key: size * 1_000 + n }));
    await world.find(`s${size}`, findings);
    let statements = 0;
    const pool = {
      async connect() {
        const client = await world.deps.pool.connect();
        const counting = { query: (...args: [string]) => ((statements += 1), client.query(...args)), release: () => client.release() };
        return counting;
      },
    };
    await groupDue({ ...world.deps, pool: pool as unknown as typeof world.deps.pool });
    return statements;
  };
  expect(await statementsOf(400)).toBe(await statementsOf(3));
});
