/** Days of UTC: what a backfill is cut into. Epoch milliseconds. */
import { DAY } from '../../core/clock.ts';

export function dayOf(at: number): number {
  return Math.floor(at / DAY) * DAY;
}

/** Begins of the days that [from, to) touches, oldest first; none when it is empty. */
export function daysOf({ from, to }: { readonly from: number; readonly to: number }): number[] {
  if (to <= from) return [];
  const first = dayOf(from);
  return Array.from({ length: (dayOf(to - 1) - first) / DAY + 1 }, (_, n) => first + n * DAY);
}

/** `2026/03/01`, as in object keys. */
export function dayPath(day: number): string {
  return dayName(day).replaceAll('-', '/');
}

/** `2026-03-01`. */
export function dayName(day: number): string {
  return new Date(day).toISOString().slice(0, 10);
}
