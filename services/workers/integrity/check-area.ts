/** One look at one account and Region of a trail's bucket, and everything that follows from it. */
import type pg from 'pg';
import { verifyArea } from '../../compliance/integrity/area.ts';
import { logFileTime } from '../../compliance/integrity/object-name.ts';
import { ProblemLog } from '../../compliance/integrity/problem-log.ts';
import type { KeySource } from '../../compliance/integrity/public-keys.ts';
import { countDigests } from '../../compliance/integrity/tally.ts';
import type { Problem } from '../../compliance/integrity/verdict.ts';
import { DAY, HOUR } from '../../core/clock.ts';
import type { TrailArea, TrailBucket } from '../../sources/s3-trail/trail-bucket.ts';
import { setVerified } from '../../store/coverage.ts';
import { keepDigests, type KeptDigest, markDigests } from '../../store/digests.ts';
import { countLogFiles, type LogFileHour, type LogFileRow, recordLogFiles } from '../../store/digests-log-files.ts';
import {
  addIntegrityTotals,
  type AreaState,
  type AreaStanding,
  recordProblems,
  type TrailProblem,
  writeArea,
} from '../../store/digests-problems.ts';
import { TERM } from '../../store/terms.ts';
import { inTransaction } from '../../store/transaction.ts';
import type { Deps } from '../deps.ts';
import { derive } from '../derive.ts';
import { lockSubjects } from '../locks.ts';
import { keptDigest } from './kept-digest.ts';
import { isLasting, Observations } from './observations.ts';
import { RememberedCopy, type Window } from './remembered-copy.ts';

export interface CheckContext {
  readonly bucket: TrailBucket;
  readonly publicKeys: KeySource;
  readonly lookBackMs: number;
  readonly graceMs: number;
  /** Whether log files of this bucket are ingested as they come, so that those which were not are missing. */
  readonly expectsIngested: boolean;
}

/** Problems are looked at again for this long; then they stay as they are until a person has dealt with them. */
const RECHECKED_MS = 7 * DAY;

/** Listings begin this much before the time that is checked: the digest before it says what was due. */
const LEAD_MS = 2 * HOUR;

/** Log files that are downloaded side by side. */
const CONCURRENCY = 4;

/**
 * Validates what was delivered since the last look, and some of what was before it; keeps digests, verdicts and problems, and derives the
 * account's findings anew when problems came or went, all in one transaction.
 * @throws KmswatchError SOURCE_DENIED, SOURCE_UNREADABLE when nothing can be known; nothing is recorded then
 */
export async function checkArea(deps: Deps, context: CheckContext, { area, state }: { area: TrailArea; state: AreaState }): Promise<void> {
  const now = deps.clock.now();
  const window = windowOf(state, context, now);
  const copy = await RememberedCopy.open(deps.pool, context.bucket, { area, window, lead: LEAD_MS });
  const problems = new ProblemLog();
  const witness = new Observations();
  const { chains } = await verifyArea(area, {
    copy,
    publicKeys: context.publicKeys,
    period: window,
    problems,
    concurrency: CONCURRENCY,
    witness,
  });
  const isEnabled = chains.some(({ tally }) => countDigests(tally) > 0);
  const lasting = problems.told().filter(isLasting);
  const kept: KeptDigest[] = [];
  for (const digest of copy.fresh) {
    const one = await keptDigest(digest);
    if (one) kept.push(one);
  }
  await record(deps, context, {
    area,
    kept,
    witness,
    window,
    ...standingOf(problems.told(), isEnabled),
    isComplete: problems.unreadable === 0,
    found: lasting.map((problem) => toRecord(problem, context.bucket.name, window)),
    resolved: state.open.filter((problem) => witness.mends(problem, (key) => copy.hasLog(key))),
    logs: logRows(witness, copy, context.bucket.name),
  });
}

/** What is to be looked at next. */
export function windowOf({ checkedUntil, open }: AreaState, { lookBackMs, graceMs }: CheckContext, now: number): Window {
  const to = now - graceMs;
  const oldest = open.find(({ begin, end }) => (begin ?? end) > now - RECHECKED_MS);
  return { from: Math.min((checkedUntil ?? to) - lookBackMs, (oldest?.begin ?? oldest?.end ?? to) - HOUR), to };
}

