/** Calls that set the policy of a key, and what they set it to. */
import type { StoredEvent } from '../core/event.ts';
import { analyzePolicy, type PolicyVerdict } from '../keys/policy.ts';
import type { KeySubject } from './contract.ts';
import { keyArguments } from './wording.ts';

/** https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html */
const SETS_POLICY = new Set(['PutKeyPolicy', 'CreateKey', 'ReplicateKey']);

/** The calls, and the one after which no policy matters any more. */
export const POLICY_EVENTS = ['kms:PutKeyPolicy', 'kms:CreateKey', 'kms:ReplicateKey', 'kms:DeleteKey'];

/**
 * Does the event set a policy of this very key? ReplicateKey is about the primary key, but the policy it carries, and the check it leaves
 * out, are the replica's.
 */
export function setsPolicy(event: StoredEvent, subject: KeySubject): boolean {
  if (event.service !== 'kms' || !SETS_POLICY.has(event.operation)) return false;
  return event.operation !== 'ReplicateKey' || event.otherKey === null || event.otherKey.arn === subject.arn;
}

/** Null when the event sets no policy of this key, or gives it AWS's default one. */
export function verdictOn(event: StoredEvent, subject: KeySubject): PolicyVerdict | null {
  if (!setsPolicy(event, subject)) return null;
  const { policy, policyOmitted } = event.detail ?? {};
  if (policy !== undefined && policyOmitted !== true) return analyzePolicy(policy, subject.account);
  // CreateKey without a policy gives the default one; PutKeyPolicy always sets one.
  return policyOmitted === true || event.operation === 'PutKeyPolicy' ? analyzePolicy(null, subject.account) : null;
}

export function readPolicy(subject: KeySubject): string {
  return `aws kms get-key-policy ${keyArguments(subject)} --policy-name default --output text`;
}

export function writePolicy(subject: KeySubject): string {
  return `aws kms put-key-policy ${keyArguments(subject)} --policy-name default --policy file://policy.json`;
}
