import { type LogClaim, walkChain } from './chain.ts';
import { type ChainEnds, checkEnd, endsOf } from './continuity.ts';
import { Coverage, type Standing } from './coverage.ts';
import { eachOf } from './each-of.ts';
import { parsed } from './examine.ts';
import { type ChainListing, listChains, type Period } from './listing.ts';
import { type DigestName, digestName } from './object-name.ts';
import type { ProblemLog } from './problem-log.ts';
import type { KeySource } from './public-keys.ts';
import { type ChainTally, countDigests, emptyTally } from './tally.ts';
import type { Area, LogHash, AreaCopy } from './trail-copy.ts';
import type { Moved } from './walk.ts';
import type { LogFileVerdict, Witness } from './witness.ts';

export interface AreaOptions {
  readonly copy: AreaCopy;
  readonly publicKeys: KeySource;
  readonly period: Period;
  readonly problems: ProblemLog;
  /** Log files looked at at once. */
  readonly concurrency: number;
  readonly witness?: Witness | undefined;
}

export interface AreaResult {
  readonly chains: readonly { readonly tally: ChainTally /** Null where there is no digest. */; readonly ends: ChainEnds | null }[];
}

/** Validates one account × Region: every chain of digests, the log files that they list, and those that none lists. */
export async function verifyArea(area: Area, options: AreaOptions): Promise<AreaResult> {
  const { copy, period, problems } = options;
  const { names, others } = await listDigests(copy, area);
  const unclaimed = new Set<string>();
  for await (const key of copy.logKeys(area)) if (!isHidden(key)) unclaimed.add(key);
  const chains = listChains(names, period).map((listing) => ({ listing, tally: emptyTally(area, listing.sample) }));
  const moved: Moved[] = [];
  const claimed = new Set<string>();
  const claims = claimsOf(chains, moved, options);
  await eachOf(claims, options.concurrency, async (claim) => {
    const isThere = unclaimed.delete(claim.key) || claimed.has(claim.key);
    if (isThere) claimed.add(claim.key);
    if (claim.worth !== 'void') await checkLog(claim, options);
    else if (isThere) claim.tally.logFiles.unproven += 1;
  });
  if (period.to !== null) for (const chain of chains) checkEnd({ tally: chain.tally, ends: endsOf(chain.listing), problems }, period.to);
  const first = chains.find(({ listing }) => !listing.sample.backfill) ?? chains[0];
  if (first) {
    tellMoved(moved, names, problems);
    for (const key of others) await tellOther(key, first.tally, options);
    await judgeUnclaimed(unclaimed, chains, { ...options, tally: first.tally });
    return { chains: chains.map(({ listing, tally }) => ({ tally, ends: endsOf(listing) })) };
  }
  return { chains: notEnabled(area, unclaimed, options) };
}

async function listDigests(copy: AreaCopy, area: Area): Promise<{ names: DigestName[]; others: string[] }> {
  const [names, others]: [DigestName[], string[]] = [[], []];
  for await (const key of copy.digestKeys(area)) {
    const name = digestName(key);
    if (name?.account === area.account && name.region === area.region) names.push(name);
    else if (!isHidden(key)) others.push(key);
  }
  return { names, others };
}

async function* claimsOf(
  chains: readonly { listing: ChainListing; tally: ChainTally }[],
  moved: Moved[],
  options: AreaOptions,
): AsyncGenerator<LogClaim> {
  for (const chain of chains) yield* walkChain({ ...options, ...chain, moved });
}

async function checkLog(claim: LogClaim, { copy, problems, witness }: AreaOptions): Promise<void> {
  const { key, hash, tally } = claim;
  const found = await copy.hashLog(key);
  const { verdict, message } = judgeLog(claim, found);
  const sha256 = found.kind === 'hashed' ? found.sha256 : null;
  witness?.logFile({ key, listed: hash, found: sha256, digest: claim.digest, verdict, message });
  if (verdict === 'verified') tally.logFiles.valid += 1;
  else if (verdict === 'unproven') tally.logFiles.unproven += 1;
  else {
    tally.logFiles[verdict === 'missing file' ? 'missing' : verdict === 'changed file' ? 'changed' : 'unreadable'] += 1;
    problems.add(tally, { verdict, object: key, message });
  }
}

function judgeLog({ hash, worth }: LogClaim, found: LogHash): Pick<LogFileVerdict, 'verdict' | 'message'> {
  switch (found.kind) {
    case 'hashed':
      if (found.sha256 === hash) return { verdict: worth === 'proven' ? 'verified' : 'unproven', message: '' };
      return { verdict: 'changed file', message: 'the SHA-256 of its content is not the one in the digest' };
    case 'absent':
      return { verdict: 'missing file', message: 'a digest lists it, but it is not there' };
    case 'damaged':
      return { verdict: 'changed file', message: found.message };
    case 'unreadable':
      return { verdict: 'unreadable', message: found.message };
  }
}

