import type { Event } from '@aws-sdk/client-cloudtrail';
import { expect, test } from 'vitest';
import { DAY, HOUR, MINUTE } from '../../../../services/core/clock.ts';
import { decodeFrames } from '../../../../services/core/frames.ts';
import { AwsFailure } from '../../../../services/platform/aws.ts';
import type { Lease } from '../../../../services/platform/leases.ts';
import { type HistoryBackfill, oldestLookup, planHistory } from '../../../../services/sources/backfill/history.ts';
import type { Piece } from '../../../../services/sources/backfill/stretch.ts';
import type { Target } from '../../../../services/sources/event-history.ts';
import type { Question } from '../../../../services/sources/lookup-events/api.ts';

const NOW = Date.UTC(2026, 5, 1, 12);
const TARGET: Target = {
  account: '111122223333',
  region: 'eu-west-1',
  role: { arn: 'arn:aws:iam::111122223333:role/reader', externalId: null },
  filters: [{ attribute: { AttributeKey: 'EventSource', AttributeValue: 'kms.amazonaws.com' }, sources: new Set(['kms.amazonaws.com']) }],
};

/** A history that is read in a time of its own. */
class World {
  now = NOW;
  readonly requests: { readonly at: number; readonly question: Question }[] = [];
  readonly delivered = new Map<string, number>();
  readonly stretches: string[] = [];
  failures: string[] = [];
  /** Somebody else makes requests as well. */
  isShared = false;
  isTaken = false;
  released = 0;
  failWith: (question: Question) => AwsFailure | null = () => null;
  readonly #events: { readonly id: string; readonly time: number }[] = [];

  happen(id: string, time: number): void {
    this.#events.push({ id, time: Math.floor(time / 1000) * 1000 });
  }

  get missing(): string[] {
    return this.#events.map(({ id }) => id).filter((id) => !this.delivered.has(id));
  }

  async read(period: Omit<HistoryBackfill, 'targets'>, targets: readonly Target[] = [TARGET]): Promise<number> {
    const lease: Lease = { holds: async () => true, isShared: async () => this.isShared, release: async () => void (this.released += 1) };
    const plan = planHistory(
      { targets, ...period },
      {
        time: { now: () => this.now, elapsed: () => this.now, random: () => 0.5, sleep: async (ms) => void (this.now += ms) },
        apiOf: () => ({ ask: (question) => this.#ask(question), close: () => undefined }),
        accountOf: async () => '999988887777',
        leases: { tryJoin: async () => (this.isTaken ? null : lease) },
        relevant: () => true,
      },
    );
    const { signal } = new AbortController();
    for (const row of plan.rows) {
      for await (const stretch of row) {
        this.stretches.push(stretch.checkpoint);
        try {
          for await (const piece of stretch.read(signal)) this.#take(piece);
        } catch (error) {
          this.failures.push((error as Error).message);
        }
      }
    }
    return plan.total;
  }

  #take(piece: Piece): void {
    if (piece.kind !== 'delivery') throw new Error('nothing else is expected');
    for (const { bytes } of decodeFrames(Buffer.from(piece.payload ?? []))) {
      const { eventID } = JSON.parse(Buffer.from(bytes).toString()) as { eventID: string };
      this.delivered.set(eventID, (this.delivered.get(eventID) ?? 0) + 1);
    }
  }

  async #ask(question: Question): Promise<{ events: Event[]; next: string | null }> {
    this.now += 50;
    this.requests.push({ at: this.now, question });
    this.now += 50;
    const failure = this.failWith(question);
    if (failure) throw failure;
    const found = this.#events
      .filter(({ time }) => time >= question.start && time <= question.end)
      .sort((a, b) => b.time - a.time || (a.id < b.id ? 1 : -1));
    const offset = Number(question.token ?? 0);
    const events = found.slice(offset, offset + 50).map(({ id, time }) => ({
      EventId: id,
      EventName: 'Decrypt',
      EventSource: 'kms.amazonaws.com',
      EventTime: new Date(time),
      CloudTrailEvent: JSON.stringify({ eventID: id }),
    }));
    return { events, next: offset + 50 >= found.length ? null : String(offset + 50) };
  }
}

const from = NOW - 3 * DAY - 2 * HOUR;

