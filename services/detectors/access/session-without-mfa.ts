import { z } from 'zod';
import type { Actor } from '../../core/event.ts';
import { defineEventDetector } from '../contract.ts';
import { caller, callerFirst, eventMatch, iso, keyName, moment, plain } from '../wording.ts';

/**
 * `sessionCredentialFromConsole` marks calls of sessions that began in the console, `mfaAuthenticated` tells of MFA at AWS:
 * https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html. Who signs in elsewhere (Identity
 * Center, SAML) has MFA there or not, and AWS says `false` either way.
 */
export default defineEventDetector({
  id: 'session-without-mfa',
  title: 'A console session without MFA changed a KMS key',
  severity: 'medium',
  status: 'test',
  family: 'access',
  kind: 'event',
  subject: 'key',
  events: ['kms:*'],
  params: z.strictObject({}),
  techniques: ['T1078.004', 'T1556.006'],
  blindSpots: [
    'People who sign in through Identity Center or SAML: whether they used MFA is known to their identity provider only.',
    'Calls with long-lived access keys from the command line.',
  ],
  falsePositives: ['An emergency user whose MFA is kept elsewhere, on purpose.'],

  dedupKey(event, subject) {
    return [subject.arn, event.actor.id];
  },

  evaluate({ event }, subject) {
    if (event.console !== true || event.mfa !== false || signsInElsewhere(event.actor)) return null;
    return eventMatch(event, {
      explanation: {
        what: `${callerFirst(event)} called ${event.operation} on ${keyName(subject)} on ${moment(event.eventTime)}, from a console session without multi-factor authentication.`,
        why: 'A password alone stood between whoever knows it and this key. Observed: mfaAuthenticated false; expected for changes of keys: true.',
        benign: 'An emergency user whose second factor is kept elsewhere on purpose.',
        now: [
          `Ask ${plain(event.actor.name, 80)} whether it was them: ${caller(event)}.`,
          `See what else the session did: aws cloudtrail lookup-events --lookup-attributes AttributeKey=Username,AttributeValue=USER_NAME --start-time ${iso(event.eventTime - 3_600_000)}`,
          'See who has no second factor: aws iam generate-credential-report, then aws iam get-credential-report',
          'Ask for MFA in the key policy or a permissions boundary: the condition aws:MultiFactorAuthPresent.',
        ],
      },
    });
  },
});

function signsInElsewhere({ type, name }: Actor): boolean {
  return (
    type === 'saml' ||
    type === 'identity-center' ||
    type === 'web-identity' ||
    type === 'federated-user' ||
    name.startsWith('AWSReservedSSO_')
  );
}
