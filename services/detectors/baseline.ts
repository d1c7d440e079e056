/**
 * What was known of a subject when something came up: values that are new, and since when the subject has been learned. A value that was
 * not seen for the memory counts as new again; a subject that was silent for so long begins to be learned anew. See docs/baselines.md.
 */
import { DAY } from '../core/clock.ts';
import { compareEvents } from '../core/event.ts';
import type { CallProfile, Habit } from '../core/habit.ts';

/** A value of one dimension that came up. */
export interface Appearance {
  readonly value: string;
  readonly at: number;
  readonly eventId: string;
  /** The calls that it came up with. */
  readonly habit: Habit;
  /** Other values that were known just before, within the memory, sorted. */
  readonly known: readonly string[];
  /** How many of them had come up within the memory, the first one of the subject excepted. */
  readonly novelties: number;
}

/**
 * Values as they come up, in order of time; the first one included.
 * @param habits in order of their first events
 * @param valueOf null leaves the calls out
 * @param memory milliseconds
 */
export function appearances(habits: readonly Habit[], valueOf: (profile: CallProfile) => string | null, memory: number): Appearance[] {
  const last = new Map<string, number>();
  const before: Appearance[] = [];
  for (const habit of habits) {
    const value = valueOf(habit.profile);
    if (value === null) continue;
    const { firstAt: at, firstEventId: eventId } = habit;
    const seen = last.get(value);
    last.set(value, Math.max(seen ?? habit.lastAt, habit.lastAt));
    if (seen !== undefined && at - seen <= memory) continue;
    const known = [...last].flatMap(([other, until]) => (other !== value && until >= at - memory ? [other] : [])).sort();
    const novelties = before.filter((one) => one.at >= at - memory && one.known.length > 0).length;
    before.push({ value, at, eventId, habit, known, novelties });
  }
  return before;
}

/** Since when the subject has been learned at a moment: its first call, or its first one after a silence longer than the memory. */
export function learnedSince(habits: readonly Habit[], at: number, memory: number): number {
  let since = Number.POSITIVE_INFINITY;
  let end = Number.NEGATIVE_INFINITY;
  for (const habit of habits) {
    if (habit.firstAt > at) break;
    if (habit.firstAt - end > memory) since = habit.firstAt;
    end = Math.max(end, habit.lastAt);
  }
  return since;
}

/** How many days before the day of `at`, and within the memory, had calls. `days`: days since 1970. */
export function activeDays(days: readonly number[], at: number, memory: number): number {
  const today = Math.floor(at / DAY);
  return days.filter((day) => day < today && day >= today - memory / DAY).length;
}

/** First and last events of habits, in event order, each once. */
export function habitEvidence(habits: readonly Habit[]): string[] {
  const ends = habits.flatMap((habit) => [
    { eventTime: habit.firstAt, eventId: habit.firstEventId },
    { eventTime: habit.lastAt, eventId: habit.lastEventId },
  ]);
  return [...new Set(ends.sort(compareEvents).map(({ eventId }) => eventId))];
}

export function totalCount(habits: readonly Habit[]): number {
  return habits.reduce((sum, habit) => sum + habit.count, 0);
}

export function earliest(habits: readonly Habit[]): number {
  return habits.reduce((at, habit) => Math.min(at, habit.firstAt), Number.POSITIVE_INFINITY);
}

export function latest(habits: readonly Habit[]): number {
  return habits.reduce((at, habit) => Math.max(at, habit.lastAt), Number.NEGATIVE_INFINITY);
}

/** What ends a finding that nobody can mend: by `days` after its last occurrence it is past, or habit. */
export function settled(
  at: number,
  asOf: number,
  settling: { readonly days: number; readonly reason: string },
): { resolved?: { at: number; reason: string } } {
  const until = at + settling.days * DAY;
  return asOf >= until ? { resolved: { at: until, reason: settling.reason } } : {};
}
