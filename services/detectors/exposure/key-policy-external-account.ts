import { z } from 'zod';
import type { StoredEvent } from '../../core/event.ts';
import type { PolicyVerdict } from '../../keys/policy.ts';
import { type Context, defineEventDetector, type KeySubject } from '../contract.ts';
import { circumstances, keyKnowledge } from '../organization.ts';
import { policyChanges } from '../policy-change.ts';
import { POLICY_EVENTS, readPolicy, verdictOn, writePolicy } from '../policy-setting.ts';
import { strangersAmong, strangerText } from '../strangers.ts';
import { callerFirst, deed, eventMatch, gone, keyName, moment } from '../wording.ts';

/** Access of other accounts: https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying-external-accounts.html */
export default defineEventDetector({
  id: 'key-policy-external-account',
  title: 'A key policy lets a foreign account use a KMS key',
  severity: 'high',
  status: 'stable',
  family: 'exposure',
  kind: 'event',
  subject: 'key',
  events: POLICY_EVENTS,
  params: z.strictObject({}),
  techniques: ['T1098', 'T1537'],
  blindSpots: [
    'A policy that was set before the records begin.',
    'Grants, which give access beside the policy.',
    'Which of our accounts an identity of another account is handed on to.',
  ],
  falsePositives: [
    'An account of the organization that the configuration does not name (accounts, organization_ids).',
    'A partner or vendor that the configuration does not name (trusted_accounts).',
  ],

  dedupKey: (_event, subject) => [subject.arn],

  evaluate({ event }, subject, context) {
    const found = strangersIn(event, subject, context);
    if (found === null || policyChanges(subject).get(event)?.verdict === 'same') return null;
    const { verdict, strangers } = found;
    const { criticality, owner } = keyKnowledge(context.organization, subject);
    return eventMatch(event, {
      severity: strangers.severity,
      explanation: {
        what: `${callerFirst(event)} called ${event.operation} on ${moment(event.eventTime)} with a policy that lets ${strangerText(strangers)} use ${keyName(subject)}.`,
        why: `${verdict.reasons.join(' ')} ${strangers.known} What they decrypt is out of reach of our own policies; expected is that only accounts of ours, and those that are trusted, use the key.`,
        benign: 'The account belongs to the organization, or to a partner that is meant to have access.',
        now: [
          'Find out whose account that is, and who asked for the access.',
          `Take the access back by another policy: ${writePolicy(subject)}`,
          `Check the result: ${readPolicy(subject)}`,
          'Look for calls by that account since then; CloudTrail logs successful ones in the account of the key too.',
          'If the access is wanted, name the account under organization.accounts or organization.trusted_accounts.',
        ],
      },
      details: {
        foreign_accounts: strangers.accounts,
        others: strangers.others,
        reasons: verdict.reasons,
        criticality,
        owner,
        ...circumstances(context.organization, event),
      },
    });
  },

  mends({ event }, subject, context) {
    const verdict = verdictOn(event, subject);
    if (verdict === null) return gone(event);
    if (verdict.verdict === 'unknown' || verdict.verdict === 'public') return null;
    return strangersIn(event, subject, context) === null ? `A later policy lets no stranger in: ${deed(event)}.` : null;
  },
});

/** A policy that is open to everyone is told of by key-policy-public. */
function strangersIn(event: StoredEvent, subject: KeySubject, { organization }: Context<unknown>) {
  const verdict: PolicyVerdict | null = verdictOn(event, subject);
  if (verdict?.verdict !== 'external') return null;
  const strangers = strangersAmong(organization, verdict, subject.account);
  return strangers === null ? null : { verdict, strangers };
}
