import { HOUR } from '../../core/clock.ts';
import type { Examined } from './examine.ts';
import type { ChainListing, Period } from './listing.ts';
import type { DigestName } from './object-name.ts';
import type { ProblemLog } from './problem-log.ts';
import type { KeySource } from './public-keys.ts';
import type { ChainTally } from './tally.ts';
import type { AreaCopy } from './trail-copy.ts';
import type { Window } from './verdict.ts';
import type { Witness } from './witness.ts';

/** A digest that lies where it does not belong. */
export interface Moved {
  readonly from: string;
  readonly to: string;
  readonly tally: ChainTally;
}

/** What walking one chain needs, and where it says what it finds. */
export interface Walk {
  readonly copy: AreaCopy;
  readonly publicKeys: KeySource;
  readonly listing: ChainListing;
  readonly period: Period;
  readonly tally: ChainTally;
  readonly problems: ProblemLog;
  readonly moved: Moved[];
  readonly witness?: Witness | undefined;
}

/** A digest on the way: what its name says, and its content unless it was only named. */
export interface Step {
  readonly name: DigestName;
  readonly found: Examined | null;
}

/** The delivery time that a digest covers; by its name where its content is not CloudTrail's. */
export function windowOf({ name, found }: Step): Window {
  const digest = found?.digest;
  return digest && (found.proven || found.standing === 'unverifiable signature')
    ? { from: digest.start, to: digest.end }
    : { from: name.time - HOUR, to: name.time };
}
