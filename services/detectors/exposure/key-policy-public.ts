import { z } from 'zod';
import type { StoredEvent } from '../../core/event.ts';
import type { PolicyVerdict } from '../../keys/policy.ts';
import { defineEventDetector, type KeySubject, type Match } from '../contract.ts';
import { POLICY_EVENTS, readPolicy, verdictOn, writePolicy } from '../policy-setting.ts';
import { callerFirst, deed, eventMatch, gone, keyName, moment } from '../wording.ts';

export default defineEventDetector({
  id: 'key-policy-public',
  title: 'A key policy lets everyone use a KMS key',
  severity: 'critical',
  status: 'stable',
  family: 'exposure',
  kind: 'event',
  subject: 'key',
  events: POLICY_EVENTS,
  params: z.strictObject({}),
  techniques: ['T1098'],
  blindSpots: [
    'A policy that was set before the records begin.',
    'Grants, which give access beside the policy.',
    'Resource control policies, which may forbid what the key policy allows.',
  ],
  falsePositives: ['A key made public on purpose, to let anyone verify signatures or encrypt for its owner.'],

  dedupKey: (_event, subject) => [subject.arn],

  evaluate({ event }, subject) {
    const result = verdictOn(event, subject);
    if (result === null || (result.verdict !== 'public' && result.verdict !== 'unknown')) return null;
    return result.verdict === 'public' ? openMatch(event, subject, result) : unknownMatch(event, subject, result);
  },

  mends({ event }, subject) {
    const result = verdictOn(event, subject);
    if (result === null) return gone(event);
    return result.verdict === 'internal' || result.verdict === 'external'
      ? `A later policy can be read and is not open to everyone: ${deed(event)}.`
      : null;
  },
});

function openMatch(event: StoredEvent, subject: KeySubject, verdict: PolicyVerdict): Match {
  return eventMatch(event, {
    explanation: {
      what: `${callerFirst(event)} called ${event.operation} on ${moment(event.eventTime)} with a policy that opens ${keyName(subject)} to everyone.`,
      why: `${verdict.reasons.join(' ')} Everyone means any AWS account; expected are only those that need the key.`,
      benign: 'Something above the key policy forbids such calls, or the key is meant for the public.',
      now: [
        `Put a policy without that statement: ${writePolicy(subject)}`,
        `Check the result: ${readPolicy(subject)}`,
        'Look for calls by foreign accounts since then; CloudTrail logs successful ones in the account of the key too.',
        'Ask the caller for the change request.',
      ],
    },
    details: { verdict: verdict.verdict, reasons: verdict.reasons, foreign_accounts: verdict.accounts },
  });
}

function unknownMatch(event: StoredEvent, subject: KeySubject, verdict: PolicyVerdict): Match {
  return eventMatch(event, {
    severity: 'medium',
    title: 'A key policy was set that could not be judged',
    explanation: {
      what: `${callerFirst(event)} called ${event.operation} on ${moment(event.eventTime)}; whom the policy of ${keyName(subject)} lets in is unknown.`,
      why: `${verdict.reasons.join(' ')} A policy that is not known may be open to everyone; expected is one that can be read.`,
      benign: 'The policy, read by hand, lets nobody in who should not be.',
      now: [
        `Read the policy: ${readPolicy(subject)}`,
        'If it is not as wanted, put another one; one that CloudTrail logs whole closes this finding.',
      ],
    },
    details: { verdict: verdict.verdict, reasons: verdict.reasons, foreign_accounts: verdict.accounts },
  });
}
