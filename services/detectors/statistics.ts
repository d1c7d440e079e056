/**
 * Robust statistics of small samples. Pure; `docs/baselines.md` tells where they come from and why.
 */

/** Middle value; the lower one of two. NaN for none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.ceil(sorted.length / 2) - 1] ?? Number.NaN;
}

/** Median absolute deviation from the median, not scaled. */
export function medianDeviation(values: readonly number[], center = median(values)): number {
  return median(values.map((value) => Math.abs(value - center)));
}

/**
 * Modified z-score, `0.6745 (x − median) / MAD`: above 3.5 is an outlier (Iglewicz and Hoaglin 1993;
 * https://www.itl.nist.gov/div898/handbook/eda/section3/eda35h.htm). The deviation counts as at least `floor`, so that a
 * habit without any spread does not make an outlier of the first call more.
 */
export function modifiedZ(value: number, values: readonly number[], floor = 1): number {
  const center = median(values);
  return (0.6745 * (value - center)) / Math.max(medianDeviation(values, center), floor);
}

/** Chance of `count` or more where `mean` is expected, of a Poisson distribution; an upper bound below the mean (1). */
export function poissonTail(count: number, mean: number): number {
  if (count <= mean) return 1;
  if (mean <= 0) return 0;
  let term = Math.exp(count * Math.log(mean) - mean - logFactorial(count));
  let sum = 0;
  for (let k = count; term > sum * 1e-12 && term > 0; k++) {
    sum += term;
    term *= mean / (k + 1);
  }
  return Math.min(sum, 1);
}

/** Stirling's series; exact to ten digits from n = 10 on, smaller ones are multiplied out. */
function logFactorial(n: number): number {
  if (n < 10) return Math.log([1, 1, 2, 6, 24, 120, 720, 5040, 40320, 362880][n] ?? 1);
  return n * Math.log(n) - n + Math.log(2 * Math.PI * n) / 2 + 1 / (12 * n) - 1 / (360 * n ** 3);
}

/**
 * Surprise in bits of a value that was not seen on `days` days on which `novelties` other values came up for the first time: the
 * chance that a day brings a new one is estimated as `(novelties + prior) / (days + 1)`, as Good and Turing estimate the chance
 * of the unseen from what was seen once (Good 1953, https://doi.org/10.1093/biomet/40.3-4.237). `prior` counts for novelties not
 * seen yet: the smaller, the less a dimension is expected to change.
 */
export function surprise(novelties: number, days: number, prior: number): number {
  return Math.max(0, -Math.log2(Math.min(1, (novelties + prior) / (days + 1))));
}

/**
 * How many different values set `ones` of `bits` bits: linear counting (Whang, Vander-Zanden and Taylor 1990,
 * https://doi.org/10.1145/78922.78925). A full sketch gives what it can tell at most.
 */
export function linearCount(ones: number, bits: number): number {
  const zeros = Math.max(bits - ones, 0.5);
  return Math.round(bits * Math.log(bits / zeros));
}

export interface Outlier {
  readonly value: number;
  readonly median: number;
  readonly deviation: number;
  /** No more than this in 95 of 100 cases. */
  readonly percentile95: number;
  /** Modified z-score. */
  readonly z: number;
}

export interface OutlierOptions {
  /** Fewer are never one. */
  readonly minimum: number;
  /** So many times the 95th percentile must be exceeded. */
  readonly factor: number;
}

/**
 * Is a count far beyond those of comparable times? Three tests must agree: at least the minimum; more than `factor` times the 95th
 * percentile, so that what happened before now and then is habit; and a modified z-score above 3.5, with the Poisson spread
 * (root of the median) as the least deviation, so that sparse and even habits do not make an outlier of chance.
 */
export function outlierOf(value: number, comparable: readonly number[], { minimum, factor }: OutlierOptions): Outlier | null {
  if (value < minimum || comparable.length === 0) return null;
  const sorted = comparable.toSorted((a, b) => a - b);
  const percentile95 = sorted[Math.ceil(0.95 * sorted.length) - 1] ?? 0;
  if (value <= factor * percentile95) return null;
  const center = median(sorted);
  const deviation = medianDeviation(sorted, center);
  const z = modifiedZ(value, sorted, Math.max(1, Math.sqrt(center)));
  return z > 3.5 ? { value, median: center, deviation, percentile95, z } : null;
}