/** A file among the digests that is not named as one: perhaps a digest that was renamed. */
async function tellOther(key: string, tally: ChainTally, { copy, problems }: AreaOptions): Promise<void> {
  const read = await copy.readDigest(key);
  const digest = read.kind === 'read' ? parsed(read.bytes) : 'unread';
  if (typeof digest !== 'string' && problems.explainMissing(digest.key, `it was moved to ${key}`)) return;
  problems.add(tally, { verdict: 'unlisted', object: key, message: 'it lies among the digests, but is not named as one' });
}

function tellMoved(moved: readonly Moved[], names: readonly DigestName[], problems: ProblemLog): void {
  const keys = new Set(names.map(({ key }) => key));
  for (const { to } of moved) keys.delete(to);
  for (const { from, to, tally } of moved) {
    if (problems.explainMissing(from, `it was moved to ${to}`)) continue;
    if (keys.has(from)) {
      problems.add(tally, { verdict: 'unlisted', object: to, message: `it is a copy of the digest ${from}` });
      continue;
    }
    tally.digests.missing += 1;
    problems.add(tally, { verdict: 'missing digest', object: from, message: `it was moved to ${to}` });
  }
}

interface Leftover extends AreaOptions {
  /** Of the chain with which log files are counted that are of no known trail. */
  readonly tally: ChainTally;
}

async function judgeUnclaimed(
  keys: ReadonlySet<string>,
  chains: readonly { listing: ChainListing; tally: ChainTally }[],
  { tally, period, problems, copy }: Leftover,
): Promise<void> {
  const coverage = new Coverage(
    chains.map((chain) => chain.tally),
    period,
  );
  const byStanding = new Map<Standing, string[]>();
  for (const key of keys) {
    const standing = coverage.standingOf(key);
    const same = byStanding.get(standing);
    if (same) same.push(key);
    else byStanding.set(standing, [key]);
  }
  tally.logFiles.unproven += byStanding.get('unproven')?.length ?? 0;
  tally.logFiles.pending += byStanding.get('pending')?.length ?? 0;
  const early = byStanding.get('early') ?? [];
  if (early[0] !== undefined) {
    tally.logFiles.unlisted += early.length;
    const message = `log files from before the first digest: ${early.length}; validation was not enabled yet, or their digests are gone`;
    problems.add(tally, { verdict: 'not enabled', object: early[0], message, trail: null, count: early.length });
  }
  const unlisted = new Set(byStanding.get('unlisted'));
  await takeOutLater(unlisted, chains, copy);
  for (const object of unlisted) {
    tally.logFiles.unlisted += 1;
    problems.add(tally, { verdict: 'unlisted', object, message: 'no digest lists this log file', trail: null });
  }
}

/** A file that was delivered hours late is listed by a digest after the period. */
async function takeOutLater(unlisted: Set<string>, chains: readonly { listing: ChainListing }[], copy: AreaCopy): Promise<void> {
  for (const { listing } of chains) {
    for (const { key } of listing.after) {
      if (unlisted.size === 0) return;
      const read = await copy.readDigest(key);
      const digest = read.kind === 'read' ? parsed(read.bytes) : 'unread';
      if (typeof digest !== 'string') for (const entry of digest.logFiles) unlisted.delete(entry.key);
    }
  }
}

function notEnabled(area: Area, keys: ReadonlySet<string>, { period, problems }: AreaOptions): AreaResult['chains'] {
  const coverage = new Coverage([], period);
  const inside = [...keys].filter((key) => coverage.standingOf(key) !== 'outside').length;
  if (inside === 0) return [];
  const tally = emptyTally(area, null);
  tally.logFiles.unlisted = inside;
  const message = `log files without any digest: ${inside}; validation is not enabled, or all digests are gone`;
  problems.add(tally, { verdict: 'not enabled', object: `${area.place}CloudTrail/${area.region}/`, message, count: inside });
  return [{ tally, ends: null }];
}

/** Files such as `.DS_Store`, which systems leave everywhere and which readers of logs pass over. */
function isHidden(key: string): boolean {
  return key.slice(key.lastIndexOf('/') + 1).startsWith('.');
}

/** Whether there is any digest to go by. */
export function hasDigests({ chains }: AreaResult): boolean {
  return chains.some(({ tally }) => countDigests(tally) > 0);
}
