import { z } from 'zod';
import { defineEventDetector } from '../contract.ts';
import { policyChanges } from '../policy-change.ts';
import { callerFirst, deed, eventMatch, isAws, iso, keyArguments, keyName, moment } from '../wording.ts';

/** PutKeyPolicy works in every key state: https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html */
export default defineEventDetector({
  id: 'policy-changed-while-pending-deletion',
  title: 'Policy of a KMS key was changed while it waits for deletion',
  severity: 'high',
  status: 'stable',
  family: 'deletion',
  kind: 'event',
  subject: 'key',
  events: ['kms:PutKeyPolicy', 'kms:ScheduleKeyDeletion', 'kms:CancelKeyDeletion'],
  params: z.strictObject({}),
  techniques: ['T1098', 'T1485'],
  blindSpots: ['A deletion that was scheduled before the records begin is unknown.'],
  falsePositives: [
    'A policy that is widened so that somebody can cancel the deletion.',
    'Infrastructure-as-code that writes policies again.',
  ],

  dedupKey: (_event, subject) => [subject.arn],

  evaluate({ event, before }, subject) {
    if (event.operation !== 'PutKeyPolicy' || isAws(event.actor)) return null;
    const pending = before.deletion?.value ?? null;
    if (pending === null || before.deletion === undefined || before.deleted !== undefined) return null;
    const change = policyChanges(subject).get(event);
    if (change?.verdict === 'same' || change?.verdict === 'restored') return null;
    const date = pending.date === null ? 'Its deletion date is not known.' : `It is to be deleted on ${moment(pending.date)}.`;
    const old = change?.from === null ? ' What the policy was before is not in the records.' : '';
    return eventMatch(event, {
      explanation: {
        what: `${callerFirst(event)} replaced the policy of ${keyName(subject)} on ${moment(event.eventTime)}, while the key waited for its deletion (scheduled on ${moment(before.deletion.at)}). ${date}`,
        why: `A key that is going away needs no new policy. The new one may take away the right to cancel the deletion, or give somebody else the key.${old}`,
        benign: 'The policy was changed so that the deletion can be cancelled, or by a tool that writes the same policies to all keys.',
        now: [
          `Read it: aws kms get-key-policy ${keyArguments(subject)} --policy-name default`,
          `While you still may, stop the deletion: aws kms cancel-key-deletion ${keyArguments(subject)}`,
          `Put the old policy back: aws kms put-key-policy ${keyArguments(subject)} --policy-name default --policy file://policy.json`,
        ],
      },
      details: {
        deletion_date: iso(pending.date),
        scheduled_at: iso(before.deletion.at),
        policy_known: event.detail?.policy !== undefined,
        lockout_check_bypassed: event.detail?.bypassPolicyLockoutSafetyCheck ?? null,
      },
    });
  },

  mends({ event }, subject) {
    return policyChanges(subject).get(event)?.verdict === 'restored' ? `The earlier policy was put back: ${deed(event)}.` : null;
  },
});
