import { DAY, HOUR, MINUTE } from '../../core/clock.ts';
import { KEPT_DAYS } from './config.ts';
import type { Filter } from './filter.ts';
import { type Gap, OVERLAP_MOST_MS, type Progress, SLICE_MS, withGap } from './progress.ts';
import type { Reading, TrackSettings, Window } from './window.ts';

export interface FoundGap {
  readonly gap: Gap;
  readonly progress: Progress;
  /** Not merely the growth of one that is known. */
  readonly isNew: boolean;
}

interface Pass {
  readonly startedAt: number;
  readonly from: number;
  readonly end: number;
  at: number;
  readMs: number;
  events: number;
}

/** Below this a measurement of the speed says nothing. */
const MEASURED_MS = MINUTE;
/** Sweeps reach back behind the one before, so that an event that was this late is found by one of them. */
const SWEEP_OVERLAP_MS = 6 * HOUR;

/**
 * Which windows of one filter are read when. A *pass* goes from `settled` to the present, oldest window first; every poll is one. What was
 * read younger than the overlap is read again by the next pass, since its events may not all have been there. A *sweep* goes once a day
 * over what is settled, for stragglers. Windows are read newest page first, so only a whole window is progress.
 */
export class Track {
  readonly filter: Filter;
  readonly #settings: TrackSettings;
  #progress: Progress;
  /** From here on this process has seen all there was. */
  readonly #watchedSince: number;
  #pass: Pass | null = null;
  #sweep: { readonly end: number; at: number; late: number } | null = null;
  #dueAt = 0;

  /** @param progress of the checkpoint; null = never read */
  constructor(filter: Filter, { settings, progress, now }: { settings: TrackSettings; progress: Progress | null; now: number }) {
    this.filter = filter;
    this.#settings = settings;
    this.#progress = progress ?? firstProgress(settings, now);
    this.#watchedSince = this.#progress.settled;
  }

  get progress(): Progress {
    return this.#progress;
  }

  /** When the next pass is due, epoch milliseconds. */
  get dueAt(): number {
    return this.#dueAt;
  }

  get watchedSince(): number {
    return this.#watchedSince;
  }

