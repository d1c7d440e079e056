/**
 * What the aggregated use of a key says about the time around a moment. Uses carry exact first and last events and a
 * count over all records, so "who" and "last" are exact; counts are of all records and are called so.
 */
import { DAY } from '../core/clock.ts';
import type { JsonObject } from '../core/json.ts';
import type { KeySubject, KeyUse } from './contract.ts';
import { actorName, count, iso, moment, plain, span } from './wording.ts';

const SHOWN_CALLERS = 10;

export interface UseBefore {
  /** Last successful cryptographic call in the records by anybody who used the key before the moment; may lie after it. */
  readonly lastUsedAt: number | null;
  /** Successfully used within `recentDays` before the moment. */
  readonly recent: boolean;
  /** Callers within `callerDays` before the moment, most calls first. */
  readonly callers: readonly KeyUse[];
  /** Read-only events of this key reach us at all; without them "unused" means nothing. */
  readonly visible: boolean;
}

export function useBefore(subject: KeySubject, at: number, days: { readonly recent: number; readonly callers: number }): UseBefore {
  const uses = subject.uses.filter((use) => use.operationClass === 'use' && use.outcome === 'ok' && use.firstAt <= at);
  const callers = uses.filter((use) => use.lastAt >= at - days.callers * DAY).sort(byCount);
  return {
    lastUsedAt: uses.reduce<number | null>((last, use) => Math.max(last ?? use.lastAt, use.lastAt), null),
    recent: uses.some((use) => use.lastAt >= at - days.recent * DAY),
    callers,
    visible: subject.uses.some((use) => use.operationClass === 'use' || use.operationClass === 'read'),
  };
}

/** Most calls first, ties by actor id, so that the same data always reads the same. */
function byCount(a: KeyUse, b: KeyUse): number {
  if (a.count !== b.count) return b.count - a.count;
  return a.actor.id < b.actor.id ? -1 : a.actor.id > b.actor.id ? 1 : 0;
}

/** One or two sentences on use before `at`; what is not visible is called unknown. */
export function useSentence(use: UseBefore, at: number, callerDays: number): string {
  if (use.lastUsedAt === null) {
    return use.visible
      ? 'No successful cryptographic call under it is in the records.'
      : 'Use of this key is not visible in the records (no read-only event of it was ingested), so whether it is in use is unknown.';
  }
  const distance = `${span(use.lastUsedAt, at)} ${use.lastUsedAt <= at ? 'before' : 'after'}`;
  const last = `The last successful cryptographic call that the records show was on ${moment(use.lastUsedAt)}, ${distance}.`;
  if (use.callers.length === 0) return last;
  const names = use.callers.slice(0, 3).map((caller) => `${actorName(caller.actor)} (${count(caller.count, 'call')} in all records)`);
  const rest = use.callers.length > names.length ? ` and ${use.callers.length - names.length} more` : '';
  return `${last} Callers of the ${callerDays} days before: ${names.join(', ')}${rest}.`;
}

export function useDetails(use: UseBefore): JsonObject {
  return {
    last_used_at: iso(use.lastUsedAt),
    use_visible: use.visible,
    caller_count: use.callers.length,
    callers: use.callers.slice(0, SHOWN_CALLERS).map((caller) => ({
      actor: plain(caller.actor.id, 256),
      calls: caller.count,
      last_call_at: iso(caller.lastAt),
    })),
  };
}
