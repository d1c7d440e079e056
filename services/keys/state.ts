import type { KeyFacts, KeyStateName } from '../core/key.ts';

/**
 * AWS's name for the state that the facts add up to, null when they do not say. Gone before pending deletion before
 * pending import before disabled: https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
 */
export function stateOf(facts: KeyFacts): KeyStateName | null {
  if (facts.deleted !== undefined) return 'Deleted';
  const deletion = facts.deletion?.value;
  if (deletion) return deletion.waitsForReplicas ? 'PendingReplicaDeletion' : 'PendingDeletion';
  if (facts.origin?.value === 'EXTERNAL' && facts.material?.value === null) return 'PendingImport';
  if (facts.enabled === undefined) return null;
  return facts.enabled.value ? 'Enabled' : 'Disabled';
}
