import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DAY, HOUR, MINUTE } from '../../../../services/core/clock.ts';
import { AwsFailure } from '../../../../services/platform/aws.ts';
import { LookupWorld, WORLD_START } from '../../../support/lookup-world.ts';

test('every event of the days before the first start is delivered, and the checkpoint ends at the present', async () => {
  const world = new LookupWorld();
  for (let n = 0; n < 700; n++) world.happen(`e${n}`, WORLD_START - 7 * DAY + n * 14 * MINUTE + MINUTE);
  world.happen('too-old', WORLD_START - 7 * DAY - MINUTE);
  await world.poll(WORLD_START + 2 * MINUTE);
  expect(world.missing).toEqual(['too-old']);
  expect([...world.delivered.values()].every((times) => times === 1)).toBe(true);
  expect(world.highWater).toBeGreaterThan(WORLD_START);
  expect(world.checkpoint).toMatchObject({ gaps: [], capacity: { carries: true } });
});

test('events that can be looked up later than they happened, by up to the overlap, are all found within a poll of their coming', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ at: fc.nat(2 * HOUR), late: fc.nat(29 * MINUTE) }), { minLength: 1, maxLength: 40 }),
      async (drawn) => {
        const world = new LookupWorld();
        for (const [n, { at, late }] of drawn.entries()) world.happen(`e${n}`, WORLD_START + at, late);
        await world.poll(WORLD_START + 3 * HOUR);
        expect(world.missing).toEqual([]);
        for (const [n, { at, late }] of drawn.entries()) {
          expect(world.delivered.get(`e${n}`)).toBe(1);
          expect(world.deliveredAt.get(`e${n}`)! - (WORLD_START + at + late)).toBeLessThan(2 * MINUTE);
        }
      },
    ),
    { numRuns: 15 },
  );
});

test('stragglers of up to six hours are found by the daily sweep, which teaches a longer overlap', async () => {
  const world = new LookupWorld();
  for (let n = 0; n < 40; n++) world.happen(`e${n}`, WORLD_START + n * HOUR, (n % 7) * 59 * MINUTE);
  await world.poll(WORLD_START + 3 * DAY, { poll_seconds: 300 });
  expect(world.missing).toEqual([]);
  expect(Number(world.checkpoint['overlap_minutes'])).toBeGreaterThan(30);
});

test('however it is stopped, in the middle of a window too, nothing is lost: it goes on from the checkpoint', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 6 }), async (deaths) => {
      const world = new LookupWorld();
      for (let n = 0; n < 900; n++) world.happen(`e${n}`, WORLD_START - 2 * DAY + n * 2 * MINUTE, (n % 20) * MINUTE);
      for (const after of deaths) {
        const stop = new AbortController();
        let left = after;
        world.receive = async (delivery) => {
          left -= 1;
          // The last one is registered, and so will be stored, but nobody hears of it.
          world.store(delivery);
          if (left <= 0) return stop.abort();
          await delivery.ack();
        };
        await world.poll(world.now + 10 * MINUTE, {}, { stop });
        world.now += 3 * HOUR;
      }
      world.receive = async (delivery) => {
        world.store(delivery);
        await delivery.ack();
      };
      await world.poll(world.now + 2 * HOUR);
      expect(world.missing).toEqual([]);
    }),
    { numRuns: 20 },
  );
});

test('the checkpoint travels with the last page of a window, when all pages before it are acknowledged', async () => {
  const world = new LookupWorld();
  for (let n = 0; n < 220; n++) world.happen(`e${n}`, WORLD_START - HOUR + n * 1000);
  const waiting: (() => Promise<void>)[] = [];
  const order: string[] = [];
  const waitingThen: number[] = [];
  world.receive = async (delivery) => {
    order.push(delivery.checkpoint ? 'checkpoint' : `page ${JSON.stringify(delivery.locator['page'])}`);
    if (delivery.checkpoint) waitingThen.push(waiting.length);
    world.store(delivery);
    const ack = async (): Promise<void> => {
      waiting.splice(waiting.indexOf(ack), 1);
      await delivery.ack();
    };
    waiting.push(ack);
    setTimeout(() => void ack(), 20);
  };
  await world.poll(WORLD_START + 3 * MINUTE);
  expect(waitingThen).toEqual([0]);
  expect(order).toEqual(['page 1', 'page 2', 'page 3', 'page 4', 'checkpoint']);
});

test('a page that cannot be stored keeps the checkpoint where it is, and comes again', async () => {
  const world = new LookupWorld();
  for (let n = 0; n < 120; n++) world.happen(`e${n}`, WORLD_START - HOUR + n * 1000);
  let refusals = 0;
  const checkpoints: number[] = [];
  world.receive = async (delivery) => {
    if (delivery.locator['page'] === 1 && refusals < 2) {
      refusals += 1;
      checkpoints.push(world.checkpoints.size);
      return await delivery.nack('out of space');
    }
    world.store(delivery);
    await delivery.ack();
  };
  await world.poll(WORLD_START + 10 * MINUTE, { lookback_days: 1 });
  expect(checkpoints).toEqual([0, 0]);
  expect(world.missing).toEqual([]);
});

test('a window of too many pages is halved until it fits, and what was read of it is not delivered again', async () => {
  const world = new LookupWorld();
  for (let n = 0; n < 2_000; n++) world.happen(`e${n}`, WORLD_START - 10 * HOUR + n * 15_000);
  await world.poll(WORLD_START + HOUR, { lookback_days: 1 }, { pagesAtMost: 4 });
  expect(world.missing).toEqual([]);
  expect([...world.delivered.values()].every((times) => times === 1)).toBe(true);
  const windows = new Map<string, number>();
  for (const { question } of world.requests)
    windows.set(`${question.start}-${question.end}`, (windows.get(`${question.start}-${question.end}`) ?? 0) + 1);
  expect(Math.max(...windows.values())).toBeLessThanOrEqual(4);
});

