import type { UnreadReason } from '../../core/inventory.ts';
import type { AwsFailure } from '../../platform/aws.ts';

/** Refusals of one call; others, such as of unknown credentials, are about the whole account. */
const DENIED: ReadonlySet<string> = new Set(['AccessDenied', 'AccessDeniedException', 'KMS.AccessDeniedException']);

/** There is nothing to be refused. */
export const NO_SUCH_OPERATION: ReadonlySet<string> = new Set(['UnsupportedOperationException', 'UnknownOperationException']);

/** The words by which AWS names the policy: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html */
const POLICIES: readonly (readonly [words: string, reason: UnreadReason])[] = [
  ['resource-based polic', 'denied-by-key-policy'],
  ['service control policy', 'denied-by-organization-policy'],
  ['resource control policy', 'denied-by-organization-policy'],
  ['identity-based policy', 'denied-by-identity-policy'],
  ['permissions boundary', 'denied-by-identity-policy'],
  ['session policy', 'denied-by-identity-policy'],
];

/** Why one call about one key was not answered; null where the failure is about more than that. */
export function refusalOf({ reason, code, message }: AwsFailure): UnreadReason | null {
  if (DENIED.has(code)) return POLICIES.find(([words]) => message.includes(words))?.[1] ?? 'access-denied';
  if (reason === 'service-error') return 'service-error';
  return reason === 'request-invalid' && !NO_SUCH_OPERATION.has(code) ? 'refused' : null;
}
