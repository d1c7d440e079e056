import { expect, test } from 'vitest';
import { countLag, LAG_BOUNDS, lagQuantile } from '../../../services/core/lag.ts';

function countsOf(...seconds: number[]): number[] {
  const counts: number[] = [];
  for (const each of seconds) countLag(counts, each);
  return counts;
}

test('a bound counts what came just within it', () => {
  expect(countsOf(0, 1, 1.001, 86_400, 86_401)).toEqual([2, 1, ...LAG_BOUNDS.slice(3).map(() => 0), 1, 1]);
});

test.each([
  ['of nothing is not known', [], 0.5, null],
  ['is the bound within which the share came', [3, 3, 3, 100], 0.5, 5],
  ['of a few late ones shows at its share', [3, 3, 3, 100], 0.95, 120],
  ['of all on time does not', [3, 3, 3, 4], 0.95, 5],
  ['beyond the last bound has no bound', [100_000], 0.5, Infinity],
])('a quantile %s', (_what, seconds, share, expected) => {
  expect(lagQuantile(countsOf(...seconds), share)).toBe(expected);
});
