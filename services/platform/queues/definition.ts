import type { z } from 'zod';

export interface QueueSpec<P extends z.ZodType = z.ZodType> {
  /** Payloads are claim checks: small, plain JSON, no secrets. Checked when added and again when processed. */
  readonly payload: P;
  readonly options: QueueOptions;
  /** Jobs that one process works on at a time. */
  readonly concurrency: number;
}

export interface QueueOptions {
  /** Tries before a job is given up. */
  readonly attempts: number;
  /** `delay` in milliseconds; `jitter` 0–1 is the share of it that is left to chance. */
  readonly backoff: { readonly type: 'fixed' | 'exponential'; readonly delay: number; readonly jitter: number };
  /**
   * How many given-up jobs are kept for looking at; default none. A kept job occupies its id: the same
   * work cannot be added again under it.
   */
  readonly keepFailed?: number;
}

export type QueueMap = Readonly<Record<string, QueueSpec>>;

export type NameOf<D extends QueueMap> = Extract<keyof D, string>;

export type PayloadOf<D extends QueueMap, N extends NameOf<D>> = z.output<D[N]['payload']>;

/** States the queues of an application: name → payload, retries, concurrency. */
export function defineQueues<const D extends QueueMap>(definition: D): D {
  return definition;
}
