import { compareEvents, type StoredEvent } from '../core/event.ts';
import type { KeyFacts } from '../core/key.ts';
import { mergeFacts } from './merge.ts';
import { OTHER_OPERATIONS, SUBJECT_OPERATIONS } from './operations.ts';
import { withoutPairedStandIns } from './pair.ts';
import { Statements } from './statements.ts';

export { mergeFacts } from './merge.ts';

const NOTHING: KeyFacts = Object.freeze({});

/** One control event of a key, with what was known of the key just before and just after it. */
export interface FactStep {
  readonly event: StoredEvent;
  readonly before: KeyFacts;
  readonly after: KeyFacts;
}

/**
 * What one event says of the key `keyArn`: as its subject or as its second key (replica). Failed calls, other services'
 * events and events about other keys say nothing. Where the event names its key by an alias only, the caller must have resolved it.
 */
export function factsOf(event: StoredEvent, keyArn: string): KeyFacts {
  if (event.service !== 'kms' || event.outcome !== 'ok') return NOTHING;
  const read = readerOf(event, keyArn);
  if (read === undefined) return NOTHING;
  const statements = new Statements(event, keyArn);
  read(statements);
  return statements.facts;
}

function readerOf(event: StoredEvent, keyArn: string): ((statements: Statements) => void) | undefined {
  if (event.key?.arn === keyArn) return SUBJECT_OPERATIONS.get(event.operation);
  if (event.otherKey?.arn === keyArn) return OTHER_OPERATIONS.get(event.operation);
  return event.key?.kind === 'alias' ? SUBJECT_OPERATIONS.get(event.operation) : undefined;
}

/**
 * Folds a key's control events, in event order whatever order they come in. The facts of the key are the last step's `after`. What
 * EventBridge and CloudTrail both told of is one step, the record's.
 */
export function foldTimeline(events: readonly StoredEvent[], keyArn: string): FactStep[] {
  let known = NOTHING;
  return inOrder(withoutPairedStandIns(events)).map((event) => {
    const before = known;
    known = mergeFacts(before, factsOf(event, keyArn));
    return { event, before, after: known };
  });
}

/** The same events sorted; the same array when it is sorted already. */
export function inOrder(events: readonly StoredEvent[]): readonly StoredEvent[] {
  const sorted = events.every((event, i) => {
    const previous = events[i - 1];
    return previous === undefined || compareEvents(previous, event) <= 0;
  });
  return sorted ? events : events.toSorted(compareEvents);
}
