/**
 * When is a change a move *back*? When it restores the settled value: the first known one, or the latest one that had
 * held for 30 days. An old value that was replaced long ago is therefore not "back", but a change like any other.
 */
import { DAY } from '../core/clock.ts';
import type { StoredEvent } from '../core/event.ts';

export const SETTLED_AFTER = 30 * DAY;

export interface Change {
  readonly event: StoredEvent;
  /** Value before and after; null = not known. */
  readonly from: string | null;
  readonly to: string | null;
}

export interface Judged extends Change {
  readonly verdict: 'first' | 'same' | 'restored' | 'changed';
  /** The settled value just before the change; null = not known. */
  readonly settled: string | null;
}

/**
 * @param firstIsNormal the first value that a change sets counts as settled, although it has not held for long
 *
 * - `first`: nothing was known before
 * - `same`: sets what was set already
 * - `restored`: sets the settled value again
 * - `changed`: anything else, a change to something unknown included
 */
export function judgeChanges(changes: readonly Change[], firstIsNormal: boolean): Map<StoredEvent, Judged> {
  const judged = new Map<StoredEvent, Judged>();
  let settled: string | null = null;
  let held: string | null = null;
  let since = Number.NEGATIVE_INFINITY;
  for (const change of changes) {
    const before: string | null = change.from ?? held;
    const lasted = change.event.eventTime - since >= SETTLED_AFTER;
    if (before !== null && (lasted || (firstIsNormal && settled === null))) settled = before;
    judged.set(change.event, { ...change, from: before, settled, verdict: verdictOf(before, change.to, settled) });
    if (change.to === null || change.to !== before) since = change.event.eventTime;
    held = change.to;
  }
  return judged;
}

function verdictOf(before: string | null, to: string | null, settled: string | null): Judged['verdict'] {
  if (to === null) return 'changed';
  if (before === null && settled === null) return 'first';
  if (to === before) return 'same';
  return to === settled ? 'restored' : 'changed';
}