test('where one pass takes many windows, events that come late are found too', async () => {
  const world = new LookupWorld();
  world.latencyMs = 8_000;
  for (let n = 0; n < 5_400; n++) world.happen(`e${n}`, WORLD_START + n * 1000, n % 9 === 0 ? 29.5 * MINUTE : 0);
  await world.poll(WORLD_START + 3 * HOUR, { lookback_days: 1 }, { pagesAtMost: 6 });
  expect(world.missing).toEqual([]);
});

test('more events in one second than a window may hold are read all the same', async () => {
  const world = new LookupWorld();
  for (let n = 0; n < 600; n++) world.happen(`e${n}`, WORLD_START - HOUR);
  await world.poll(WORLD_START + HOUR, { lookback_days: 1 }, { pagesAtMost: 4 });
  expect(world.missing).toEqual([]);
});

test('throttling is waited out; what fails otherwise is tried again; a token that is refused makes the window begin anew', async () => {
  const world = new LookupWorld();
  for (let n = 0; n < 300; n++) world.happen(`e${n}`, WORLD_START - HOUR + n * 1000);
  const reasons = ['throttled', 'network', 'service-error', 'credentials-expired', 'access-denied', 'token-invalid'] as const;
  let asked = 0;
  world.failWith = () => {
    asked += 1;
    const reason = asked % 2 === 0 && asked < 40 ? reasons[(asked / 2) % reasons.length] : undefined;
    return reason ? new AwsFailure(reason, { message: reason, code: reason }) : null;
  };
  await world.poll(WORLD_START + 3 * HOUR, { lookback_days: 1 });
  expect(world.missing).toEqual([]);
  expect(world.log.filter((line) => line.includes('cannot be polled')).length).toBeGreaterThan(0);
  expect(world.log.some((line) => line.includes('is polled again'))).toBe(true);
});

test('a failure that stays is told once an hour, not at each attempt', async () => {
  const world = new LookupWorld();
  world.failWith = () =>
    new AwsFailure('access-denied', {
      message: 'User: x is not authorized to perform: cloudtrail:LookupEvents',
      code: 'AccessDeniedException',
    });
  await world.poll(WORLD_START + 150 * MINUTE);
  const told = world.log.filter((line) => line.includes('cannot be polled')).map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(told).toHaveLength(3);
  expect(told[0]).toMatchObject({
    level: 'error',
    account: '111122223333',
    region: 'eu-west-1',
    reason: 'access-denied',
    role: 'arn:aws:iam::111122223333:role/reader',
  });
  expect(world.requests.length).toBeGreaterThan(15);
});

test('a time that CloudTrail has forgotten is recorded as a gap, once, and reading goes on behind it', async () => {
  const world = new LookupWorld();
  await world.poll(WORLD_START + 10 * MINUTE);
  const stoppedAt = world.highWater;
  world.now = WORLD_START + 120 * DAY;
  world.happen('recent', world.now - 80 * DAY);
  await world.poll(world.now + HOUR);
  expect(world.missing).toEqual([]);
  const gaps = world.checkpoint['gaps'] as unknown as { from: string; to: string }[];
  expect(gaps).toHaveLength(1);
  expect(Date.parse(gaps[0]!.from)).toBe(stoppedAt);
  expect(Date.parse(gaps[0]!.to) - (WORLD_START + 30 * DAY)).toBeLessThan(MINUTE);
  expect(world.log.filter((line) => line.includes('a gap that can no longer be filled'))).toHaveLength(1);
});

test('an account with more events than two requests a second can bring is called that, in the log and in the checkpoint', async () => {
  const world = new LookupWorld();
  // Two requests in eleven seconds: nine events a second, of fifteen.
  world.latencyMs = 10_000;
  await world.poll(WORLD_START + 2 * MINUTE, { lookback_days: 1, overlap_minutes: 5 });
  expect(world.checkpoint['capacity']).toMatchObject({ carries: true });
  for (let n = 0; n < 27_000; n++) world.happen(`e${n}`, WORLD_START + 2 * MINUTE + Math.floor(n / 15) * 1000);
  await world.poll(WORLD_START + 30 * MINUTE, { lookback_days: 1, overlap_minutes: 5 }, { pagesAtMost: 10 });
  expect(world.checkpoint['capacity']).toMatchObject({ carries: false, events_per_second: expect.any(Number) });
  expect(world.log.filter((line) => line.includes('cannot carry this account'))).toHaveLength(1);
});

test('never more than two requests arrive in one second, whatever they take', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 1_500 }), { minLength: 5, maxLength: 30 }), async (latencies) => {
      const world = new LookupWorld();
      for (let n = 0; n < 1_500; n++) world.happen(`e${n}`, WORLD_START - HOUR + n * 1000);
      let asked = 0;
      world.failWith = () => {
        world.latencyMs = latencies[asked++ % latencies.length]!;
        return null;
      };
      await world.poll(WORLD_START + 2 * MINUTE, { lookback_days: 1, poll_seconds: 1 });
      const times = world.requests.map(({ at }) => at);
      expect(Math.min(...times.slice(2).map((at, n) => at - times[n]!))).toBeGreaterThanOrEqual(1_000);
    }),
    { numRuns: 10 },
  );
});
