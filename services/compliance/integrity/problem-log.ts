import type { ChainTally } from './tally.ts';
import type { Problem } from './verdict.ts';

/** Problems told one by one; beyond that they are only counted, so that a folder full of forgeries does not fill the memory. */
export const MOST_PROBLEMS = 10_000;

/** Collects problems in the order in which they are found. */
export class ProblemLog {
  /** How many were found, told or not. */
  found = 0;
  /** Those of them that only say that nothing is known. */
  unreadable = 0;
  readonly #problems: Problem[] = [];
  readonly #missingDigests = new Map<string, number>();

  add(tally: ChainTally, problem: Pick<Problem, 'verdict' | 'object' | 'message'> & Partial<Problem>): void {
    this.found += 1;
    tally.problems += 1;
    if (problem.verdict === 'unreadable') this.unreadable += 1;
    if (this.#problems.length >= MOST_PROBLEMS) return;
    if (problem.verdict === 'missing digest') this.#missingDigests.set(problem.object, this.#problems.length);
    this.#problems.push({
      account: tally.account,
      region: tally.region,
      trail: tally.trail?.name ?? null,
      count: 1,
      window: null,
      ...problem,
    });
  }

  /** Adds to what is said of a missing digest. @returns false when that digest is not missing */
  explainMissing(object: string, remark: string): boolean {
    const at = this.#missingDigests.get(object);
    const problem = at === undefined ? undefined : this.#problems[at];
    if (at === undefined || problem === undefined) return false;
    this.#problems[at] = { ...problem, message: `${problem.message}; ${remark}` };
    return true;
  }

  told(): readonly Problem[] {
    return this.#problems;
  }
}
