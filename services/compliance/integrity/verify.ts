import { HOUR } from '../../core/clock.ts';
import { type AreaResult, hasDigests, verifyArea } from './area.ts';
import { checkEnd } from './continuity.ts';
import type { Period } from './listing.ts';
import { ProblemLog } from './problem-log.ts';
import type { KeySource } from './public-keys.ts';
import { type ChainTally, countDigests } from './tally.ts';
import type { Area, TrailCopy } from './trail-copy.ts';
import type { Problem } from './verdict.ts';

export interface VerifyOptions {
  readonly copy: TrailCopy;
  readonly publicKeys: KeySource;
  /** `to` is also the moment up to which there must be digests: the clock, when a live trail is looked at. */
  readonly period: Period;
  readonly concurrency: number;
  readonly onProgress?: (progress: { readonly area: Area }) => void;
}

export interface Verification {
  /** `verified`: every digest and log file of the period is proven. `unknown`: nothing is wrong, but not all could be read. */
  readonly verdict: 'verified' | 'failed' | 'not enabled' | 'unknown';
  readonly chains: readonly ChainTally[];
  readonly problems: readonly Problem[];
  /** How many problems there are; `problems` holds the first `MOST_PROBLEMS`. */
  readonly found: number;
}

/**
 * Validates the log files and digests of any number of accounts, Regions and trails, as AWS defines it
 * (https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-custom-validation.html), and looks for what AWS's own
 * command line does not: newest digests that are gone, log files that no digest lists, chains that begin anew, and
 * `previousDigestHashValue`. Memory grows with the files of one account × Region, not with their size nor with the number of areas.
 */
export async function verifyTrails({ copy, publicKeys, period, concurrency, onProgress }: VerifyOptions): Promise<Verification> {
  const problems = new ProblemLog();
  const chains: AreaResult['chains'][number][] = [];
  let isEnabled = false;
  for await (const area of copy.areas()) {
    onProgress?.({ area });
    const result = await verifyArea(area, { copy, publicKeys, period, problems, concurrency });
    isEnabled ||= hasDigests(result);
    chains.push(...result.chains);
  }
  if (period.to === null) checkEnds(chains, problems);
  const verdict = verdictOf(problems, isEnabled);
  return { verdict, chains: chains.map(({ tally }) => tally), problems: problems.told().toSorted(inOrder), found: problems.found };
}

/** What a number of problems comes to. */
export function verdictOf({ found, unreadable }: Pick<ProblemLog, 'found' | 'unreadable'>, isEnabled: boolean): Verification['verdict'] {
  if (found > 0 && found === unreadable) return 'unknown';
  if (!isEnabled) return 'not enabled';
  return found > 0 ? 'failed' : 'verified';
}

/** Several results as one, of trails that have nothing to do with each other. */
export function together(results: readonly Verification[]): Verification {
  const problems = results.flatMap((result) => result.problems);
  const found = results.reduce((sum, result) => sum + result.found, 0);
  const unreadable = problems.filter(({ verdict }) => verdict === 'unreadable').length;
  const chains = results.flatMap((result) => result.chains);
  return { verdict: verdictOf({ found, unreadable }, chains.some(isEnabledChain)), chains, problems: problems.toSorted(inOrder), found };
}

/** The part of a result that is about the chains of one trail. */
export function ofTrail({ chains, problems }: Verification, name: string): Verification {
  const own = chains.filter(({ trail }) => trail?.name === name);
  const told = problems.filter(({ trail }) => trail === name);
  return together([{ verdict: 'verified', chains: own, problems: told, found: told.length }]);
}

function isEnabledChain(tally: ChainTally): boolean {
  return countDigests(tally) > 0;
}

/** Without a clock, the newest digest of all says until when there must be others; an hour is left for its delivery. */
function checkEnds(chains: readonly AreaResult['chains'][number][], problems: ProblemLog): void {
  const asOf = Math.max(...chains.map(({ tally }) => tally.covered?.to ?? 0)) - HOUR;
  for (const { ends, tally } of chains) if (ends) checkEnd({ ends, tally, problems }, asOf);
}

/** Log files are looked at side by side, so problems are found in no order of their own. */
function inOrder(a: Problem, b: Problem): number {
  const [left, right] = [a, b].map((each) => [each.account, each.region, each.object, each.verdict].join('\n')) as [string, string];
  return left < right ? -1 : left > right ? 1 : 0;
}
