import { expect, test } from 'vitest';
import { summarize } from '../../../bench/support/latency.ts';

test('of latencies the least value is told that at least so many of a hundred do not exceed, whatever their order', () => {
  const hundred = Array.from({ length: 100 }, (_, at) => 100 - at);
  expect(summarize(hundred)).toEqual({ samples: 100, p50_ms: 50, p95_ms: 95, p99_ms: 99, max_ms: 100 });
  expect(summarize([...hundred, 1000])).toMatchObject({ samples: 101, p50_ms: 51, p99_ms: 100, max_ms: 1000 });
  expect(summarize([7])).toEqual({ samples: 1, p50_ms: 7, p95_ms: 7, p99_ms: 7, max_ms: 7 });
  expect(summarize([])).toMatchObject({ samples: 0, max_ms: 0 });
});

test('what was never answered is slower than everything', () => {
  expect(summarize([1, Infinity, 2])).toMatchObject({ p50_ms: 2, p99_ms: Infinity });
});
