import type { KeyRef } from './arn.ts';
import type { KmsEvent } from './event.ts';

/**
 * The second key that a call used: ReEncrypt encrypts under its destination key. Only where the call succeeded, since a refused
 * one does not tell which of the two keys refused it; and only where the record tells the key itself, not just an alias.
 */
export function alsoUsedKey(event: Pick<KmsEvent, 'operationClass' | 'outcome' | 'key' | 'otherKey'>): KeyRef | null {
  const { operationClass, outcome, key, otherKey } = event;
  if (operationClass !== 'use' || outcome !== 'ok' || otherKey?.kind !== 'key') return null;
  return otherKey.arn === key?.arn ? null : otherKey;
}
