/** How far one filter of one account and Region has been read: the value of its checkpoint. Times are epoch milliseconds here, ISO text there. */
import { DAY, HOUR, MINUTE } from '../../core/clock.ts';
import type { Json, JsonObject } from '../../core/json.ts';

/** A time whose events can no longer be had. */
export interface Gap {
  readonly from: number;
  readonly to: number;
  readonly foundAt: number;
}

/** Whether two requests a second keep up with what happens in the account. */
export interface Capacity {
  readonly carries: boolean;
  /** Of all events that the filter finds, while it was measured. */
  readonly eventsPerSecond: number;
  readonly measuredAt: number;
}

export interface Progress {
  /** Where reading began; what is older was not asked for. */
  readonly since: number;
  /** End of the last window that was read to its end. */
  readonly highWater: number;
  /** Everything before was read when it was older than the overlap: here the next pass begins. */
  readonly settled: number;
  /** When the last sweep for stragglers was done; null = never. */
  readonly sweptAt: number | null;
  readonly overlapMs: number;
  /** Length of a window. */
  readonly sliceMs: number;
  readonly gaps: readonly Gap[];
  readonly capacity: Capacity | null;
}

/** The least and the most that a window spans. Event times are whole seconds. */
export const SLICE_MS = { least: 1_000, first: DAY, most: 7 * DAY } as const;
export const OVERLAP_MOST_MS = 6 * HOUR;
const GAPS_KEPT = 50;

export function withGap(progress: Progress, gap: Gap): Progress {
  return { ...progress, gaps: [...progress.gaps, gap].slice(-GAPS_KEPT) };
}

export function writeProgress(progress: Progress): JsonObject {
  const { capacity } = progress;
  return {
    since: iso(progress.since),
    high_water: iso(progress.highWater),
    settled: iso(progress.settled),
    swept_at: progress.sweptAt === null ? null : iso(progress.sweptAt),
    overlap_minutes: progress.overlapMs / MINUTE,
    slice_seconds: progress.sliceMs / 1000,
    gaps: progress.gaps.map(({ from, to, foundAt }) => ({ from: iso(from), to: iso(to), found_at: iso(foundAt) })),
    capacity: capacity && {
      carries: capacity.carries,
      events_per_second: Math.round(capacity.eventsPerSecond * 100) / 100,
      measured_at: iso(capacity.measuredAt),
    },
  };
}

/** @returns null when the value is no progress: then the filter begins as if never read */
export function readProgress(value: Json, overlapMs: number): Progress | null {
  if (!isObject(value)) return null;
  const highWater = time(value['high_water']);
  if (highWater === null) return null;
  const settled = Math.min(time(value['settled']) ?? highWater - overlapMs, highWater);
  return {
    since: Math.min(time(value['since']) ?? settled, settled),
    highWater,
    settled,
    sweptAt: time(value['swept_at']),
    overlapMs:
      bounded(value['overlap_minutes'], { unit: MINUTE, least: overlapMs, most: Math.max(overlapMs, OVERLAP_MOST_MS) }) ?? overlapMs,
    sliceMs: bounded(value['slice_seconds'], { unit: 1000, ...SLICE_MS }) ?? SLICE_MS.first,
    gaps: Array.isArray(value['gaps']) ? value['gaps'].flatMap((gap: Json) => readGap(gap)) : [],
    capacity: readCapacity(value['capacity']),
  };
}

function readGap(value: Json): Gap[] {
  if (!isObject(value)) return [];
  const [from, to, foundAt] = [time(value['from']), time(value['to']), time(value['found_at'])];
  return from === null || to === null || foundAt === null ? [] : [{ from, to, foundAt }];
}

function readCapacity(value: Json | undefined): Capacity | null {
  if (!isObject(value)) return null;
  const { carries, events_per_second: rate } = value;
  const measuredAt = time(value['measured_at']);
  return typeof carries !== 'boolean' || typeof rate !== 'number' || measuredAt === null
    ? null
    : { carries, eventsPerSecond: rate, measuredAt };
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function time(value: Json | undefined): number | null {
  const at = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(at) ? null : at;
}

function bounded(
  value: Json | undefined,
  { unit, least, most }: { readonly unit: number; readonly least: number; readonly most: number },
): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? Math.min(Math.max(value * unit, least), most) : null;
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
