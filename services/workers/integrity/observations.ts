import { MINUTE } from '../../core/clock.ts';
import type { Problem } from '../../compliance/integrity/verdict.ts';
import type { DigestVerdict, LogFileVerdict, Witness } from '../../compliance/integrity/witness.ts';
import type { TrailProblem } from '../../store/digests-problems.ts';

/** Ends of neighbouring digests that lie this close together are the same. */
const SLACK = MINUTE;

/** What one look at an account and Region has shown of each file. */
export class Observations implements Witness {
  readonly digests = new Map<string, DigestVerdict>();
  readonly logFiles = new Map<string, LogFileVerdict>();

  digest(verdict: DigestVerdict): void {
    this.digests.set(verdict.name.key, verdict);
  }

  logFile(verdict: LogFileVerdict): void {
    this.logFiles.set(verdict.key, verdict);
  }

  /** End of the newest sound digest, epoch milliseconds; backfill digests end whenever they were made. */
  verifiedUntil(): number | null {
    let newest: number | null = null;
    for (const { verdict, window, name } of this.digests.values())
      if (verdict === 'verified' && !name.backfill) newest = Math.max(newest ?? 0, window.to);
    return newest;
  }

  /**
   * Whether what was wrong is now seen to be right. That it is not told again is not enough: the digest that would tell it may be gone.
   * @param isThere whether an object lies under a key
   */
  mends({ verdict, key, begin, end, trail }: TrailProblem, isThere: (key: string) => boolean): boolean {
    switch (verdict) {
      case 'missing-file':
      case 'changed-file':
        return this.logFiles.get(key)?.verdict === 'verified' || this.digests.get(key)?.verdict === 'verified';
      case 'broken-signature':
        return this.digests.get(key)?.verdict === 'verified';
      case 'missing-digest':
        return this.digests.get(key)?.verdict === 'verified' || (begin !== null && this.#covers({ begin, end, trail }));
      case 'unlisted':
        return this.logFiles.get(key)?.verdict === 'verified' || !isThere(key);
      default:
        return false;
    }
  }

  #covers({ begin, end, trail }: { readonly begin: number; readonly end: number; readonly trail: string | null }): boolean {
    return [...this.digests.values()].some(
      ({ verdict, window, name }) =>
        verdict === 'verified' && !name.backfill && name.trail === trail && window.from <= begin + SLACK && window.to >= end - SLACK,
    );
  }
}

/** Problems that stay until they are mended. What merely could not be read makes an account and Region unknown, not broken. */
export function isLasting({ verdict }: Problem): boolean {
  return verdict !== 'unreadable' && verdict !== 'unverifiable signature' && verdict !== 'not enabled';
}
