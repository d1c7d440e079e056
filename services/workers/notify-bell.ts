import { sleep } from '../platform/clock.ts';

/** Wakes a loop of this process that waits for work. A ring while nobody waits is heard by the next one who does. */
export interface Bell {
  ring(): void;
  /** Until it rings, the time is over, or the signal aborts. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

export function createBell(): Bell {
  let rung = new AbortController();
  return {
    ring() {
      rung.abort();
    },
    async wait(ms, signal) {
      await sleep(ms, AbortSignal.any([rung.signal, signal]));
      if (rung.signal.aborted) rung = new AbortController();
    },
  };
}
