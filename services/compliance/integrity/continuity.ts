import { HOUR, MINUTE } from '../../core/clock.ts';
import type { ChainListing, Period } from './listing.ts';
import { type DigestName, digestKeyAt } from './object-name.ts';
import type { Window } from './verdict.ts';
import { type Step, type Walk, windowOf } from './walk.ts';

/** Digests whose ends lie this close to an hour apart are an hour apart. */
const SLACK = MINUTE;

/** More missing digests in a row than this are told as one problem. */
const TOLD_ONE_BY_ONE = 48;

type Sink = Pick<Walk, 'tally' | 'problems'>;

/** Holds two neighbours against each other: does the newer one follow on the older? */
export function checkLink(walk: Walk, newer: Step, older: Step): void {
  const hole = { from: windowOf(older).to, to: windowOf(newer).from };
  const previous = newer.found?.proven || isOutside(newer, walk) ? newer.found?.digest?.previous : undefined;
  if (previous?.key === older.name.key || isElsewhere(newer)) return;
  if (previous === null) tellGap(walk, newer, hole);
  else if (previous) tellMissing(walk, newer.name, { hole, known: previous.key });
  else tellMissing(walk, newer.name, { hole, known: null });
}

/** What is before the oldest digest of the period? */
export function checkBeginning(walk: Walk, oldest: Step): void {
  const { listing, period } = walk;
  const start = windowOf(oldest).from;
  if (period.from !== null && start <= period.from) return;
  if (listing.before) {
    checkLink(walk, oldest, { name: listing.before, found: null });
    return;
  }
  const previous = oldest.found?.proven ? oldest.found.digest?.previous : null;
  if (previous && !isElsewhere(oldest))
    tellMissing(walk, oldest.name, { hole: { from: period.from ?? -Infinity, to: start }, known: previous.key });
}

function tellGap({ tally, problems, period }: Walk, { name }: Step, hole: Window): void {
  // Every backfill may begin a chain of its own: nothing was switched off.
  if (name.backfill || isBeyond(hole, period)) return;
  tally.gaps += 1;
  tally.holes.push(hole);
  const message = 'a new chain begins here although there are digests before it: validation or logging was switched off and on again';
  problems.add(tally, { verdict: 'gap', object: name.key, message, window: hole });
}

/** @param known key of the missing digest that the one after the hole refers to */
function tellMissing(walk: Walk, after: DigestName, { hole, known }: { hole: Window; known: string | null }): void {
  const { tally, problems, period } = walk;
  const due = after.backfill || hole.from === -Infinity ? 0 : Math.round((hole.to - hole.from) / HOUR);
  if (known === null && due < 1) return;
  if (isBeyond(hole, period)) return;
  tally.holes.push(hole);
  if (known !== null) {
    tally.digests.missing += 1;
    const isFirst = hole.from === -Infinity ? '; if the copy begins here, say so by the start of the period' : '';
    const message = `the digest after it refers to it, but it is not there${isFirst}`;
    problems.add(tally, {
      verdict: 'missing digest',
      object: known,
      message,
      window: due > 1 ? { from: hole.to - HOUR, to: hole.to } : hole,
    });
  }
  tellDue(walk, after, { hole, due: known === null ? due : due - 1, why: 'no digest covers this hour, and none refers to one' });
}

/** Tells of digests that were due every hour from the beginning of the hole on. */
function tellDue({ tally, problems }: Sink, name: DigestName, { hole, due, why }: { hole: Window; due: number; why: string }): void {
  if (due < 1) return;
  tally.digests.missing += due;
  if (due > TOLD_ONE_BY_ONE) {
    const object = digestKeyAt(name, hole.from + HOUR);
    problems.add(tally, {
      verdict: 'missing digest',
      object,
      message: `${why}; nor for ${due - 1} hours after it`,
      count: due,
      window: hole,
    });
    return;
  }
  for (let hour = 1; hour <= due; hour++) {
    const window = { from: hole.from + (hour - 1) * HOUR, to: hole.from + hour * HOUR };
    problems.add(tally, { verdict: 'missing digest', object: digestKeyAt(name, window.to), message: why, window });
  }
}

/** What must be known of a chain to see whether its newest digests are gone. */
export interface ChainEnds {
  readonly sample: DigestName;
  /** Whether there are digests after the period. */
  readonly goesOn: boolean;
  /** End of the newest digest before the period, epoch milliseconds. */
  readonly before: number | null;
}

export function endsOf({ sample, after, before }: ChainListing): ChainEnds {
  return { sample, goesOn: after.length > 0, before: before?.time ?? null };
}

/**
 * Looks for the newest digests: one is due every hour, also for an hour without log files. Nothing else can show that they are gone.
 * @param asOf the moment up to which there should be digests, epoch milliseconds
 */
export function checkEnd({ ends, tally, problems }: Sink & { readonly ends: ChainEnds }, asOf: number): void {
  const { sample } = ends;
  const end = tally.covered?.to ?? ends.before;
  if (sample.backfill || ends.goesOn || end === null) return;
  const due = Math.floor((asOf - end + SLACK) / HOUR);
  if (due < 1) return;
  const hole = { from: end, to: Math.max(asOf, end + HOUR) };
  tally.holes.push(hole);
  const why = 'no digest is newer, although one is due every hour: it is gone, or logging was stopped';
  tellDue({ tally, problems }, sample, { hole, due, why });
}

/** The trail was told to deliver to this bucket from here on: the chain goes on in another one. */
function isElsewhere({ found }: Step): boolean {
  const { digest = null, proven = false } = found ?? {};
  return proven && digest !== null && digest.previous !== null && digest.previous.bucket !== digest.bucket;
}

function isOutside({ name }: Step, { listing }: Walk): boolean {
  return listing.after[0]?.key === name.key;
}

function isBeyond(hole: Window, { from, to }: Period): boolean {
  return (to !== null && hole.from >= to - SLACK) || (from !== null && hole.to <= from);
}
