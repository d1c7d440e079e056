/** How late events are stored, counted by how many seconds that took. */

/** Upper bounds of the counts, seconds; what is above the last is counted after it. Counts are stored: append only. */
export const LAG_BOUNDS: readonly number[] = [1, 5, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 21_600, 86_400];

/** Adds one event to counts, which are as many as the bounds and one more; they may begin empty. */
export function countLag(counts: number[], seconds: number): void {
  while (counts.length <= LAG_BOUNDS.length) counts.push(0);
  const at = LAG_BOUNDS.findIndex((bound) => seconds <= bound);
  const bucket = at < 0 ? LAG_BOUNDS.length : at;
  counts[bucket] = (counts[bucket] ?? 0) + 1;
}

/**
 * The bound within which this share of the events came.
 * @param share 0 to 1
 * @returns seconds; Infinity where it was later than the last bound; null where nothing was counted
 */
export function lagQuantile(counts: readonly number[], share: number): number | null {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  let below = 0;
  for (const [at, count] of counts.entries()) {
    below += count;
    if (count > 0 && below >= total * share) return LAG_BOUNDS[at] ?? Infinity;
  }
  return Infinity;
}
