import { KmswatchError } from '../core/errors.ts';
import { monotonicMs, sleep } from '../platform/clock.ts';
import { isConnectionLoss } from '../platform/postgres/errors.ts';

/** A database that restarts is back within this time. */
const PATIENCE_MS = 120_000;

/**
 * Does work again that failed because the database or the queues went away under it, for at most two minutes. The work must be
 * such that doing it twice does no harm.
 */
export async function patiently<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  const deadline = monotonicMs() + PATIENCE_MS;
  for (let pause = 100; ; pause = Math.min(pause * 2, 2_000)) {
    try {
      return await work();
    } catch (error) {
      if (!isOutage(error) || signal.aborted || monotonicMs() + pause > deadline) throw error;
    }
    await sleep(pause, signal);
  }
}

/** Whether what was asked is away, so that the same may succeed later. */
export function isOutage(error: unknown): boolean {
  return error instanceof KmswatchError ? error.retryable : isConnectionLoss(error);
}
