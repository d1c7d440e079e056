/** A due group with what the configuration says of it. */
import { type GroupState, NEW_GROUP } from '../alerts/group.ts';
import type { Target } from '../alerts/route.ts';
import type { JsonObject } from '../core/json.ts';
import type { DueGroup, Look } from '../store/alerts-due.ts';
import type { Receiver } from './notify-alerting.ts';

export interface Group extends DueGroup {
  readonly target: Target;
  readonly to: Receiver;
}

export function lookOf({ id, target, to }: Group): Look {
  return {
    groupId: id,
    holdMs: target.escalatesAfter ?? 0,
    tellsMissed: target.escalatesAfter === null,
    tellsResolved: to.sendResolved,
    undeliveredFrom: null,
  };
}

/** What is stored was written by this or an earlier release; what it does not hold is as with a new group. */
export function stateOf(stored: JsonObject): GroupState {
  const numberOr = (value: unknown): number | null => (typeof value === 'number' ? value : null);
  if (typeof stored['open'] !== 'boolean') return NEW_GROUP;
  return {
    open: stored['open'],
    toldAt: numberOr(stored['toldAt']),
    toldRank: numberOr(stored['toldRank']),
    more: stored['more'] === true,
  };
}
