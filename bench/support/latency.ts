/** Latencies in milliseconds, of which those are told that somebody who waits would notice. */
export interface Latencies {
  readonly samples: number;
  readonly p50_ms: number;
  readonly p95_ms: number;
  readonly p99_ms: number;
  readonly max_ms: number;
}

/** By nearest rank: the p99 is the smallest value that at least 99 of 100 do not exceed. @param milliseconds in any order */
export function summarize(milliseconds: readonly number[]): Latencies {
  const ascending = milliseconds.toSorted((a, b) => a - b);
  const at = (q: number): number => round(ascending[Math.max(0, Math.ceil(ascending.length * q) - 1)] ?? 0);
  return { samples: ascending.length, p50_ms: at(0.5), p95_ms: at(0.95), p99_ms: at(0.99), max_ms: at(1) };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
