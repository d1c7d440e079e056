import type { KeyRef } from '../core/arn.ts';
import type { StoredEvent } from '../core/event.ts';
import { inOrder } from './reduce.ts';

const ALIAS_OPERATIONS = new Set(['CreateAlias', 'UpdateAlias', 'DeleteAlias']);

/** One control event of an alias. `before` and `after`: ARN of the key it pointed to, null = to none or not known. */
export interface AliasStep {
  readonly event: StoredEvent;
  readonly before: string | null;
  readonly after: string | null;
}

type AliasEvent = Pick<StoredEvent, 'service' | 'operation' | 'key' | 'otherKey'>;

/** The alias that an event creates, moves or deletes (whether it succeeds or not); null for every other event. */
export function aliasOf(event: AliasEvent): KeyRef | null {
  if (event.service !== 'kms' || !ALIAS_OPERATIONS.has(event.operation)) return null;
  if (event.otherKey?.kind === 'alias') return event.otherKey;
  return event.key?.kind === 'alias' ? event.key : null;
}

/** Folds the events of one alias, in event order whatever order they come in. Failed calls move nothing; other events are left out. */
export function aliasTimeline(events: readonly StoredEvent[], aliasArn: string): AliasStep[] {
  let target: string | null = null;
  return inOrder(events.filter((event) => aliasOf(event)?.arn === aliasArn)).map((event) => {
    const before: string | null = target;
    if (event.outcome === 'ok') target = event.operation !== 'DeleteAlias' && event.key?.kind === 'key' ? event.key.arn : null;
    return { event, before, after: target };
  });
}

/**
 * ARN of the key that the alias pointed to at a moment: what the latest event at or before it left behind. Null before the first
 * event that we know, and after a deletion.
 */
export function aliasTargetAt(timeline: readonly AliasStep[], at: number): string | null {
  let [low, high] = [0, timeline.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((timeline[middle]?.event.eventTime ?? 0) <= at) low = middle + 1;
    else high = middle;
  }
  return timeline[low - 1]?.after ?? null;
}
