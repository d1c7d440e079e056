import type { KmsEvent } from './event.ts';

/**
 * Calls by which somebody takes something from a key: its use, its future, its material, others' access. Of actors only these
 * are looked at together, so that three of them on three keys are seen as one thing.
 */
export const KEY_HARM: readonly string[] = [
  'DisableKey',
  'ScheduleKeyDeletion',
  'DeleteImportedKeyMaterial',
  'PutKeyPolicy',
  'RevokeGrant',
  'RetireGrant',
];

const NAMES = new Set(KEY_HARM);

/** A successful one of them that names its key (no such call takes an alias), made by its caller and not by an AWS service about a grant of its own. */
export function harmsKey(event: Pick<KmsEvent, 'service' | 'operation' | 'operationClass' | 'outcome' | 'key'>): boolean {
  return (
    event.service === 'kms' &&
    event.operationClass === 'control' &&
    event.outcome === 'ok' &&
    event.key?.kind === 'key' &&
    NAMES.has(event.operation)
  );
}
