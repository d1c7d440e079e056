import type { Clock } from '../../core/clock.ts';
import { monotonicMs, sleep } from '../../platform/clock.ts';

/** All that polling knows of time, so that tests can let weeks pass. */
export interface Time extends Clock {
  /** Milliseconds that only ever grow. */
  elapsed(): number;
  /** Ends early, without an error, when the signal aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** 0 to 1, for pauses that processes should not make in step. */
  random(): number;
}

export function realTime(clock: Clock): Time {
  return { now: () => clock.now(), elapsed: monotonicMs, sleep, random: Math.random };
}
