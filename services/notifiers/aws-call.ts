/** Calls of AWS by notifiers, and what became of them in a notifier's words. */
import { type AwsFailureReason, awsFailure, type AwsPlace } from '../platform/aws.ts';
import type { DeliveryFailure, NotDelivered, NotifyContext } from './contract.ts';
import type { RoleFields } from './target.ts';

const REASONS: Readonly<Record<AwsFailureReason, DeliveryFailure>> = {
  throttled: 'rate-limited',
  network: 'unreachable',
  'service-error': 'server-error',
  'credentials-expired': 'unauthorized',
  'token-invalid': 'rejected',
  'access-denied': 'unauthorized',
  'credentials-missing': 'unauthorized',
  'not-found': 'misconfigured',
  'request-invalid': 'rejected',
  unknown: 'rejected',
};

/** Names of errors are AWS' own words; an endpoint that is not AWS might say anything. */
const CODE = /^[A-Za-z][A-Za-z0-9.]{1,60}$/;

export function placeOf(region: string, { role_arn, external_id }: RoleFields): AwsPlace {
  return { region, role: role_arn === undefined ? null : { arn: role_arn, externalId: external_id ?? null } };
}

/** What an error of the SDK stands for. Credentials that AWS calls expired are dropped, so that the next attempt gets new ones. */
export function awsNotDelivered(error: unknown, place: AwsPlace, { aws, signal }: NotifyContext): NotDelivered {
  if (signal.aborted) return { ok: false, code: 'aborted', reason: 'stopped', retryable: true };
  const { reason, retryable, code } = awsFailure(error);
  if (reason === 'credentials-expired') aws.forget(place);
  return { ok: false, code: CODE.test(code) ? code : 'aws-error', reason: REASONS[reason], retryable };
}
