import { describe, expect, test } from 'vitest';
import { linearCount, median, medianDeviation, modifiedZ, poissonTail, surprise } from '../../../services/detectors/statistics.ts';

describe('median and median absolute deviation', () => {
  test.each([
    [[3], 3, 0],
    [[1, 2, 3, 4], 2, 1],
    // The example of https://en.wikipedia.org/wiki/Median_absolute_deviation
    [[1, 1, 2, 2, 4, 6, 9], 2, 1],
  ])('of %j are %d and %d', (values, center, deviation) => {
    expect(median(values)).toBe(center);
    expect(medianDeviation(values)).toBe(deviation);
  });

  test('are not moved by one wild value', () => {
    expect(median([5, 6, 5, 7, 1_000_000])).toBe(6);
    expect(medianDeviation([5, 6, 5, 7, 1_000_000])).toBe(1);
  });

  test('of nothing are no number', () => {
    expect(median([])).toBeNaN();
  });
});

describe('modifiedZ', () => {
  test('is 0.6745 deviations for one deviation', () => {
    expect(modifiedZ(6, [1, 1, 2, 2, 4, 6, 9])).toBeCloseTo(2.698, 3);
  });

  test('does not divide by nothing where a habit has no spread', () => {
    expect(modifiedZ(11, [10, 10, 10, 10])).toBeCloseTo(0.6745, 4);
    expect(modifiedZ(14, [10, 10, 10, 10], 4)).toBeCloseTo(0.6745, 4);
  });
});

describe('poissonTail', () => {
  test.each([
    // Sums of exp(-m) m^k / k!, worked out to 15 digits.
    [1, 0.1, 0.09516258196404],
    [3, 1, 0.08030139707139],
    [10, 3, 0.00110248813312],
    [20, 5, 3.452135820914e-7],
  ])('%d or more where %d are expected', (count, mean, chance) => {
    expect(poissonTail(count, mean) / chance).toBeCloseTo(1, 5);
  });

  test('is sure below the mean, impossible without one, and does not overflow', () => {
    expect(poissonTail(3, 3)).toBe(1);
    expect(poissonTail(1, 0)).toBe(0);
    expect(poissonTail(1_000_000, 10)).toBe(0);
    expect(poissonTail(1_000_001, 1_000_000)).toBeGreaterThan(0.4);
  });
});

describe('surprise', () => {
  test.each([
    // A value that never was another one, in 63 days: one in 128, 7 bits.
    [0, 63, 0.5, 7],
    // One new value every second day surprises nobody.
    [31, 63, 1, 1],
    [0, 0, 1, 0],
  ])('after %d new values in %d days with prior %d is %d bits', (novelties, days, prior, bits) => {
    expect(surprise(novelties, days, prior)).toBeCloseTo(bits, 6);
  });

  test('grows with the time without change, and is never less than nothing', () => {
    expect(surprise(0, 60, 0.5)).toBeGreaterThan(surprise(0, 20, 0.5));
    expect(surprise(100, 3, 1)).toBe(0);
  });
});

describe('linearCount', () => {
  test('is exact for few values and near for many', () => {
    expect(linearCount(0, 128)).toBe(0);
    expect(linearCount(1, 128)).toBe(1);
    // 100 values set 128 (1 − (127/128)^100) = 69.6 bits on average.
    expect(Math.abs(linearCount(70, 128) - 100)).toBeLessThan(3);
  });

  test('of a full sketch is finite', () => {
    expect(linearCount(128, 128)).toBeGreaterThan(500);
  });
});
