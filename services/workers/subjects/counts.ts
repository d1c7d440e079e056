/** Rows of the rollups as detectors see them: the tables also split by account, Region, network and alias. */
import { eventUuid } from '../../core/ids.ts';
import type { ActorSubject, FailureHour, KeyUse } from '../../detectors/contract.ts';
import { inOrderOfFirst, nameOf } from '../../detectors/tally.ts';
import type { FailureRow, UseRow } from '../../store/uses.ts';
import { groupBy } from './group.ts';

/** One row for each (actor, class, outcome). */
export function toKeyUses(rows: readonly UseRow[]): KeyUse[] {
  return join(rows.map(({ actor, operationClass, outcome, ...row }) => ({ actor, operationClass, outcome, ...measuresOf(row) })));
}

/** One row for each (key, actor, class, outcome, account, Region). */
export function toActorUses(rows: readonly UseRow[]): ActorSubject['uses'][number][] {
  return join(
    rows.map(({ actor, operationClass, outcome, keyArn, account, region, ...row }) => {
      return { actor, operationClass, outcome, keyArn, account, region, ...measuresOf(row) };
    }),
  );
}

/** One row for each (hour, actor, operation, outcome, key). */
export function toFailureHours(rows: readonly FailureRow[]): FailureHour[] {
  return join(
    rows.map(({ hour, actor, operation, operationClass, outcome, keyArn, ...row }) => {
      return { hour, actor, operation, operationClass, outcome, keyArn, ...measuresOf(row) };
    }),
  );
}

type Measures = Pick<UseRow, 'count' | 'firstAt' | 'firstEventId' | 'lastAt' | 'lastEventId'>;

function measuresOf({ count, firstAt, firstEventId, lastAt, lastEventId }: Measures): Measures {
  return { count, firstAt, firstEventId, lastAt, lastEventId };
}

function join<R extends Measures>(rows: readonly R[]): R[] {
  const groups = groupBy(rows, (row) => [nameOf(row)]);
  return inOrderOfFirst([...groups.values()].map((group) => group.reduce(merge)));
}

function merge<R extends Measures>(a: R, b: R): R {
  const first = precedes([b.firstAt, b.firstEventId], [a.firstAt, a.firstEventId]) ? b : a;
  const last = precedes([a.lastAt, a.lastEventId], [b.lastAt, b.lastEventId]) ? b : a;
  return {
    ...a,
    count: a.count + b.count,
    firstAt: first.firstAt,
    firstEventId: first.firstEventId,
    lastAt: last.lastAt,
    lastEventId: last.lastEventId,
  };
}

function precedes([atA, idA]: readonly [number, string], [atB, idB]: readonly [number, string]): boolean {
  return atA !== atB ? atA < atB : idA !== idB && eventUuid(idA) < eventUuid(idB);
}
