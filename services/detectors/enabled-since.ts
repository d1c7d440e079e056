import type { KeyFacts } from '../core/key.ts';

/**
 * When the key was last switched on (or made), as records state it; 0 where none does. That it was on at some moment, which
 * follows from other calls, is no switching on.
 */
export function enabledSince({ enabled }: KeyFacts): number {
  return enabled === undefined || enabled.inferred === true ? 0 : enabled.at;
}
