import { HOUR, MINUTE } from '../../core/clock.ts';
import type { Period } from './listing.ts';
import { logFileTime } from './object-name.ts';
import type { ChainTally } from './tally.ts';
import type { Window } from './verdict.ts';

/**
 * What a log file that no digest lists is:
 * - `unlisted`: a digest should list it
 * - `unproven`: the digest that may have listed it is broken or missing, which is a problem of its own
 * - `pending`: its digest is not due yet
 * - `early`: from before the first digest
 * - `outside`: of another period
 */
export type Standing = 'unlisted' | 'unproven' | 'pending' | 'early' | 'outside';

/** A log file's name has a time up to this much before its delivery, by which digests go. */
const DELIVERY_LAG = 15 * MINUTE;

/** Judges, by the time in their names, the log files of an account × Region that are left when all that digests list were taken out. */
export class Coverage {
  readonly #holes: readonly Window[];
  readonly #period: Period;
  readonly #start: number;
  readonly #end: number;

  /** @param tallies of the chains of one account × Region */
  constructor(tallies: readonly ChainTally[], period: Period) {
    this.#holes = tallies.flatMap(({ holes }) => holes);
    this.#period = period;
    const covered = tallies.flatMap((tally) => (tally.covered && tally.trail?.backfill !== true ? [tally.covered] : []));
    this.#start = Math.min(...covered.map(({ from }) => from));
    this.#end = Math.max(...covered.map(({ to }) => to));
  }

  standingOf(key: string): Standing {
    const time = logFileTime(key);
    if (time === null) return 'unlisted';
    const { from, to } = this.#period;
    if ((from !== null && time < from) || (to !== null && time > to)) return 'outside';
    if (this.#holes.some((hole) => time >= hole.from - DELIVERY_LAG && time <= hole.to)) return 'unproven';
    if (time < this.#start) return 'early';
    return time >= this.#end - DELIVERY_LAG && time < this.#end + HOUR + DELIVERY_LAG ? 'pending' : 'unlisted';
  }
}
