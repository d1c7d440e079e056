import type { KmsEvent } from './event.ts';

/** Calls that may let others use a key: its policy, and grants that somebody gives directly. */
export const KEY_OPENING: readonly string[] = ['PutKeyPolicy', 'CreateKey', 'ReplicateKey', 'CreateGrant'];

const NAMES = new Set(KEY_OPENING);

/** A successful one of them, as the account that owns the key has it in its log. */
export function opensKey(event: Pick<KmsEvent, 'service' | 'operation' | 'operationClass' | 'outcome' | 'key' | 'account'>): boolean {
  return (
    event.service === 'kms' &&
    event.operationClass === 'control' &&
    event.outcome === 'ok' &&
    event.key?.kind === 'key' &&
    event.key.account === event.account &&
    NAMES.has(event.operation)
  );
}
