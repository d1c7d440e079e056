/**
 * Who used a key first, in order, and what was known of its users just then. Only successful cryptographic calls make a
 * user: those who created or administer a key are none until they use it.
 */
import { compareEvents } from '../core/event.ts';
import type { KeySubject, KeyUse } from './contract.ts';

export interface FirstUse {
  readonly use: KeyUse;
  /** Other users that had begun before and were not silent for longer than the memory. */
  readonly known: number;
  /** Other users that had begun within the memory. */
  readonly joined: number;
  /** When the last of the users before began; null for none. */
  readonly lastJoinedAt: number | null;
}

export interface UseHistory {
  /** First cryptographic call under the key, successful or not, epoch milliseconds; Infinity when there is none. */
  readonly begin: number;
  /** In order of first use. */
  readonly firsts: readonly FirstUse[];
}

/** @param memory milliseconds after which a silent user is forgotten */
export function firstUses(subject: KeySubject, memory: number): UseHistory {
  const users = oneEach(subject.uses.filter((use) => use.operationClass === 'use' && use.outcome === 'ok'));
  users.sort((a, b) => compareEvents({ eventTime: a.firstAt, eventId: a.firstEventId }, { eventTime: b.firstAt, eventId: b.firstEventId }));
  const ends = users.map((user) => user.lastAt).toSorted((a, b) => a - b);
  let silent = 0;
  let early = 0;
  const firsts = users.map((use, before): FirstUse => {
    // Whoever fell silent before the memory began, began before it too: so both can be counted in one pass.
    while ((ends[silent] ?? Infinity) < use.firstAt - memory) silent++;
    while ((users[early]?.firstAt ?? Infinity) < use.firstAt - memory) early++;
    return { use, known: before - silent, joined: before - early, lastJoinedAt: users[before - 1]?.firstAt ?? null };
  });
  return { begin: beginOf(subject), firsts };
}

/**
 * Where reads are not logged, or history was imported without them, a key can have years of administration and no use on
 * record: its habits are learned from the first use on, whoever administered it before.
 */
function beginOf(subject: KeySubject): number {
  return subject.uses.filter((use) => use.operationClass === 'use').reduce((earliest, use) => Math.min(earliest, use.firstAt), Infinity);
}

/** One row an actor, should several have come. */
function oneEach(uses: readonly KeyUse[]): KeyUse[] {
  const byActor = new Map<string, KeyUse>();
  for (const use of uses) {
    const known = byActor.get(use.actor.id);
    byActor.set(use.actor.id, known === undefined ? use : joinUses(known, use));
  }
  return [...byActor.values()];
}

function joinUses(a: KeyUse, b: KeyUse): KeyUse {
  const order = (x: KeyUse, y: KeyUse, end: 'first' | 'last') =>
    compareEvents({ eventTime: x[`${end}At`], eventId: x[`${end}EventId`] }, { eventTime: y[`${end}At`], eventId: y[`${end}EventId`] });
  const first = order(a, b, 'first') <= 0 ? a : b;
  const last = order(a, b, 'last') >= 0 ? a : b;
  return { ...first, count: a.count + b.count, lastAt: last.lastAt, lastEventId: last.lastEventId };
}
