/** What happens while the store of the queues is away: callers learn it in time, and the log is not flooded. */
import { KmswatchError } from '../../core/errors.ts';
import { monotonicMs, within } from '../clock.ts';
import type { Logger } from '../logger.ts';

const ANSWER_TIMEOUT_MS = 15_000;
const REPEAT_ERROR_MS = 60_000;

/** A store that is away must not hold up the caller for ever; what it was told may yet arrive. */
export async function bounded<T>(work: Promise<T>): Promise<T> {
  try {
    return await within(ANSWER_TIMEOUT_MS, work, () => new Error(`no answer within ${ANSWER_TIMEOUT_MS / 1000} s`));
  } catch (cause) {
    if (cause instanceof KmswatchError) throw cause;
    const reason = cause instanceof Error ? cause.message : 'unknown reason';
    throw new KmswatchError('QUEUE_UNREACHABLE', `The queues cannot be reached: ${reason}`, {
      hint: 'Unfinished work is in PostgreSQL and goes on by itself.',
      cause,
    });
  }
}

/** Logs an error once and then, while it repeats itself, once a minute: every connection of every queue reports the same outage. */
export function complainer(logger: Logger): (error: Error) => void {
  const last = new Map<string, number>();
  return (err) => {
    const code = (err as NodeJS.ErrnoException).code ?? err.message.slice(0, 100);
    const now = monotonicMs();
    if (now - (last.get(code) ?? Number.NEGATIVE_INFINITY) < REPEAT_ERROR_MS) return;
    if (last.size >= 100) last.clear();
    last.set(code, now);
    logger.warn({ err }, 'trouble with the queues');
  };
}
