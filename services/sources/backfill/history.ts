/**
 * CloudTrail's event history of the last 90 days, account by account and Region by Region, beside whoever polls it live: the two share
 * what AWS allows, two requests a second.
 */
import { DAY, HOUR } from '../../core/clock.ts';
import { type Filter, filterName, KEPT_DAYS, nameOf, type Target } from '../event-history.ts';
import { dayName, daysOf } from './days.ts';
import type { Plan, Row, Stretch } from './stretch.ts';
import { type HistoryParts, TargetReader } from './target-reader.ts';

export interface HistoryBackfill {
  readonly targets: readonly Target[];
  /** Epoch milliseconds; rounded to whole days, and cut off at what CloudTrail has. */
  readonly from: number;
  readonly to: number;
}

/** Events are there a quarter of an hour after they happen, as a rule, and hours later in bad times. */
const LATE_MS = 6 * HOUR;
/** What is about to be dropped is left alone: it would be gone while it is read. */
const MARGIN_MS = HOUR;
/** The oldest moment that CloudTrail still tells of, epoch milliseconds. */
export function oldestLookup(now: number): number {
  return now - KEPT_DAYS * DAY;
}

export function planHistory({ targets, from, to }: HistoryBackfill, parts: HistoryParts): Plan {
  const now = parts.time.now();
  const period = { from: Math.max(from, oldestLookup(now) + MARGIN_MS), to: Math.min(to, now) };
  const days = daysOf(period);
  const total = targets.reduce((sum, { filters }) => sum + filters.length * days.length, 0);
  return { total, rows: targets.map((target) => row(target, days, parts)) };
}

/** The oldest day first: it is the next to be dropped. */
async function* row(target: Target, days: readonly number[], parts: HistoryParts): Row {
  const reader = new TargetReader(target, parts);
  try {
    for (const day of days) {
      for (const filter of target.filters) {
        if (reader.isRefused) return;
        yield stretchOf({ target, filter, day }, reader, parts);
      }
    }
  } finally {
    await reader.close();
  }
}

interface Part {
  readonly target: Target;
  readonly filter: Filter;
  readonly day: number;
}

function stretchOf({ target, filter, day }: Part, reader: TargetReader, { time }: HistoryParts): Stretch {
  const end = Math.min(day + DAY - 1_000, Math.floor(time.now() / 1_000) * 1_000);
  const start = Math.max(day, Math.ceil((oldestLookup(time.now()) + MARGIN_MS) / 1_000) * 1_000);
  return {
    checkpoint: `backfill/${nameOf(target)}/${filterName(filter)}/${dayName(day)}`,
    name: `${target.account} ${target.region} ${filterName(filter)} ${dayName(day)}`,
    settledAt: day + DAY + LATE_MS,
    read: (signal) => reader.read(filter, { start, end }, signal),
  };
}
