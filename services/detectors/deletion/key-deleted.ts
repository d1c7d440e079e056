import { z } from 'zod';
import { defineEventDetector } from '../contract.ts';
import { useBefore, useDetails, useSentence } from '../key-use.ts';
import { caller, eventMatch, iso, keyArguments, keyName, moment } from '../wording.ts';

const RECENT = { recent: 30, callers: 90 };

/** The service event at the end of the waiting window: https://docs.aws.amazon.com/kms/latest/developerguide/ct-delete-key.html */
export default defineEventDetector({
  id: 'key-deleted',
  title: 'KMS key was deleted',
  severity: 'high',
  status: 'stable',
  family: 'deletion',
  kind: 'event',
  subject: 'key',
  events: ['kms:DeleteKey'],
  params: z.strictObject({}),
  techniques: ['T1485'],
  blindSpots: ['Copies of the data under other keys, and multi-Region replicas that still exist, are not known.'],
  falsePositives: ['The planned end of a key whose data is gone.'],

  dedupKey: (_event, subject) => [subject.arn],

  evaluate({ event }, subject) {
    if (event.operation !== 'DeleteKey') return null;
    const order = subject.timeline.findLast(
      (step) => step.event.operation === 'ScheduleKeyDeletion' && step.event.outcome === 'ok' && step.event.eventTime <= event.eventTime,
    )?.event;
    const ordered =
      order === undefined ? 'Who ordered it is not in the records.' : `It was ordered by ${caller(order)} on ${moment(order.eventTime)}.`;
    const use = useBefore(subject, event.eventTime, RECENT);
    return eventMatch(event, {
      explanation: {
        what: `AWS deleted ${keyName(subject)} on ${moment(event.eventTime)}, at the end of its waiting window. ${ordered}`,
        why: `A deleted key cannot be brought back, and neither can data that only it encrypts. ${useSentence(use, event.eventTime, RECENT.callers)}`,
        benign: 'The deletion was planned and nothing is encrypted under the key any more.',
        now: [
          'Ask whoever ordered it for the change request, and keep it with this finding.',
          `Confirm the state: aws kms describe-key ${keyArguments(subject)}`,
          'Look for failing services among the callers named here.',
        ],
      },
      details: { ordered_by: order?.actor.id ?? null, ordered_at: iso(order?.eventTime), ...useDetails(use) },
    });
  },
});
