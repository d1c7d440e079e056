/**
 * Which hours stand out from the hours before them. Three tests must agree, because each alone is fooled by something:
 *
 * - a Poisson tail on the mean of the hours before: right for sparse counts, too nervous for uneven ones
 * - the modified z-score, from median and median absolute deviation (MAD), above 3.5: not moved by a few large hours
 *   (Iglewicz and Hoaglin; https://www.itl.nist.gov/div898/handbook/eda/section3/eda35h.htm)
 * - more than the 99th percentile of the hours before: what happened on several days already is habit
 *
 * Hours without a call count as zero. A burst's own hours are left out of the habit for a day, so that a long burst does
 * not become normal while it lasts; what comes back day after day does.
 */
import { HOUR } from '../core/clock.ts';
import { poissonTail } from './statistics.ts';

export interface BurstOptions {
  /** Fewer in an hour are never a burst. */
  readonly minimum: number;
  readonly historyHours: number;
  /** Largest chance of so many under the habit. */
  readonly chance: number;
}

export interface Burst {
  /** Begin of the hour, epoch milliseconds. */
  readonly hour: number;
  readonly count: number;
  /** Of the hours before, an hour. */
  readonly mean: number;
  readonly median: number;
  readonly mad: number;
  readonly percentile99: number;
}

const LEFT_OUT_FOR = 24 * HOUR;
const MODIFIED_Z = 3.5;

/** Bursts in time order. @param rows calls by begin of hour, in any number of rows an hour; hours without calls may be left out */
export function burstsOf(rows: readonly { readonly hour: number; readonly count: number }[], options: BurstOptions): Burst[] {
  const counts = new Map<number, number>();
  for (const { hour, count } of rows) counts.set(hour, (counts.get(hour) ?? 0) + count);
  const hours: Hour[] = [...counts].map(([begin, count]) => ({ begin, count, burst: false })).sort((a, b) => a.begin - b.begin);
  const bursts: Burst[] = [];
  let oldest = 0;
  for (const [position, hour] of hours.entries()) {
    while ((hours[oldest] ?? hour).begin < hour.begin - options.historyHours * HOUR) oldest++;
    if (hour.count < options.minimum) continue;
    const habit: number[] = [];
    for (let past = oldest; past < position; past++) {
      const { begin, count, burst } = hours[past] ?? hour;
      if (!burst || begin <= hour.begin - LEFT_OUT_FOR) habit.push(count);
    }
    const size = Math.max(options.historyHours - (position - oldest - habit.length), habit.length, 1);
    const found = judge(hour, habit, { size, chance: options.chance });
    if (found === null) continue;
    bursts.push(found);
    hour.burst = true;
  }
  return bursts;
}

interface Hour {
  readonly begin: number;
  readonly count: number;
  burst: boolean;
}

/** @param habit counts of the hours before, `size` hours in all, those that are not given being zero */
function judge({ begin, count }: Hour, habit: readonly number[], { size, chance }: { size: number; chance: number }): Burst | null {
  // The cheap form of the third test comes first: as many as that, or more, too often before.
  if (habit.filter((past) => past >= count).length > size - Math.ceil(0.99 * size)) return null;
  const mean = habit.reduce((sum, past) => sum + past, 0) / size;
  if (poissonTail(count, mean) > chance) return null;
  const burst = { hour: begin, count, mean, ...robust(habit, size) };
  return 0.6745 * (count - burst.median) > MODIFIED_Z * burst.mad ? burst : null;
}

/** Median, MAD and 99th percentile of `size` values, those that are not given being zero. */
function robust(values: readonly number[], size: number): { median: number; mad: number; percentile99: number } {
  const sorted = new Float64Array(size);
  sorted.set(values.slice(0, size));
  sorted.sort();
  const at = (list: Float64Array, share: number) => list[Math.max(Math.ceil(share * size) - 1, 0)] ?? 0;
  const median = at(sorted, 0.5);
  const deviations = sorted.map((value) => Math.abs(value - median)).sort();
  return { median, mad: at(deviations, 0.5), percentile99: at(sorted, 0.99) };
}
