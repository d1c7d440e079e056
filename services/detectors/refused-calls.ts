/** Refused calls of a key put together: per caller, in all, with first and last event of each as evidence. */
import type { Actor } from '../core/event.ts';
import { EVIDENCE_LIMIT } from '../core/finding.ts';
import type { JsonObject } from '../core/json.ts';
import type { FailureHour } from './contract.ts';
import type { Share } from './pending-deletion.ts';
import { actorName, count, iso, listed, plain } from './wording.ts';

export interface RefusedCalls {
  readonly calls: number;
  /** False: there were at least so many. */
  readonly exact: boolean;
  readonly firstAt: number;
  readonly lastAt: number;
  readonly actor: string | null;
  readonly evidence: readonly string[];
  readonly callers: readonly RefusedCaller[];
}

export interface RefusedCaller {
  readonly actor: Actor;
  readonly calls: number;
  readonly operations: readonly string[];
  readonly firstAt: number;
  readonly lastAt: number;
}

const SHOWN_CALLERS = 10;

/** Null for no call at all. Callers with most calls first, ties by actor id. */
export function refusedCalls(shares: readonly { readonly failure: FailureHour; readonly share: Share }[]): RefusedCalls | null {
  if (shares.length === 0) return null;
  const byActor = new Map<string, { actor: Actor; calls: number; operations: Set<string>; firstAt: number; lastAt: number }>();
  let [calls, exact, firstAt, lastAt] = [0, true, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { failure, share } of shares) {
    const { actor } = failure;
    const known = byActor.get(actor.id) ?? {
      actor,
      calls: 0,
      operations: new Set<string>(),
      firstAt: share.first.at,
      lastAt: share.last.at,
    };
    known.calls += share.calls;
    known.operations.add(failure.operation);
    known.firstAt = Math.min(known.firstAt, share.first.at);
    known.lastAt = Math.max(known.lastAt, share.last.at);
    byActor.set(actor.id, known);
    calls += share.calls;
    exact &&= share.exact;
    firstAt = Math.min(firstAt, share.first.at);
    lastAt = Math.max(lastAt, share.last.at);
  }
  const callers = [...byActor.values()]
    .map((known) => ({ ...known, operations: [...known.operations].sort() }))
    .sort((a, b) => b.calls - a.calls || (a.actor.id < b.actor.id ? -1 : 1));
  return { calls, exact, firstAt, lastAt, actor: callers[0]?.actor.id ?? null, evidence: evidenceOf(shares), callers };
}

function evidenceOf(shares: readonly { readonly share: Share }[]): string[] {
  const events = shares.flatMap(({ share }) => [share.first, share.last]);
  events.sort((a, b) => a.at - b.at || (a.eventId < b.eventId ? -1 : a.eventId > b.eventId ? 1 : 0));
  const ids = [...new Set(events.map((event) => event.eventId))];
  if (ids.length <= EVIDENCE_LIMIT) return ids;
  return [...ids.slice(0, EVIDENCE_LIMIT / 2), ...ids.slice(-EVIDENCE_LIMIT / 2)];
}

/** `at least 12 calls by 2 callers: role App of account … (10: Decrypt), …`. */
export function refusedSentence(refused: RefusedCalls): string {
  const number = `${refused.exact ? '' : 'at least '}${count(refused.calls, 'call')}`;
  const names = refused.callers.map((one) => `${actorName(one.actor)} (${one.calls}: ${listed(one.operations, 3)})`);
  const rest = names.length > 3 ? ` and ${names.length - 3} more` : '';
  return `${number} by ${count(refused.callers.length, 'caller')}: ${names.slice(0, 3).join(', ')}${rest}`;
}

export function refusedDetails(refused: RefusedCalls): JsonObject {
  return {
    calls: refused.calls,
    calls_exact: refused.exact,
    caller_count: refused.callers.length,
    callers: refused.callers.slice(0, SHOWN_CALLERS).map((one) => ({
      actor: plain(one.actor.id, 256),
      calls: one.calls,
      operations: one.operations.slice(0, SHOWN_CALLERS).map((operation) => plain(operation, 64)),
      first_call_at: iso(one.firstAt),
      last_call_at: iso(one.lastAt),
    })),
  };
}
