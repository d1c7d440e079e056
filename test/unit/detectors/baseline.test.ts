import { describe, expect, test } from 'vitest';
import { DAY, HOUR } from '../../../services/core/clock.ts';
import type { CallProfile, Habit } from '../../../services/core/habit.ts';
import { appearances, learnedSince, settled } from '../../../services/detectors/baseline.ts';
import type { DailyVolume } from '../../../services/detectors/contract.ts';
import { outlierOf } from '../../../services/detectors/statistics.ts';
import { spikesOf } from '../../../services/detectors/volume.ts';
import { APP, day } from './a-key.ts';

const PROFILE: CallProfile = {
  account: null,
  region: 'eu-central-1',
  operation: 'Decrypt',
  operationClass: 'use',
  callingService: null,
  network: '198.51.0.0/16',
  userAgent: 'boto3',
  vpcEndpoint: null,
  contextShape: null,
  material: null,
  console: false,
  mfa: null,
};

function habit(network: string, from: number, to: number): Habit {
  const ids = { firstEventId: `${network} ${from}`, lastEventId: `${network} ${to} last` };
  return { actor: APP, profile: { ...PROFILE, network }, count: 2, days: to - from + 1, firstAt: day(from), lastAt: day(to), ...ids };
}

const networks = (habits: readonly Habit[], memoryDays = 90) => appearances(habits, ({ network }) => network, memoryDays * DAY);

describe('appearances', () => {
  test('tell each value when it comes up, with what was known and how many new ones there had been', () => {
    expect(networks([habit('a', 0, 50), habit('b', 10, 50), habit('c', 20, 20)])).toMatchObject([
      { value: 'a', known: [], novelties: 0 },
      { value: 'b', known: ['a'], novelties: 0 },
      { value: 'c', known: ['a', 'b'], novelties: 1 },
    ]);
  });

  test('come again after more than the memory, and not after exactly as much', () => {
    const paused = (pause: number) => networks([habit('a', 0, 200), habit('b', 10, 10), habit('b', 10 + pause, 10 + pause)]);
    expect(paused(90).map(({ value }) => value)).toEqual(['a', 'b']);
    expect(paused(91).map(({ value }) => value)).toEqual(['a', 'b', 'b']);
  });

  test('forget values and novelties that are older than the memory', () => {
    expect(networks([habit('a', 0, 1), habit('b', 2, 3), habit('c', 100, 100)]).at(-1)).toMatchObject({
      value: 'c',
      known: [],
      novelties: 0,
    });
  });

  test('leave out what has no value', () => {
    expect(appearances([habit('a', 0, 1)], () => null, DAY)).toEqual([]);
  });
});