/** What is broken counts before what is not known, and both before what was never promised. */
function standingOf(problems: readonly Problem[], isEnabled: boolean): { standing: AreaStanding; reason: string | null } {
  const broken = problems.find(isLasting);
  const unread = problems.find(({ verdict }) => verdict === 'unreadable');
  const [first] = problems;
  if (broken) return { standing: 'failed', reason: broken.message };
  if (unread) return { standing: 'unknown', reason: unread.message };
  if (first) return { standing: 'not-enabled', reason: first.message };
  return isEnabled
    ? { standing: 'verified', reason: null }
    : { standing: 'not-enabled', reason: 'no digest was delivered in the time that was looked at' };
}

interface Outcome {
  readonly area: TrailArea;
  readonly kept: readonly KeptDigest[];
  readonly witness: Observations;
  readonly window: Window;
  readonly standing: AreaStanding;
  readonly reason: string | null;
  /** All could be read. */
  readonly isComplete: boolean;
  readonly found: readonly TrailProblem[];
  readonly resolved: readonly TrailProblem[];
  readonly logs: readonly LogFileRow[];
}

async function record(deps: Deps, context: CheckContext, outcome: Outcome): Promise<void> {
  const { area, witness, window, standing, reason, found, resolved, kept } = outcome;
  const bucket = context.bucket.name;
  const accountId = await accountIdOf(deps, area.account);
  const at = deps.clock.now();
  const changes = await inTransaction(deps.pool, async (client) => {
    await lockSubjects(client, { exclusiveKeys: [], sharedKeys: [], accounts: [accountId], actors: [], everything: false });
    await keepDigests(client, kept, at);
    const checks = [...witness.digests.values()].map(({ name, verdict, message }) => ({
      key: name.key,
      verdict: dashed(verdict),
      reason: message === '' ? null : message,
    }));
    const digests = await markDigests(client, bucket, { checks, at });
    const logs = await recordLogFiles(client, outcome.logs, at);
    const { opened, resolved: mended } = await recordProblems(client, { found, resolved, at });
    await tellCoverage(client, outcome.logs, { expectsIngested: context.expectsIngested, at });
    const checkedUntil = outcome.isComplete ? window.to : window.from;
    await writeArea(client, { bucket, ...area, standing, reason, checkedUntil, verifiedUntil: witness.verifiedUntil() }, at);
    const ids = { keys: [], aliases: [], accounts: [accountId], actors: [] };
    const changed = opened.length + mended === 0 ? 0 : await derive(deps, client, { ids, asOf: at });
    // Digests that are missing were perhaps never kept, so they count as problems. Others wait for these rows: they come last.
    const isMissing = (verdict: string): boolean => verdict === 'missing-digest';
    await addIntegrityTotals(client, 'digest', [...digests.filter((verdict) => !isMissing(verdict)), ...opened.filter(isMissing)]);
    await addIntegrityTotals(client, 'log-file', logs);
    return changed;
  });
  if (changes > 0) await deps.queues.add('notify', {});
}

async function accountIdOf(deps: Deps, account: string): Promise<number> {
  const terms = deps.terms();
  terms.wantTerm(TERM.account, account);
  await terms.resolve();
  return terms.term(TERM.account, account);
}

function toRecord({ verdict, object, account, region, trail, message, window }: Problem, bucket: string, checked: Window): TrailProblem {
  const begin = window && Number.isFinite(window.from) ? window.from : null;
  const end = window?.to ?? logFileTime(object) ?? checked.to;
  return { bucket, key: object, verdict: dashed(verdict), account, region, trail, reason: message, begin, end };
}

function logRows(witness: Observations, copy: RememberedCopy, bucket: string): LogFileRow[] {
  return [...witness.logFiles.values()].map(({ key, listed, found, digest, verdict, message }) => ({
    bucket,
    key,
    digestKey: digest.key,
    account: digest.account,
    region: digest.region,
    hour: Math.floor((logFileTime(key) ?? digest.time) / HOUR) * HOUR,
    listed,
    found,
    etag: copy.etagOf(key),
    verdict: dashed(verdict),
    reason: message === '' ? null : message,
  }));
}

/** What digests show of the hours of the ledger: files that are proven, and files that nobody has ever handed us. */
export async function tellCoverage(
  client: pg.Pool | pg.ClientBase,
  hours: readonly LogFileHour[],
  { expectsIngested, at }: { readonly expectsIngested: boolean; readonly at: number },
): Promise<void> {
  const counts = await countLogFiles(client, hours);
  const rows = counts.map(({ account, region, hour, verified, unseen }) => {
    return { account, region, hour, source: 's3-trail', verified, missing: expectsIngested ? unseen : 0 };
  });
  await setVerified(client, rows, at);
}

function dashed(verdict: string): string {
  return verdict.replaceAll(' ', '-');
}