test('every event of the days is delivered once, a day with more than fits one question in several', async () => {
  const world = new World();
  for (let n = 0; n < 5_000; n += 1) world.happen(`busy-${n}`, NOW - 2 * DAY + n * 4_000);
  // More in one second than one question should have pages.
  for (let n = 0; n < 2_300; n += 1) world.happen(`burst-${n}`, NOW - DAY - HOUR);
  expect(await world.read({ from, to: NOW })).toBe(4);
  expect(world.failures).toEqual([]);
  expect(world.missing).toEqual([]);
  expect([...world.delivered.values()].every((times) => times === 1)).toBe(true);
  expect(
    new Set(world.requests.filter(({ question }) => question.token === null).map(({ question }) => question.end)).size,
  ).toBeGreaterThan(4);
  expect(world.stretches).toEqual(
    ['2026-05-29', '2026-05-30', '2026-05-31', '2026-06-01'].map(
      (day) => `backfill/lookup-events/111122223333/eu-west-1/EventSource=kms.amazonaws.com/${day}`,
    ),
  );
  expect(world.released).toBe(1);
});

test('alone it makes two requests a second, beside another one', async () => {
  for (const isShared of [false, true]) {
    const world = new World();
    world.isShared = isShared;
    for (let n = 0; n < 1_500; n += 1) world.happen(`e-${n}`, NOW - DAY + n * 1_000);
    await world.read({ from: NOW - DAY, to: NOW });
    const times = world.requests.map(({ at }) => at);
    const most = Math.max(...times.map((start) => times.filter((at) => at >= start && at < start + 1_000).length));
    expect(most).toBe(isShared ? 1 : 2);
    expect(times[0]).toBeGreaterThanOrEqual(NOW + 2_000);
  }
});

test('a token that is refused is no failure of the day; what is left is asked for anew', async () => {
  const world = new World();
  for (let n = 0; n < 1_000; n += 1) world.happen(`e-${n}`, NOW - DAY + n * 10_000);
  let refused = 0;
  world.failWith = ({ token }) =>
    token === '200' && refused++ < 3 ? new AwsFailure('token-invalid', { message: 'expired', code: 'InvalidNextTokenException' }) : null;
  await world.read({ from: NOW - DAY, to: NOW });
  expect(world.failures).toEqual([]);
  expect(world.missing).toEqual([]);
  expect([...world.delivered.values()].every((times) => times === 1)).toBe(true);
});

test('a token that is always refused ends the day as failed, and not never', async () => {
  const world = new World();
  for (let n = 0; n < 120; n += 1) world.happen(`e-${n}`, NOW - HOUR);
  world.failWith = ({ token }) =>
    token === null ? null : new AwsFailure('token-invalid', { message: 'expired', code: 'InvalidNextTokenException' });
  await world.read({ from: NOW - 2 * HOUR, to: NOW });
  expect(world.failures).toEqual(['expired']);
});

test('what is refused is asked for once, not for every day', async () => {
  const world = new World();
  world.failWith = () => new AwsFailure('access-denied', { message: 'not authorized', code: 'AccessDeniedException' });
  await world.read({ from, to: NOW });
  expect(world.failures).toEqual(['not authorized']);
  expect(world.requests).toHaveLength(1);
});

test('without a role the credentials have to be those of the account', async () => {
  const world = new World();
  await world.read({ from, to: NOW }, [{ ...TARGET, role: null }]);
  expect(world.failures).toEqual([expect.stringContaining('999988887777')]);
  expect(world.requests).toEqual([]);
});

test('another backfill of the same account and Region is waited for, but not for ever', async () => {
  const world = new World();
  world.isTaken = true;
  await world.read({ from: NOW - HOUR, to: NOW });
  expect(world.failures).toEqual([expect.stringContaining('another backfill')]);
  expect(world.now - NOW).toBeGreaterThan(20_000);
});

test('no more is asked for than CloudTrail has, nor what has not happened', async () => {
  const world = new World();
  await world.read({ from: NOW - 200 * DAY, to: NOW + 5 * DAY });
  for (const { question } of world.requests) {
    expect(question.start).toBeGreaterThanOrEqual(oldestLookup(NOW) + MINUTE);
    expect(question.end).toBeLessThanOrEqual(world.now);
    expect(question.start).toBeLessThanOrEqual(question.end);
  }
  // Ninety days, and parts of two.
  expect(world.stretches).toHaveLength(91);
});

test('a day that CloudTrail drops while others are read is no success', async () => {
  const world = new World();
  world.happen('recent', NOW - 88 * DAY);
  world.failWith = () => {
    // Reading took long.
    world.now = Math.max(world.now, NOW + 4 * DAY);
    return null;
  };
  await world.read({ from: NOW - 89 * DAY, to: NOW - 86 * DAY });
  expect(world.failures).toEqual(Array.from({ length: world.failures.length }, () => 'CloudTrail has dropped this day meanwhile'));
  expect(world.failures.length).toBeGreaterThan(0);
});
