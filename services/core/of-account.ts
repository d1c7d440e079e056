import type { KmsEvent } from './event.ts';

/** Control events that stand in an account's own time line: those about no key, and what a trail with a key of its own was set to. */
export function isOfAccount(event: Pick<KmsEvent, 'service' | 'operationClass' | 'outcome' | 'key'>): boolean {
  if (event.operationClass !== 'control') return false;
  return event.key === null || (event.service === 'cloudtrail' && event.outcome === 'ok');
}
