import { describe, expect, test } from 'vitest';
import { DAY, HOUR } from '../../../services/core/clock.ts';
import { burstsOf } from '../../../services/detectors/bursts.ts';
import { cpuMs } from '../../support/cpu.ts';

const START = Date.UTC(2026, 0, 1);
const OPTIONS = { minimum: 10, historyHours: 14 * 24, chance: 1e-6 };

/** Calls by hour number since the start. */
const rowsOf = (entries: readonly (readonly [hour: number, calls: number])[]) =>
  entries.map(([hour, calls]) => ({ hour: START + hour * HOUR, count: calls }));
const burstHours = (entries: readonly (readonly [number, number])[]) =>
  burstsOf(rowsOf(entries), OPTIONS).map((burst) => (burst.hour - START) / HOUR);

const everyHour = (calls: (hour: number) => number, hours: number) =>
  Array.from({ length: hours }, (_, hour) => [hour, calls(hour)] as const).filter(([, n]) => n > 0);

describe('burstsOf', () => {
  test('the minimum after silence is a burst, one less is not', () => {
    expect(burstHours([[400, 10]])).toEqual([400]);
    expect(burstHours([[400, 9]])).toEqual([]);
  });

  test('rows of one hour are counted together', () => {
    expect(
      burstHours([
        [400, 4],
        [400, 3],
        [400, 3],
      ]),
    ).toEqual([400]);
  });

  test('steady denials are habit once there is history, and a multiple of them stands out', () => {
    const habit = everyHour((hour) => 20 + (hour % 5), 400);
    expect(burstHours(habit).filter((hour) => hour > 48)).toEqual([]);
    expect(burstHours([...habit, [400, 90]])).toContain(400);
    expect(burstHours([...habit, [400, 28]])).not.toContain(400);
  });

  test('a job that fails at the same hour every day is habit from the fifth day on', () => {
    const job = Array.from({ length: 14 }, (_, day) => [day * 24 + 3, 50] as const);
    expect(burstHours(job)).toEqual([3, 27, 51, 75]);
  });

  test('one small denial a day does not hide a burst', () => {
    const drips = Array.from({ length: 14 }, (_, day) => [day * 24, 1] as const);
    expect(burstHours([...drips, [340, 12]])).toEqual([340]);
  });

  test('a burst that goes on for many hours is a burst in every one of them', () => {
    const long = Array.from({ length: 12 }, (_, i) => [400 + i, 100] as const);
    expect(burstHours(long)).toEqual(long.map(([hour]) => hour));
  });

  test('what is older than the history is forgotten', () => {
    const job = Array.from({ length: 10 }, (_, day) => [day * 24, 50] as const);
    expect(burstHours([...job, [9 * 24 + 15 * 24, 50]])).toContain(24 * 24);
  });

  test('the order in which hours come does not matter', () => {
    const entries = [...everyHour((hour) => hour % 3, 200), [220, 60] as const];
    expect(burstHours(entries.toReversed())).toEqual(burstHours(entries));
  });

  test('tells what was expected', () => {
    const drips = Array.from({ length: 14 }, (_, day) => [day * 24, 2] as const);
    const [burst] = burstsOf(rowsOf([...drips, [14 * 24, 40]]), OPTIONS);
    expect(burst).toEqual({ hour: START + 14 * DAY, count: 40, mean: 28 / 336, median: 0, mad: 0, percentile99: 2 });
  });

  test('a year of bad hours is judged quickly', () => {
    const rows = rowsOf(everyHour((hour) => 10 + ((hour * 7919) % 1000), 365 * 24));
    expect(cpuMs(() => burstsOf(rows, OPTIONS))).toBeLessThan(1_000);
  });
});
