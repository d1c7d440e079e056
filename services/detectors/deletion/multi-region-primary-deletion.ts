import { z } from 'zod';
import { defineEventDetector } from '../contract.ts';
import { callerFirst, deed, eventMatch, gone, keyArguments, keyName, moment } from '../wording.ts';

/** A primary waits until its replicas are gone: https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys.html#deleting-mrks */
export default defineEventDetector({
  id: 'multi-region-primary-deletion',
  title: 'Multi-Region primary KMS key waits to be deleted after its replicas',
  severity: 'high',
  status: 'stable',
  family: 'deletion',
  kind: 'event',
  subject: 'key',
  events: ['kms:ScheduleKeyDeletion', 'kms:CancelKeyDeletion', 'kms:DeleteKey'],
  params: z.strictObject({}),
  techniques: ['T1485'],
  blindSpots: ['A primary without replicas goes to PendingDeletion at once; key-deletion-scheduled tells that.'],
  falsePositives: ['Planned decommissioning of a multi-Region key in every Region.'],

  dedupKey: (_event, subject) => [subject.arn],

  evaluate({ event }, subject) {
    if (event.operation !== 'ScheduleKeyDeletion' || event.detail?.keyState !== 'PendingReplicaDeletion') return null;
    const windowDays = event.detail.pendingWindowInDays ?? 30;
    return eventMatch(event, {
      explanation: {
        what: `${callerFirst(event)} scheduled the multi-Region primary ${keyName(subject)} for deletion on ${moment(event.eventTime)}; AWS answered with state PendingReplicaDeletion.`,
        why: `The primary has replica keys. It has no deletion date yet: its window of ${windowDays} days begins when the last replica is deleted.`,
        benign: 'The key is being retired in all Regions under one change.',
        now: [
          `If in doubt, stop it: aws kms cancel-key-deletion ${keyArguments(subject)}`,
          `List the replicas: aws kms describe-key ${keyArguments(subject)} --query KeyMetadata.MultiRegionConfiguration`,
          'Look for ScheduleKeyDeletion on the replicas in their Regions.',
        ],
      },
      details: { window_days: windowDays, key_state: event.detail.keyState },
    });
  },

  mends({ event }) {
    return event.operation === 'CancelKeyDeletion' ? `The deletion was cancelled: ${deed(event)}.` : gone(event);
  },
});
