import { iso } from '../api/text/words.ts';
import type { ChainTally } from '../compliance/integrity/tally.ts';
import { countDigests } from '../compliance/integrity/tally.ts';
import type { Problem, Window } from '../compliance/integrity/verdict.ts';
import type { Verification } from '../compliance/integrity/verify.ts';
import type { Json, JsonObject } from '../core/json.ts';

/** The JSON document of `kmswatch verify`. */
export function verificationJson(
  result: Verification,
  read: { readonly from: number | null; readonly to: number | null; readonly bytes: number },
): JsonObject {
  return {
    verdict: result.verdict,
    from: iso(read.from),
    to: iso(read.to),
    digests: sum(result.chains.map(digestsJson)),
    log_files: sum(result.chains.map(logFilesJson)),
    log_bytes: read.bytes,
    chains: result.chains.map(chainJson),
    problems: result.problems.map(problemJson),
    problems_found: result.found,
  };
}

function chainJson(tally: ChainTally): JsonObject {
  return {
    verdict: chainVerdict(tally),
    account: tally.account,
    region: tally.region,
    trail: tally.trail?.name ?? null,
    home_region: tally.trail?.homeRegion ?? null,
    backfill: tally.trail?.backfill ?? false,
    prefix: tally.place,
    covered: windowJson(tally.covered),
    digests: digestsJson(tally),
    log_files: logFilesJson(tally),
    gaps: tally.gaps,
  };
}

function chainVerdict(tally: ChainTally): string {
  if (tally.trail === null || countDigests(tally) === 0) return 'not enabled';
  if (tally.problems === 0) return 'verified';
  return tally.problems === tally.digests.unreadable + tally.logFiles.unreadable ? 'unknown' : 'failed';
}

function digestsJson(tally: ChainTally): Record<string, number> {
  const { valid, broken, unverifiable, changed, missing, unreadable } = tally.digests;
  return {
    total: countDigests(tally),
    valid,
    broken_signature: broken,
    unverifiable_signature: unverifiable,
    changed,
    missing,
    unreadable,
  };
}

function logFilesJson({
  logFiles: { valid, changed, missing, unreadable, unproven, unlisted, pending },
}: ChainTally): Record<string, number> {
  return { total: valid + changed + missing + unreadable, valid, changed, missing, unreadable, unproven, unlisted, pending };
}

function problemJson({ verdict, object, message, account, region, trail, count, window }: Problem): JsonObject {
  return { verdict, object, message, account, region, trail, count, window: windowJson(window) };
}

function windowJson(window: Window | null): Json {
  return window && { from: iso(window.from), to: iso(window.to) };
}

function sum(counts: readonly Record<string, number>[]): Record<string, number> {
  const total = new Map<string, number>();
  for (const each of counts) for (const [name, count] of Object.entries(each)) total.set(name, (total.get(name) ?? 0) + count);
  return Object.fromEntries(total);
}