  /**
   * What lies between where reading is to go on and the oldest event that CloudTrail still has.
   * @returns the gap and the progress that leaves it behind, to be committed; null when there is none
   */
  gap(now: number): FoundGap | null {
    const oldest = wholeSeconds(now - KEPT_DAYS * DAY);
    const { settled, highWater, gaps } = this.#progress;
    const from = this.#pass?.at ?? settled;
    if (from >= oldest) return null;
    const moved = { ...this.#progress, settled: Math.max(settled, oldest), highWater: Math.max(highWater, oldest) };
    const gap = { from: Math.max(from, highWater), to: oldest, foundAt: now };
    // All of it was read once, and only the second reading is missed.
    if (gap.from >= gap.to) return { gap, progress: moved, isNew: false };
    const last = gaps.at(-1);
    // Where reading goes on too slowly the gap grows; it stays one.
    if (!last || last.to < gap.from) return { gap, progress: withGap(moved, gap), isNew: true };
    const grown = { ...last, to: gap.to };
    return { gap: grown, progress: { ...moved, gaps: [...gaps.slice(0, -1), grown] }, isNew: false };
  }

  leaveBehind(progress: Progress): void {
    this.#progress = progress;
    if (this.#pass) this.#pass.at = Math.max(this.#pass.at, progress.settled);
  }

  /** The window to read now; null = none before `dueAt`. */
  next(now: number): Window | null {
    if (!this.#pass && now >= this.#dueAt) {
      const from = this.#progress.settled;
      const end = wholeSeconds(now);
      // The machine's clock was put back: wait for it.
      if (end > from) this.#pass = { startedAt: now, from, end, at: from, readMs: 0, events: 0 };
      else this.#dueAt = now + this.#settings.pollMs;
    }
    if (this.#pass) return this.#windowFrom('pass', this.#pass);
    this.#sweep ??= this.#dueSweep(now);
    return this.#sweep && this.#windowFrom('sweep', this.#sweep);
  }

  #windowFrom(kind: Window['kind'], { at, end }: { readonly at: number; readonly end: number }): Window {
    return { kind, start: at, end: Math.min(at + this.#progress.sliceMs, end) };
  }

  #dueSweep(now: number): { end: number; at: number; late: number } | null {
    const { sweptAt, settled } = this.#progress;
    const last = sweptAt ?? now;
    if (now < last + this.#settings.sweepMs) return null;
    const from = Math.max(Math.min(now - DAY, last - SWEEP_OVERLAP_MS), now - KEPT_DAYS * DAY + HOUR);
    return from < settled ? { at: wholeSeconds(from), end: settled, late: 0 } : null;
  }

  /** Whether a window may be given up and read in halves. */
  mayHalve({ start, end }: Window): boolean {
    return end - start > SLICE_MS.least;
  }

  /** @param oldest time of the oldest event that was read of it: what is after that would have fitted */
  halve({ start, end }: Window, oldest: number = start): void {
    const sliceMs = Math.max(SLICE_MS.least, wholeSeconds(Math.min((end - start) / 2, end - oldest)));
    this.#progress = { ...this.#progress, sliceMs };
  }

  /** The progress that a window read to its end makes; it becomes true with `commit`. Null where there is nothing to remember. */
  after(window: Window, reading: Reading): Progress | null {
    return window.kind === 'pass' ? this.#afterPass(window, reading) : this.#afterSweep(window, reading);
  }

  commit(window: Window, { reading, progress, now }: { reading: Reading; progress: Progress | null; now: number }): void {
    if (progress) this.#progress = progress;
    if (window.kind === 'sweep' && this.#sweep) {
      this.#sweep.at = window.end;
      this.#sweep.late += reading.late;
      if (window.end >= this.#sweep.end) this.#sweep = null;
    } else if (this.#pass) {
      this.#pass.at = window.end;
      this.#pass.readMs += reading.readMs;
      this.#pass.events += reading.events;
      if (window.end < this.#pass.end) return;
      this.#dueAt = Math.max(this.#pass.startedAt + this.#settings.pollMs, now);
      this.#pass = null;
    }
  }

  #afterPass(window: Window, reading: Reading): Progress {
    const { settled, overlapMs, highWater } = this.#progress;
    const old = Math.min(window.end, wholeSeconds(reading.startedAt - overlapMs));
    return {
      ...this.#progress,
      highWater: Math.max(highWater, window.end),
      // Only where it goes on from what is settled: before a later window of the pass lies one that was read too young.
      settled: settled >= window.start ? Math.max(settled, old) : settled,
      sliceMs: this.#nextSlice(window, reading.pages),
      capacity: this.#measure(window, reading),
    };
  }

  #afterSweep(window: Window, reading: Reading): Progress | null {
    const sweep = this.#sweep;
    if (!sweep || window.end < sweep.end) return null;
    const { overlapMs } = this.#progress;
    const isLate = sweep.late + reading.late > 0;
    const learned = isLate
      ? Math.min(overlapMs * 2, Math.max(OVERLAP_MOST_MS, this.#settings.overlapMs))
      : Math.max((overlapMs * 3) / 4, this.#settings.overlapMs);
    return { ...this.#progress, sweptAt: reading.startedAt, overlapMs: Math.ceil(learned / MINUTE) * MINUTE };
  }

  #nextSlice({ start, end }: Window, pages: number): number {
    const { sliceMs } = this.#progress;
    const isFull = end - start >= sliceMs;
    return isFull && pages <= this.#settings.pagesAtMost / 4 ? Math.min(sliceMs * 2, SLICE_MS.most) : sliceMs;
  }

  /** Read time against the time that was read, from the beginning of the pass: more of it means falling behind for good. */
  #measure(window: Window, reading: Reading): Progress['capacity'] {
    const pass = this.#pass;
    if (!pass) return this.#progress.capacity;
    const readMs = pass.readMs + reading.readMs;
    const coveredMs = window.end - pass.from;
    const isBehind = readMs > coveredMs;
    if (isBehind ? readMs < MEASURED_MS : window.end < pass.end) return this.#progress.capacity;
    return { carries: !isBehind, eventsPerSecond: (pass.events + reading.events) / (coveredMs / 1000), measuredAt: reading.startedAt };
  }
}

function firstProgress({ lookbackMs, overlapMs }: TrackSettings, now: number): Progress {
  // What is about to be dropped is left alone: while it is being read it would become a gap.
  const from = wholeSeconds(Math.max(now - lookbackMs, now - KEPT_DAYS * DAY + HOUR));
  return { since: from, highWater: from, settled: from, sweptAt: now, overlapMs, sliceMs: SLICE_MS.first, gaps: [], capacity: null };
}

function wholeSeconds(ms: number): number {
  return Math.floor(ms / 1000) * 1000;
}
