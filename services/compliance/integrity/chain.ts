import { checkBeginning, checkLink } from './continuity.ts';
import type { LogFileEntry } from './digest.ts';
import { type Candidate, type Examined, examine } from './examine.ts';
import type { DigestName } from './object-name.ts';
import { type ChainTally, cover } from './tally.ts';
import { type Step, type Walk, windowOf } from './walk.ts';

/** What a digest says of a log file, and how much that is worth. */
export interface LogClaim extends LogFileEntry {
  readonly tally: ChainTally;
  /** The digest that says it. */
  readonly digest: DigestName;
  /** `proven`: by a digest of CloudTrail's. `open`: by one of which nothing is known. `void`: by one that is not CloudTrail's. */
  readonly worth: 'proven' | 'open' | 'void';
}

/**
 * Walks one chain from its newest digest to its oldest. It follows both the chain of references and the listing, hour by hour: the former
 * shows what was taken out, the latter what was taken out together with all that refers to it.
 */
export async function* walkChain(walk: Walk): AsyncGenerator<LogClaim> {
  const { listing, tally, problems } = walk;
  const unsure = new Unsure(walk);
  let newer: Step | null = await firstAfter(walk);
  if (newer?.found) unsure.note(newer.name, newer.found);
  const ahead = new Set([...listing.inside, ...(listing.before ? [listing.before] : [])].map(({ key }) => key));
  for (const name of listing.inside) {
    ahead.delete(name.key);
    let found = await examine(name, { ...walk, candidate: candidateFor(name, newer) });
    // With a signature that does not fit, what it says of its place is worth nothing either.
    if (found.movedFrom && found.standing !== 'broken signature') {
      walk.moved.push({ from: found.movedFrom.key, to: name.key, tally });
      for (const entry of found.digest?.logFiles ?? []) yield { ...entry, tally, digest: name, worth: 'void' };
      continue;
    }
    const isStray = isPassedOver(name, newer, ahead);
    if (isStray) problems.add(tally, { verdict: 'unlisted', object: name.key, message: 'the digest after it refers to another one' });
    else {
      if (newer) checkLink(walk, newer, { name, found });
      found = heldAgainst(newer, name, found);
      newer = { name, found };
    }
    count(walk, name, found, { isStray });
    unsure.note(name, found);
    const worth =
      found.proven && found.standing !== 'changed file' ? 'proven' : found.standing === 'unverifiable signature' ? 'open' : 'void';
    for (const entry of found.digest?.logFiles ?? []) yield { ...entry, tally, digest: name, worth };
  }
  if (newer) checkBeginning(walk, newer);
}

/** The digest after the period: it says how the last one inside is signed and named. */
async function firstAfter({ listing, copy, publicKeys }: Walk): Promise<Step | null> {
  const name = listing.after[0];
  if (!name) return null;
  const found = await examine(name, { copy, publicKeys, candidate: null });
  return { name, found: found.movedFrom ? null : found };
}

function candidateFor(name: DigestName, newer: Step | null): Candidate | null {
  const digest = newer?.found?.digest;
  if (!newer?.found || digest?.previous?.key !== name.key || digest.previousSignature === null) return null;
  return { signature: digest.previousSignature, proven: newer.found.proven };
}

/** Whether the newer digest refers to one that is there, but older than this one. */
function isPassedOver(name: DigestName, newer: Step | null, ahead: ReadonlySet<string>): boolean {
  const previous = newer?.found?.proven ? newer.found.digest?.previous : null;
  return previous !== null && previous !== undefined && previous.key !== name.key && ahead.has(previous.key);
}

/** `previousDigestHashValue`: not looked at by AWS's own validator. */
function heldAgainst(newer: Step | null, name: DigestName, found: Examined): Examined {
  const previous = newer?.found?.proven ? newer.found.digest?.previous : null;
  const isOther = previous?.key === name.key && previous.hash !== null && found.contentHash !== null && previous.hash !== found.contentHash;
  if (!isOther || found.standing === 'broken signature') return found;
  return { ...found, standing: 'changed file', message: 'it is not the digest whose SHA-256 the next digest holds' };
}

function count({ tally, problems, witness }: Walk, name: DigestName, found: Examined, { isStray }: { isStray: boolean }): void {
  const window = windowOf({ name, found });
  const verdict = found.standing === 'valid' ? 'verified' : found.standing;
  if (!isStray) witness?.digest({ name, digest: found.digest, verdict, message: found.message, window });
  if (!isStray) cover(tally, window);
  const { standing } = found;
  if (standing === 'valid') {
    if (!isStray) tally.digests.valid += 1;
    return;
  }
  if (standing === 'broken signature') tally.digests.broken += 1;
  else if (standing === 'unverifiable signature') tally.digests.unverifiable += 1;
  else if (standing === 'changed file') tally.digests.changed += 1;
  else if (standing === 'unreadable') tally.digests.unreadable += 1;
  else tally.digests.missing += 1;
  if (!found.proven || standing === 'changed file') tally.holes.push(window);
  problems.add(tally, { verdict: standing, object: name.key, message: found.message, window });
}

/** Digests that the chain alone vouches for, between others whose metadata is known: theirs has been taken away. */
class Unsure {
  #digests: { readonly name: DigestName; readonly found: Examined }[] = [];
  #hasMetadata = false;
  readonly #walk: Walk;

  constructor(walk: Walk) {
    this.#walk = walk;
  }

  note(name: DigestName, found: Examined): void {
    if (found.digest === null) return;
    if (found.byChain) {
      if (this.#hasMetadata && found.standing === 'valid') this.#digests.push({ name, found });
      return;
    }
    this.#hasMetadata = true;
    const { tally, problems, witness } = this.#walk;
    for (const step of this.#digests) {
      tally.digests.valid -= 1;
      tally.digests.broken += 1;
      const message =
        'signature metadata is known of the digests before and after it, but it has none; the signature in the next digest fits its content';
      problems.add(tally, { verdict: 'broken signature', object: step.name.key, message });
      witness?.digest({ name: step.name, digest: step.found.digest, verdict: 'broken signature', message, window: windowOf(step) });
    }
    this.#digests = [];
  }
}
