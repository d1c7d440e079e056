import { sleep } from '../platform/clock.ts';
import type { Lifecycle } from '../platform/lifecycle.ts';
import type { Logger } from '../platform/logger.ts';

export interface Loop {
  readonly name: string;
  readonly everyMs: number;
  readonly logger: Logger;
  work(): Promise<unknown>;
}

/** Does the work again and again until the signal aborts. A failure is logged and does not end the loop; an abort lets the work in hand finish. */
export async function repeat({ name, everyMs, logger, work }: Loop, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await work();
    } catch (err) {
      if (!signal.aborted) logger.warn({ loop: name, err }, 'will be tried again');
    }
    await sleep(everyMs, signal);
  }
}

/** The same as a part of the process: stopping waits for the work in hand. */
export async function startLoop(lifecycle: Lifecycle, loop: Loop): Promise<void> {
  await lifecycle.start(
    loop.name,
    () => ({ ended: repeat(loop, lifecycle.signal) }),
    ({ ended }) => ended,
  );
}

/**
 * Work with an end, as a part of the process: when the process stops, the work's signal is aborted and what it uses stays open
 * until it has ended.
 */
export async function runUnder<T>(lifecycle: Lifecycle, name: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const running = work(lifecycle.signal);
  const ended = running.then(
    () => undefined,
    () => undefined,
  );
  await lifecycle.start(
    name,
    () => undefined,
    () => ended,
  );
  return await running;
}
