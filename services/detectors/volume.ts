/**
 * Hours and days of one caller under one key that stand out from comparable ones: the same hour of the week in the eight weeks before and
 * the same hour of the day in the two weeks before, each with its neighbours; for days, the four weeks before.
 */
import { DAY } from '../core/clock.ts';
import type { DailyVolume } from './contract.ts';
import { type Outlier, outlierOf } from './statistics.ts';

export interface VolumeOptions {
  readonly minimumPerHour: number;
  readonly minimumPerDay: number;
  readonly factor: number;
  readonly learningDays: number;
}

export interface Spike extends Outlier {
  /** Epoch milliseconds. */
  readonly from: number;
  readonly unit: 'hour' | 'day';
}

const HOUR = DAY / 24;
const WEEKS_BACK = [1, 2, 3, 4, 5, 6, 7, 8].map((weeks) => weeks * 7 * 24);
const DAYS_BACK = Array.from({ length: 14 }, (_, day) => (day + 1) * 24);
/** Hours before that are compared with. */
const COMPARED = [...new Set([...WEEKS_BACK, ...DAYS_BACK].flatMap((hours) => [hours - 1, hours, hours + 1]))].filter(
  (hours) => hours >= 23,
);

/** In time order, hours before their day. @param volumes of one caller, by day */
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
    const before = Array.from({ length: 28 }, (_, back) => day - 1 - back).flatMap((past) =>
      past < first.day ? [] : [days.get(past) ?? 0],
    );
    const whole = outlierOf(total, before, { minimum: options.minimumPerDay, factor: options.factor });
    return whole ? [...found, { ...whole, from: day * DAY, unit: 'day' }] : found;
  });
}
