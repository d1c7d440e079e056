import { z } from 'zod';
import type { PolicyAdministrators } from '../../keys/policy-administrators.ts';
import { policyAdministrators } from '../../keys/policy-administrators.ts';
import { policyInForce } from '../../keys/who-may.ts';
import { defineEventDetector } from '../contract.ts';
import { circumstances } from '../organization.ts';
import { POLICY_EVENTS, readPolicy, setsPolicy, writePolicy } from '../policy-setting.ts';
import { callerFirst, deed, eventMatch, gone, keyName, moment } from '../wording.ts';

/** The check and its bypass: https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html#KMS-PutKeyPolicy-request-BypassPolicyLockoutSafetyCheck */
export default defineEventDetector({
  id: 'key-policy-lockout-bypassed',
  title: 'A key policy was set without the lockout safety check',
  severity: 'high',
  status: 'stable',
  family: 'exposure',
  kind: 'event',
  subject: 'key',
  events: POLICY_EVENTS,
  params: z.strictObject({}),
  techniques: ['T1098', 'T1531'],
  blindSpots: ['Whether the IAM policies of the account let anyone use what the key policy leaves to the account.'],
  falsePositives: ['Tools that set the flag in every call, so that a principal other than the caller administers the key.'],

  dedupKey: (_event, subject) => [subject.arn],

  evaluate({ event, after }, subject, { organization }) {
    if (!setsPolicy(event, subject) || event.detail?.bypassPolicyLockoutSafetyCheck !== true) return null;
    const administrators = policyAdministrators(policyInForce(after, subject.arn), subject.account);
    return eventMatch(event, {
      explanation: {
        what: `${callerFirst(event)} called ${event.operation} for ${keyName(subject)} on ${moment(event.eventTime)} with bypassPolicyLockoutSafetyCheck. ${outcome(administrators)}`,
        why: 'The check makes sure that whoever sets a policy can change it again. Without it, a policy can shut out everyone, or everyone but its author; then only AWS Support can help. Expected is that it is never bypassed.',
        benign: 'A tool sets the flag in every call, and the policy leaves the administrators of the key in place.',
        now: [
          `Read the policy: ${readPolicy(subject)}`,
          `While you still can, put one with the check on: ${writePolicy(subject)}`,
          'If nobody can change the policy any more, open a case with AWS Support as the root user of the account.',
          'Ask the caller why the check was bypassed.',
        ],
      },
      details: {
        administrators: administrators.verdict,
        named: administrators.administrators,
        only_under_conditions: administrators.limited,
        ...circumstances(organization, event),
      },
    });
  },

  mends({ event }, subject) {
    if (event.operation !== 'PutKeyPolicy' || !setsPolicy(event, subject)) return gone(event);
    return event.detail?.bypassPolicyLockoutSafetyCheck === true ? null : `A policy was set with the check on: ${deed(event)}.`;
  },
});

function outcome({ verdict, reasons }: PolicyAdministrators): string {
  if (verdict === 'nobody') return `${reasons.join(' ')} The key cannot be managed any more.`;
  return verdict === 'unknown' ? `Who can change the policy now is not known: ${reasons.join(' ')}` : reasons.join(' ');
}
