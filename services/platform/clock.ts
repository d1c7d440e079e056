import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../core/clock.ts';

/** The machine's own time; handed out by the entry points and by nobody else. */
export const systemClock: Clock = { now: () => Date.now() };

/** Milliseconds that only ever grow, for measuring how long something took. Their zero means nothing. */
export function monotonicMs(): number {
  return performance.now();
}

/** Waits; an abort ends the wait at once and without an error, so that loops ask `signal.aborted` in one place. */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return;
  try {
    await delay(ms, undefined, { signal });
  } catch (error) {
    if (!signal?.aborted) throw error;
  }
}

/**
 * Bounds a promise in time. The work itself is not stopped: give it a signal of its own where it can be.
 *
 * @throws what `late` returns, when the promise has not settled after `ms`
 */
export async function within<T>(ms: number, work: Promise<T>, late: () => Error): Promise<T> {
  const timer = new AbortController();
  const timeout = sleep(ms, timer.signal).then(() => {
    if (!timer.signal.aborted) throw late();
    return new Promise<never>(() => undefined);
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    timer.abort();
  }
}
