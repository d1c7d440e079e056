import { z } from 'zod';
import { defineWindowDetector } from '../contract.ts';
import type { FailureHour } from '../contract.ts';
import { pendingPeriods, shareOf } from '../pending-deletion.ts';
import type { PendingPeriod, Share } from '../pending-deletion.ts';
import { refusedCalls, refusedDetails, refusedSentence } from '../refused-calls.ts';
import { deed, iso, keyArguments, keyName, moment, period } from '../wording.ts';

/** AWS's own alarm for this: https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys-creating-cloudwatch-alarm.html */
export default defineWindowDetector({
  id: 'pending-deletion-key-used',
  title: 'Somebody still needs a KMS key that is pending deletion',
  severity: 'critical',
  status: 'stable',
  family: 'deletion',
  kind: 'window',
  subject: 'key',
  events: ['kms:*'],
  params: z.strictObject({}),
  techniques: ['T1485'],
  blindSpots: [
    'Not every refused call is logged, and none where read-only events are not: no finding does not prove that nobody needs the key.',
  ],
  falsePositives: ['A retired service that still tries.'],

  evaluate(subject) {
    const periods = pendingPeriods(subject);
    const shares = subject.failures.flatMap((failure) => {
      const share = pendingShare(failure, periods);
      return share === null ? [] : [{ failure, share }];
    });
    const refused = refusedCalls(shares);
    if (refused === null) return [];
    const cancelled = subject.timeline.find(
      ({ event }) => event.operation === 'CancelKeyDeletion' && event.outcome === 'ok' && event.eventTime > refused.lastAt,
    )?.event;
    const date = subject.facts.deletion?.value?.date ?? null;
    return [
      {
        dedupKey: [subject.arn],
        at: refused.firstAt,
        until: refused.lastAt,
        occurrences: refused.calls,
        actor: refused.actor,
        evidence: refused.evidence,
        explanation: {
          what: `While ${keyName(subject)} was pending deletion, AWS KMS refused ${refusedSentence(refused)}, ${period(refused.firstAt, refused.lastAt)}.`,
          why: `Expected are no calls under a key that is to be deleted: whoever makes them loses its data for good when the key goes.${date === null ? '' : ` It is to go on ${moment(date)}.`}`,
          benign: 'The callers belong to something that is being shut down together with the key.',
          now: [
            `Stop the deletion: aws kms cancel-key-deletion ${keyArguments(subject)}`,
            `Let the callers work again: aws kms enable-key ${keyArguments(subject)}`,
            'Ask the callers named here what they need the key for; schedule again only when they are moved.',
          ],
        },
        details: { ...refusedDetails(refused), deletion_date: iso(date) },
        ...(cancelled === undefined
          ? {}
          : {
              resolved: { at: cancelled.eventTime, reason: `The deletion was cancelled after the last refused call: ${deed(cancelled)}.` },
            }),
      },
    ];
  },
});

/** AWS says `is pending deletion` itself, or DisabledException or an invalid state at a time when the key was pending. */
function pendingShare(failure: FailureHour, periods: readonly PendingPeriod[]): Share | null {
  if (failure.operationClass !== 'use') return null;
  if (failure.outcome === 'pending-deletion') return shareOf(failure, [], 'outside');
  if (failure.outcome !== 'disabled' && failure.outcome !== 'invalid-state') return null;
  return shareOf(failure, periods, 'inside');
}
