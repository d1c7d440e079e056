/**
 * Time comes in through the door. Only `platform/` may ask the machine for the time; everything else is
 * handed a `Clock`, so that replays and tests decide what "now" is.
 */
export interface Clock {
  /** Milliseconds since the Unix epoch, UTC. */
  now(): number;
}

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** A clock that stands still; for tests and for judging as of a given moment. */
export function fixedClock(at: number): Clock {
  return { now: () => at };
}
