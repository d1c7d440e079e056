import type { DigestName } from './object-name.ts';
import type { Window } from './verdict.ts';

/** What was found of one chain of digests: account × Region × trail, backfill apart. Counts are of files. */
export interface ChainTally {
  /** Null for log files of an account × Region without any digest. */
  readonly trail: { readonly name: string; readonly homeRegion: string; readonly backfill: boolean } | null;
  readonly account: string;
  readonly region: string;
  readonly place: string;
  /** The delivery time that the digests speak of, epoch milliseconds. */
  covered: Window | null;
  readonly digests: {
    valid: number;
    broken: number;
    unverifiable: number;
    changed: number;
    missing: number;
    /** There, but not to be read. */
    unreadable: number;
  };
  readonly logFiles: {
    /** Listed by a digest that is CloudTrail's, and as it says. */
    valid: number;
    changed: number;
    missing: number;
    unreadable: number;
    /** There, but the digest that would vouch for them is broken, unverifiable or missing. */
    unproven: number;
    unlisted: number;
    /** Too new to be in a digest yet. */
    pending: number;
  };
  gaps: number;
  /** Stretches without a proven digest. */
  readonly holes: Window[];
  problems: number;
}

export function emptyTally(area: { account: string; region: string; place: string }, name: DigestName | null): ChainTally {
  return {
    trail: name && { name: name.trail, homeRegion: name.homeRegion, backfill: name.backfill },
    account: area.account,
    region: area.region,
    place: area.place,
    covered: null,
    digests: { valid: 0, broken: 0, unverifiable: 0, changed: 0, missing: 0, unreadable: 0 },
    logFiles: { valid: 0, changed: 0, missing: 0, unreadable: 0, unproven: 0, unlisted: 0, pending: 0 },
    gaps: 0,
    holes: [],
    problems: 0,
  };
}

export function cover(tally: ChainTally, window: Window): void {
  const { from, to } = tally.covered ?? window;
  tally.covered = { from: Math.min(from, window.from), to: Math.max(to, window.to) };
}

export function countDigests({ digests }: ChainTally): number {
  return digests.valid + digests.broken + digests.unverifiable + digests.changed + digests.missing + digests.unreadable;
}
