/** When a key waited for its deletion, and how many of an hour's failed calls fell into such a time. */
import type { FailureHour, KeySubject } from './contract.ts';
import { oncePer } from './once-per.ts';

export interface PendingPeriod {
  /** Event times; `to` is infinite while it lasts. */
  readonly from: number;
  readonly to: number;
}

export const pendingPeriods = oncePer((subject: KeySubject): readonly PendingPeriod[] => {
  const periods: PendingPeriod[] = [];
  let from: number | null = null;
  for (const { event, after } of subject.timeline) {
    const pending = (after.deletion?.value ?? null) !== null && after.deleted === undefined;
    if (pending && from === null) from = event.eventTime;
    if (pending || from === null) continue;
    periods.push({ from, to: event.eventTime });
    from = null;
  }
  if (from !== null) periods.push({ from, to: Number.POSITIVE_INFINITY });
  return periods;
});

export interface Share {
  readonly calls: number;
  /** False: the hour straddles a border, and only its first or last call is known to lie on this side. */
  readonly exact: boolean;
  readonly first: { readonly at: number; readonly eventId: string };
  readonly last: { readonly at: number; readonly eventId: string };
}

/** The calls of a failure hour that are known to have been made inside (or outside) the periods; null for none. */
export function shareOf(failure: FailureHour, periods: readonly PendingPeriod[], side: 'inside' | 'outside'): Share | null {
  const on = (at: number) => periods.some((period) => at >= period.from && at < period.to) === (side === 'inside');
  const first = { at: failure.firstAt, eventId: failure.firstEventId };
  const last = { at: failure.lastAt, eventId: failure.lastEventId };
  if (on(first.at) && on(last.at)) return { calls: failure.count, exact: true, first, last };
  if (on(first.at)) return { calls: 1, exact: false, first, last: first };
  if (on(last.at)) return { calls: 1, exact: false, first: last, last };
  return null;
}
