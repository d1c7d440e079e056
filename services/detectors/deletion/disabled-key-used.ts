import { z } from 'zod';
import { defineWindowDetector } from '../contract.ts';
import type { FailureHour, KeySubject } from '../contract.ts';
import { pendingPeriods, shareOf } from '../pending-deletion.ts';
import { refusedCalls, refusedDetails, refusedSentence } from '../refused-calls.ts';
import { caller, deed, keyArguments, keyName, moment, period } from '../wording.ts';

/** Calls refused by state: https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html */
export default defineWindowDetector({
  id: 'disabled-key-used',
  title: 'Calls under a disabled KMS key are being refused',
  severity: 'high',
  status: 'stable',
  family: 'deletion',
  kind: 'window',
  subject: 'key',
  events: ['kms:*'],
  params: z.strictObject({}),
  techniques: ['T1489'],
  blindSpots: [
    'Not every refused call is logged, and none where read-only events are not: no finding does not prove that nobody needs the key.',
  ],
  falsePositives: ['A retired service that still tries.'],

  evaluate(subject) {
    const periods = pendingPeriods(subject);
    const shares = subject.failures
      .filter((failure) => failure.outcome === 'disabled' && needsKey(failure))
      .flatMap((failure) => {
        const share = shareOf(failure, periods, 'outside');
        return share === null ? [] : [{ failure, share }];
      });
    const refused = refusedCalls(shares);
    if (refused === null) return [];
    const disabled = lastBefore(subject, 'DisableKey', refused.lastAt);
    const enabled = subject.timeline.find(({ event }) => succeeded(event, 'EnableKey') && event.eventTime > refused.lastAt)?.event;
    return [
      {
        dedupKey: [subject.arn],
        at: refused.firstAt,
        until: refused.lastAt,
        occurrences: refused.calls,
        actor: refused.actor,
        evidence: refused.evidence,
        explanation: {
          what: `Because ${keyName(subject)} was disabled, AWS KMS refused ${refusedSentence(refused)}, ${period(refused.firstAt, refused.lastAt)}.`,
          why: `Expected are no calls under a disabled key: somebody still depends on it and fails. ${disabled === null ? 'Who disabled it is not in the records.' : `It was disabled on ${moment(disabled.eventTime)} by ${caller(disabled)}.`}`,
          benign: 'The callers belong to something that is being shut down as well.',
          now: [
            'Ask the callers named here what they need the key for.',
            `If they are right: aws kms enable-key ${keyArguments(subject)}`,
            'Do not schedule the key for deletion while calls come in.',
          ],
        },
        details: { ...refusedDetails(refused), disabled_by: disabled?.actor.id ?? null },
        ...(enabled === undefined
          ? {}
          : { resolved: { at: enabled.eventTime, reason: `The key was enabled after the last refused call: ${deed(enabled)}.` } }),
      },
    ];
  },
});

type Event = KeySubject['timeline'][number]['event'];

function succeeded(event: Event, operation: string): boolean {
  return event.operation === operation && event.service === 'kms' && event.outcome === 'ok';
}

function lastBefore(subject: KeySubject, operation: string, at: number): Event | null {
  return subject.timeline.findLast(({ event }) => event.eventTime <= at && succeeded(event, operation))?.event ?? null;
}

/** A use of the key, or a grant for one, whether a service makes it or somebody directly. */
function needsKey({ operationClass, operation }: FailureHour): boolean {
  return operationClass === 'use' || operationClass === 'grant' || operation === 'CreateGrant';
}