describe('learnedSince', () => {
  test('is the first call, or the first one after a silence longer than the memory', () => {
    const habits = [habit('a', 0, 10), habit('b', 60, 70), habit('a', 200, 210)];
    expect(learnedSince(habits, day(65), 90 * DAY)).toBe(day(0));
    expect(learnedSince(habits, day(205), 90 * DAY)).toBe(day(200));
  });

  test('is never for what has no call before', () => {
    expect(learnedSince([habit('a', 5, 6)], day(4), DAY)).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('settled', () => {
  test('resolves at the moment that is so many days later, and not before', () => {
    expect(settled(day(0), day(30) - 1, { days: 30, reason: 'past' })).toEqual({});
    expect(settled(day(0), day(99), { days: 30, reason: 'past' })).toEqual({ resolved: { at: day(30), reason: 'past' } });
  });
});

describe('outlierOf', () => {
  const options = { minimum: 10, factor: 3 };

  test('needs the minimum, and something to compare with', () => {
    expect(outlierOf(9, [0, 0, 0, 0], options)).toBeNull();
    expect(outlierOf(1000, [], options)).toBeNull();
    expect(outlierOf(10, [0, 0, 0, 0], options)).toMatchObject({ value: 10, median: 0, percentile95: 0 });
  });

  test('takes what happens one time in ten as habit', () => {
    const uneven = Array.from({ length: 40 }, (_, i) => (i % 10 === 0 ? 300 : 2));
    expect(outlierOf(600, uneven, options)).toBeNull();
    expect(outlierOf(901, uneven, options)).not.toBeNull();
  });

  test('asks more than the factor alone of a habit that is spread widely', () => {
    // Median 200, median deviation 100: outliers begin at 200 + 3.5 × 100 / 0.6745 = 719.
    const wide = [0, 50, 100, 150, 200, 250, 300, 350, 400];
    expect(outlierOf(720, wide, { minimum: 10, factor: 1 })).toMatchObject({ median: 200, deviation: 100, percentile95: 400 });
    expect(outlierOf(718, wide, { minimum: 10, factor: 1 })).toBeNull();
  });
});

/** Days with the same hours, from day 0 (a Thursday) on. */
function volumes(days: number, hoursOf: (n: number) => readonly number[]): DailyVolume[] {
  const first = Math.floor(day(0) / DAY);
  return Array.from({ length: days }, (_, n) => {
    const hours = Array.from({ length: 24 }, (__, hour) => hoursOf(n)[hour] ?? 0);
    return { actor: APP, day: first + n, hours, bits: 0, firstEventId: `first ${n}`, lastEventId: `last ${n}` };
  }).filter(({ hours }) => hours.some((n) => n > 0));
}

const at = (hour: number, n: number): number[] => Array.from({ length: 24 }, (_, i) => (i === hour ? n : 0));
const OPTIONS = { minimumPerHour: 100, minimumPerDay: 300, quietMinimum: 100, quietFactor: 10, factor: 3, learningDays: 14 };

describe('spikesOf', () => {
  test('finds the hour that is far beyond the same hours of days and weeks before', () => {
    const spikes = spikesOf(
      volumes(31, (n) => at(9, n === 30 ? 250 : 40)),
      OPTIONS,
    );
    expect(spikes[0]).toMatchObject({ unit: 'hour', from: day(30) + 9 * HOUR, value: 250 });
  });

  test('takes a big hour at the same hour of every week as habit', () => {
    const weekly = volumes(57, (n) => at(9, n % 7 === 0 ? 250 : 40));
    expect(spikesOf(weekly, OPTIONS).filter(({ from }) => from > day(30))).toEqual([]);
  });

  test('finds the day whose hours are each too small to stand out', () => {
    const spread = volumes(31, (n) => Array<number>(24).fill(n === 30 ? 90 : 5));
    expect(spikesOf(spread, OPTIONS)).toMatchObject([{ unit: 'day', from: day(30), value: 2160 }]);
  });

  test('finds the day of a caller that hardly calls, though it would be nothing for others', () => {
    const spread = (usual: (n: number) => number[]) => volumes(31, (n) => (n === 30 ? Array<number>(24).fill(5) : usual(n)));
    const quiet = spread((n) => at(9, n % 3));
    expect(spikesOf(quiet, OPTIONS)).toMatchObject([{ unit: 'day', from: day(30), value: 120, percentile95: 2 }]);
    expect(
      spikesOf(
        spread(() => at(9, 20)),
        OPTIONS,
      ),
    ).toEqual([]);
  });

  test('asks the fewer calls of a day for the more times the usual: ten times at a hundred, three times at three hundred, evenly between', () => {
    const isFound = (usual: number, calls: number): boolean =>
      spikesOf(
        volumes(31, (n) => at(9, n === 30 ? calls : usual)),
        { ...OPTIONS, minimumPerHour: 1e6 },
      ).some(({ unit }) => unit === 'day');
    // At 240 calls 10 × 0.3^(ln 2.4 / ln 3) = 3.83 times: 62 calls on other days, and not 63.
    expect([isFound(62, 240), isFound(63, 240)]).toEqual([true, false]);
    expect([isFound(9, 100), isFound(10, 100)]).toEqual([true, false]);
    expect([isFound(99, 300), isFound(100, 300)]).toEqual([true, false]);
    expect([isFound(199, 600), isFound(200, 600)]).toEqual([true, false]);
  });

  test('two busy days within eight weeks are no habit of a day, three are', () => {
    const after = (busy: number) =>
      spikesOf(
        volumes(71, (n) => Array<number>(24).fill(n === 70 ? 20 : n >= 50 && n < 50 + busy ? 10 : 1)),
        { ...OPTIONS, minimumPerHour: 1e6 },
      ).filter(({ unit, from }) => unit === 'day' && from === day(70));
    expect(after(2)).toMatchObject([{ value: 480, percentile95: 24 }]);
    expect(after(3)).toEqual([]);
  });

  test('finds seven days that only together are far more than any seven before', () => {
    const slow = volumes(40, (n) => at(9, n >= 33 ? 30 : n % 2));
    const spikes = spikesOf(slow, OPTIONS);
    expect(spikes[0]).toMatchObject({ unit: 'week', from: day(36), value: 121 });
    expect(spikes.every(({ unit }) => unit === 'week')).toBe(true);
    // Of more calls fewer times the usual do: at 448 of seven days 10 × 0.3^(ln 4.48 / ln 21) = 5.53 times.
    const [more, less] = [10, 12].map((usual) =>
      spikesOf(
        volumes(42, (n) => at(9, n >= 35 ? 64 : usual)),
        OPTIONS,
      ),
    );
    expect(more).toContainEqual(expect.objectContaining({ unit: 'week', from: day(41), value: 448, percentile95: 70 }));
    expect(less).toEqual([]);
    // One week of those before may be near: it takes two to make a habit.
    const begun = volumes(41, (n) => at(9, n > 33 ? 30 : n === 33 ? 15 : 1));
    expect(spikesOf(begun, OPTIONS)).toContainEqual(expect.objectContaining({ unit: 'week', from: day(40), value: 210 }));
    expect(
      spikesOf(
        volumes(60, (n) => at(9, n >= 33 && n < 40 ? 9 : 1)),
        OPTIONS,
      ),
    ).toEqual([]);
  });

  test('takes nobody for a caller that hardly calls who had nearly never called: the first weeks of regular use are no finding', () => {
    const beginner = volumes(75, (n) => at(9, n === 0 ? 1 : n < 60 ? 0 : 40));
    expect(spikesOf(beginner, OPTIONS)).toEqual([]);
    // Nor who did so more than four weeks ago.
    const again = volumes(61, (n) => at(9, n === 60 ? 120 : n < 20 ? 1 : 0));
    expect(spikesOf(again, { ...OPTIONS, minimumPerHour: 1e6 })).toEqual([]);
  });

  test('says nothing while it learns, of hours below the minimum, and of growth that takes its time', () => {
    expect(
      spikesOf(
        volumes(14, (n) => at(9, n === 13 ? 5000 : 1)),
        OPTIONS,
      ),
    ).toEqual([]);
    expect(
      spikesOf(
        volumes(31, (n) => at(9, n === 30 ? 90 : 1)),
        OPTIONS,
      ),
    ).toEqual([]);
    expect(
      spikesOf(
        volumes(60, (n) => at(9, 100 + 5 * n)),
        OPTIONS,
      ),
    ).toEqual([]);
  });
});
