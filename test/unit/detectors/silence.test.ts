import { Random } from '../../../services/simulate/random.ts';
import { describe, expect, test } from 'vitest';
import { DAY, HOUR } from '../../../services/core/clock.ts';
import { type Silence, silences } from '../../../services/detectors/silence.ts';

/** A Monday. */
const START = Date.UTC(2026, 2, 2);
const RULE = { learnMs: 14 * DAY, leastHours: 1 };

function hours(from: number, to: number, isHeard: (hour: Date) => boolean = () => true): number[] {
  return Array.from({ length: (to - from) / HOUR }, (_, n) => from + n * HOUR).filter((hour) => isHeard(new Date(hour)));
}

/** Listened for 60 days; judged at `now`. */
function judge(heard: readonly number[], now: number, rule: Partial<typeof RULE> = {}): Silence[] {
  return silences({ heard, listened: hours(START, START + 60 * DAY), closedBefore: now }, { ...RULE, ...rule });
}

const office = (hour: Date): boolean => hour.getUTCDay() % 6 !== 0 && hour.getUTCHours() >= 8 && hour.getUTCHours() < 18;

describe('a source that is heard every hour', () => {
  const heard = hours(START, START + 20 * DAY);

  test('is silent from the first hour on that is over and was not heard', () => {
    expect(judge(heard, START + 20 * DAY)).toEqual([]);
    expect(judge(heard, START + 20 * DAY + HOUR)).toMatchObject([
      { from: START + 20 * DAY, to: START + 20 * DAY + HOUR, endedAt: null, silentHours: 1, loss: 1, floor: 1 },
    ]);
  });

  test('is given as many hours as the rule wants', () => {
    expect(judge(heard, START + 20 * DAY + 2 * HOUR, { leastHours: 3 })).toEqual([]);
    expect(judge(heard, START + 20 * DAY + 3 * HOUR, { leastHours: 3 })).toHaveLength(1);
  });

  test('is not judged while it is being learned', () => {
    expect(judge(heard.slice(0, 13 * 24), START + 19 * DAY)).toEqual([]);
  });

  test('that was silent once before is as soon silent again: an outage does not make deaf', () => {
    const before = heard.filter((hour) => hour < START + 15 * DAY || hour >= START + 16 * DAY);
    expect(judge(before, START + 20 * DAY + HOUR)).toMatchObject([
      { from: START + 15 * DAY, endedAt: START + 16 * DAY, silentHours: 24 },
      { from: START + 20 * DAY, endedAt: null },
    ]);
  });

  test('that often has a quiet hour needs a longer silence', () => {
    const gappy = heard.filter((hour) => (hour / HOUR) % 29 !== 3);
    expect(judge(gappy, START + 20 * DAY + HOUR)).toEqual([]);
    expect(judge(gappy, START + 20 * DAY + 3 * HOUR)).toHaveLength(1);
  });

  test('was not silent in hours in which nobody listened', () => {
    const listened = hours(START, START + 20 * DAY);
    expect(silences({ heard, listened, closedBefore: START + 25 * DAY }, RULE)).toEqual([]);
  });

  test('judges the hours in which somebody listened, of a time that was partly down', () => {
    const listened = [...hours(START, START + 20 * DAY), ...hours(START + 22 * DAY, START + 22 * DAY + 2 * HOUR)];
    expect(silences({ heard, listened, closedBefore: START + 23 * DAY }, RULE)).toMatchObject([
      { from: START + 22 * DAY, to: START + 22 * DAY + 2 * HOUR, silentHours: 2 },
    ]);
  });
});

describe('a source that is heard in office hours', () => {
  const heard = hours(START, START + 18 * DAY, office);

  test('is not silent at night', () => {
    // Thursday, 18:00 until Friday, 7:00.
    expect(judge(heard, START + 17 * DAY + 24 * HOUR + 7 * HOUR)).toEqual([]);
  });

  test('is silent in the morning', () => {
    expect(judge(heard, START + 18 * DAY + 9 * HOUR)).toMatchObject([{ silentHours: 15, loss: 1, endedAt: null }]);
  });

  test('is not silent on a weekend', () => {
    const untilFriday = hours(START, START + 19 * DAY, office);
    expect(judge(untilFriday, START + 21 * DAY)).toEqual([]);
    expect(judge(untilFriday, START + 21 * DAY + 9 * HOUR)).toHaveLength(1);
  });
});

describe('a source that is rarely heard', () => {
  // Every 37th hour: no hour of the day tells anything.
  const heard = hours(START, START + 40 * DAY).filter((hour) => ((hour - START) / HOUR) % 37 === 0);

  test('is not silent for a day, and is after a week', () => {
    expect(judge(heard, START + 42 * DAY)).toEqual([]);
    expect(judge(heard, START + 47 * DAY)).toMatchObject([{ endedAt: null }]);
  });

  test('whose history was read afterwards is not expected every day at those hours', () => {
    const listened = hours(START + 39 * DAY, START + 60 * DAY);
    expect(silences({ heard, listened, closedBefore: START + 42 * DAY }, RULE)).toEqual([]);
  });
});

test('a silence is judged the same for as long as it is told, though older hours are forgotten day by day', () => {
  // Seldom heard at first, so that old quiet stretches would excuse later ones until they are forgotten.
  const random = new Random('silence');
  const all = hours(START, START + 165 * DAY);
  const isOut = (hour: number): boolean => [122, 126].some((day) => hour >= START + day * DAY && hour < START + day * DAY + 7 * HOUR);
  const heard = all.filter((hour) => random.chance(hour < START + 60 * DAY ? 0.3 : 0.95) && !isOut(hour));
  const judgedAt = (now: number) => {
    const loaded = (list: readonly number[]) => list.filter((hour) => hour >= now - 91 * DAY && hour < now);
    return silences({ heard: loaded(heard), listened: loaded(all), closedBefore: now }, RULE);
  };
  const told = new Map<number, number[]>();
  for (let now = START + 115 * DAY; now < START + 165 * DAY; now += DAY) {
    for (const { from, endedAt } of judgedAt(now)) if (endedAt !== null) told.set(from, [...(told.get(from) ?? []), (now - endedAt) / DAY]);
  }
  expect(told.size).toBeGreaterThan(0);
  for (const ages of told.values()) {
    expect(ages[0]).toBeLessThanOrEqual(1);
    expect(ages).toHaveLength(30);
  }
});

test('of a source that was never heard nothing is expected', () => {
  expect(judge([], START + 50 * DAY)).toEqual([]);
});
