/** A time whose events are asked for; both ends inclusive, whole seconds, epoch milliseconds. */
export interface Window {
  readonly kind: 'pass' | 'sweep';
  readonly start: number;
  readonly end: number;
}

/** What reading a window to its end came to. */
export interface Reading {
  /** When its first page was asked for. */
  readonly startedAt: number;
  /** Spent on requests and the pauses between them. */
  readonly readMs: number;
  readonly pages: number;
  /** Events on them, wanted or not. */
  readonly events: number;
  /** Wanted ones that were not known, of a time that this process has watched from the start: they came late. */
  readonly late: number;
}

export interface TrackSettings {
  readonly lookbackMs: number;
  /** The least; more is learned. */
  readonly overlapMs: number;
  readonly pollMs: number;
  readonly sweepMs: number;
  /** A window of more pages is read again in halves: it must not take long to repeat one that was cut off. */
  readonly pagesAtMost: number;
}
