/**
 * Hours, days and weeks of one caller under one key that stand out from comparable ones: the same hour of the week in the eight weeks before
 * and the same hour of the day in the two weeks before, each with its neighbours; for days the eight weeks before, for any
 * seven of them the four weeks before.
 */
import { DAY } from '../core/clock.ts';
import type { DailyVolume } from './contract.ts';
import { type Outlier, outlierOf } from './statistics.ts';

export interface VolumeOptions {
  readonly minimumPerHour: number;
  readonly minimumPerDay: number;
  /** Of a day or of seven days of a caller that hardly calls, if they are `quietFactor` times the usual; the more calls, the fewer times. */
  readonly quietMinimum: number;
  readonly quietFactor: number;
  readonly factor: number;
  readonly learningDays: number;
}

export interface Spike extends Outlier {
  /** Epoch milliseconds. */
  readonly from: number;
  readonly unit: 'hour' | 'day' | 'week';
}

const HOUR = DAY / 24;
const WEEKS_BACK = [1, 2, 3, 4, 5, 6, 7, 8].map((weeks) => weeks * 7 * 24);
const DAYS_BACK = Array.from({ length: 14 }, (_, day) => (day + 1) * 24);
/** Hours before that are compared with. */
const COMPARED = [...new Set([...WEEKS_BACK, ...DAYS_BACK].flatMap((hours) => [hours - 1, hours, hours + 1]))].filter(
  (hours) => hours >= 23,
);

/** In time order, hours before their day and a day before the week that it ends. @param volumes of one caller, by day */
export function spikesOf(volumes: readonly DailyVolume[], options: VolumeOptions): Spike[] {
  const [first] = volumes;
  if (first === undefined) return [];
  const hours = new Map<number, number>();
  const days = new Map<number, number>();
  for (const volume of volumes) {
    days.set(
      volume.day,
      volume.hours.reduce((sum, n) => sum + n, 0),
    );
    for (const [hour, n] of volume.hours.entries()) if (n > 0) hours.set(volume.day * 24 + hour, n);
  }
  const learned = first.day + options.learningDays;
  const { minimumPerDay, quietMinimum, quietFactor } = options;
  return volumes.flatMap(({ day, hours: own }): Spike[] => {
    if (day < learned) return [];
    const found = own.flatMap((n, hour): Spike[] => {
      if (n < options.minimumPerHour) return [];
      const at = day * 24 + hour;
      const comparable = COMPARED.flatMap((back) => (at - back < first.day * 24 ? [] : [hours.get(at - back) ?? 0]));
      const outlier = outlierOf(n, comparable, { minimum: options.minimumPerHour, factor: options.factor });
      return outlier ? [{ ...outlier, from: at * HOUR, unit: 'hour' }] : [];
    });
    const total = days.get(day) ?? 0;
    const whole = total < Math.min(minimumPerDay, quietMinimum) ? null : dayOf(total, daysBefore(days, { day, first: first.day }));
    if (whole) return [...found, { ...whole, from: day * DAY, unit: 'day' }];
    const week = weekOf(days, { day, first: first.day });
    return week ? [...found, { ...week, from: day * DAY, unit: 'week' }] : found;
  });

  function dayOf(total: number, before: readonly number[]): Outlier | null {
    const usual = outlierOf(total, before, { minimum: minimumPerDay, factor: options.factor });
    return usual ?? (isKnown(before) ? outlierOf(total, before, { minimum: quietMinimum, factor: factorFor(total, minimumPerDay) }) : null);
  }

  function weekOf(known: ReadonlyMap<number, number>, { day, first: begun }: { day: number; first: number }): Outlier | null {
    const total = sumBefore(known, day + 1);
    if (total < quietMinimum) return null;
    const factor = factorFor(total, 7 * minimumPerDay);
    // The second largest week decides: where two of them are near, the others need not be looked at.
    if ([day - 6, day - 13].every((end) => total <= factor * sumBefore(known, end))) return null;
    if (!isKnown(daysBefore(known, { day: day - 6, first: begun }))) return null;
    return outlierOf(total, weeksBefore(known, { day, first: begun }), { minimum: quietMinimum, factor });
  }

  /** So many times the usual: from `quietFactor` at `quietMinimum` down to `factor` at `many` calls, evenly on logarithmic scales. */
  function factorFor(calls: number, many: number): number {
    if (calls >= many) return options.factor;
    return quietFactor * (options.factor / quietFactor) ** (Math.log(calls / quietMinimum) / Math.log(many / quietMinimum));
  }
}

const DAYS_COMPARED = 56;

/** What is usual for a caller that hardly calls is known when it did so on some of the latest of these days; else it is a beginner. */
const KNOWN_DAYS = 5;
const KNOWN_AMONG = 28;

/** @param before calls by day, the latest first */
function isKnown(before: readonly number[]): boolean {
  return before.slice(0, KNOWN_AMONG).filter((calls) => calls > 0).length >= KNOWN_DAYS;
}

/** The eight weeks before a day, the latest day first, as far as they are on record. */
function daysBefore(days: ReadonlyMap<number, number>, { day, first }: { day: number; first: number }): number[] {
  return Array.from({ length: DAYS_COMPARED }, (_, back) => day - 1 - back).flatMap((past) => (past < first ? [] : [days.get(past) ?? 0]));
}

/** Calls of the seven days before `end`. */
function sumBefore(days: ReadonlyMap<number, number>, end: number): number {
  let sum = 0;
  for (let day = end - 7; day < end; day++) sum += days.get(day) ?? 0;
  return sum;
}

/** Of any seven days in a row within the four weeks before the seven that end with `day`, as far as they are on record. */
function weeksBefore(days: ReadonlyMap<number, number>, { day, first }: { day: number; first: number }): number[] {
  return Array.from({ length: 22 }, (_, back) => day - 6 - back).flatMap((end) => (end - 7 < first ? [] : [sumBefore(days, end)]));
}
