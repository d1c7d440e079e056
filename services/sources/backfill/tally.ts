/** How far a backfill is. */
export interface Tally {
  /** Stretches: all, done by this run, done by runs before. */
  readonly days: { readonly total: number; readonly done: number; readonly before: number };
  /** Objects (or pages) that were delivered. */
  readonly objects: number;
  /** Objects that were stored already and not read again. */
  readonly skipped: number;
  /** Objects and stretches that could not be read or stored. */
  readonly failed: number;
  /** The first of them. */
  readonly failures: readonly Failure[];
}

export interface Failure {
  /** `s3://BUCKET/KEY`, or the name of a stretch. */
  readonly object: string;
  readonly reason: string;
}

/** Failures that are named. */
export const FAILURES_NAMED = 20;

/** Counts; what it holds does not grow with what it counts. */
export class Counter {
  #tally: Tally = { days: { total: 0, done: 0, before: 0 }, objects: 0, skipped: 0, failed: 0, failures: [] };
  readonly #onChange: (tally: Tally) => void;

  constructor(onChange: (tally: Tally) => void) {
    this.#onChange = onChange;
  }

  add(more: { readonly [K in 'total' | 'done' | 'before' | 'objects' | 'skipped']?: number }): void {
    const { days, objects, skipped } = this.#tally;
    const { total = 0, done = 0, before = 0 } = more;
    this.#change({
      days: { total: days.total + total, done: days.done + done, before: days.before + before },
      objects: objects + (more.objects ?? 0),
      skipped: skipped + (more.skipped ?? 0),
    });
  }

  fail(failure: Failure): void {
    const { failed, failures } = this.#tally;
    this.#change({ failed: failed + 1, failures: failed < FAILURES_NAMED ? [...failures, failure] : failures });
  }

  #change(part: Partial<Tally>): void {
    this.#tally = { ...this.#tally, ...part };
    this.#onChange(this.#tally);
  }
}
