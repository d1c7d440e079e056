/**
 * The past, day by day: rows of stretches are read side by side, each of their pieces is a delivery like those of the live source, and a
 * day is remembered as done when all of it is committed. What was begun and not done is done again.
 */
import type { Clock } from '../../core/clock.ts';
import type { Json } from '../../core/json.ts';
import type { Delivery, Source, SourceName } from '../contract.ts';
import type { Checkpoints } from '../live.ts';
import { merge } from './merge.ts';
import type { Piece, Plan, Row, Stretch } from './stretch.ts';
import { Counter, type Tally } from './tally.ts';

export interface BackfillOptions {
  readonly name: SourceName;
  readonly plan: Plan;
  /** Rows that are read at a time. */
  readonly parallel: number;
  /** Does not pass over what was done before. */
  readonly again: boolean;
  readonly checkpoints: Checkpoints;
  readonly clock: Clock;
  readonly onProgress: (tally: Tally) => void;
}

/** A stretch of which nothing could be read so many times in a row is left, so that a bucket that we may not read takes no hours to say so. */
const FAILURES_IN_A_ROW = 20;

export function createBackfillSource(options: BackfillOptions): Source {
  const { name, plan, parallel, onProgress } = options;
  return {
    name,
    async *run(signal) {
      const counter = new Counter(onProgress);
      counter.add({ total: plan.total });
      const rows = plan.rows[Symbol.iterator]();
      const ending = new AbortController();
      const until = AbortSignal.any([signal, ending.signal]);
      const lanes = Array.from({ length: parallel }, () => lane(rows, { ...options, counter, signal: until }));
      yield* merge(lanes, () => ending.abort());
    },
  };
}

interface Lane extends BackfillOptions {
  readonly counter: Counter;
  readonly signal: AbortSignal;
}

async function* lane(rows: Iterator<Row>, options: Lane): AsyncGenerator<Delivery, void, undefined> {
  const { signal, checkpoints, again, counter } = options;
  for (let row = rows.next(); row.done !== true; row = rows.next()) {
    for await (const stretch of row.value) {
      if (signal.aborted) return;
      if (!again && isDone(await checkpoints.read(stretch.checkpoint))) counter.add({ before: 1 });
      else yield* new Reading(stretch, options).deliveries();
    }
    if (signal.aborted) return;
  }
}

function isDone(value: Json): boolean {
  return typeof value === 'object' && value !== null && 'done_at' in value;
}

/** One stretch, from its first request to the commit of its last delivery. */
class Reading {
  readonly #stretch: Stretch;
  readonly #options: Lane;
  #startedAt = 0;
  #isRead = false;
  #open = 0;
  #objects = 0;
  #skipped = 0;
  readonly #failed = new Set<string>();
  #failuresInARow = 0;

  constructor(stretch: Stretch, options: Lane) {
    this.#stretch = stretch;
    this.#options = options;
  }

  async *deliveries(): AsyncGenerator<Delivery, void, undefined> {
    const { signal, clock } = this.#options;
    this.#startedAt = clock.now();
    try {
      for await (const piece of this.#stretch.read(signal)) {
        if (signal.aborted) return;
        if (this.#failuresInARow >= FAILURES_IN_A_ROW) {
          this.#fail(this.#stretch.name, `left after ${FAILURES_IN_A_ROW} failures in a row`);
          break;
        }
        if (piece.kind === 'delivery') yield this.#delivery(piece);
        else if (piece.kind === 'failed') this.#fail(piece.of, piece.reason);
        else this.#known(piece.count);
      }
    } catch (error) {
      if (signal.aborted) return;
      this.#fail(this.#stretch.name, messageOf(error));
    }
    if (signal.aborted) return;
    this.#isRead = true;
    await this.#settle();
  }

  #delivery({ of, isFirst, locator, payload, quarantined }: Extract<Piece, { kind: 'delivery' }>): Delivery {
    this.#open += 1;
    if (isFirst) {
      this.#objects += 1;
      this.#options.counter.add({ objects: 1 });
    }
    return {
      source: this.#options.name,
      locator,
      payload,
      quarantined,
      checkpoint: null,
      ack: async () => {
        this.#failuresInARow = 0;
        await this.#close();
      },
      nack: async (reason) => {
        this.#fail(of, reason);
        await this.#close();
      },
    };
  }

  #known(count: number): void {
    this.#skipped += count;
    this.#options.counter.add({ skipped: count });
  }

  #fail(of: string, reason: string): void {
    this.#failuresInARow += 1;
    // An object may have many parts.
    if (this.#failed.has(of)) return;
    this.#failed.add(of);
    this.#options.counter.fail({ object: of, reason });
  }

  async #close(): Promise<void> {
    this.#open -= 1;
    await this.#settle();
  }

  /** Everything of it is committed, so that it may be remembered. */
  async #settle(): Promise<void> {
    if (!this.#isRead || this.#open > 0 || this.#failed.size > 0) return;
    const { checkpoints, counter } = this.#options;
    const value = { done_at: new Date(this.#startedAt).toISOString(), objects: this.#objects, skipped: this.#skipped };
    if (this.#startedAt >= this.#stretch.settledAt) await checkpoints.write(this.#stretch.checkpoint, value);
    counter.add({ done: 1 });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
