import type { EventDetail } from '../core/event.ts';
import { lose } from './fields.ts';
import type { Parts } from './parts.ts';
import { clean } from './text.ts';

/** A key policy has at most 32 KB: https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html */
const POLICY_LIMIT = 131_072;

/**
 * The key policy that an operation set, as text. Where one was set but the record does not tell it (left out as too large, or
 * unreadable), the policy is unknown and not absent. CreateKey tells none when AWS's default policy applies.
 */
export function policyOf(parts: Parts, { operation, failed }: { operation: string; failed: boolean }): EventDetail {
  if (operation !== 'PutKeyPolicy' && operation !== 'CreateKey' && operation !== 'ReplicateKey') return {};
  const { record, request, response, lost } = parts;
  const stated = operation === 'ReplicateKey' ? (response?.replicaPolicy ?? request?.policy) : request?.policy;
  if (stated === undefined || stated === null || stated === '') {
    // A request that is there but told us nothing was left out; a CreateKey without one is a service's own.
    const expected = operation !== 'CreateKey' || (request === null && isStated(record.requestParameters));
    return expected && !failed ? { policyOmitted: true } : {};
  }
  const text = typeof stated === 'object' ? JSON.stringify(stated) : stated;
  if (typeof text === 'string' && text.length <= POLICY_LIMIT) return { policy: clean(text, POLICY_LIMIT) };
  lose('requestParameters.policy', lost);
  return { policyOmitted: true };
}

function isStated(value: unknown): boolean {
  return value !== undefined && value !== null;
}
