import { z } from 'zod';
import { defineWindowDetector } from '../contract.ts';
import { argument, moment, plain } from '../wording.ts';

/** One identity (account, Region, event id) told with different facts: forged, corrected or badly made. */
export default defineWindowDetector({
  id: 'event-conflict',
  title: 'One CloudTrail event is told in different ways',
  severity: 'medium',
  status: 'stable',
  family: 'blinding',
  kind: 'window',
  subject: 'account',
  events: ['kms:*'],
  params: z.strictObject({}),
  techniques: ['T1565.001'],
  blindSpots: [
    'A forged record that came alone, under an event id of its own.',
    'Tellings that differ only in what is not compared, such as user agent or source address.',
  ],
  falsePositives: [
    'Documentation samples and test data, which use one event id for several records.',
    'Exporters that rewrite fields on the way.',
  ],

  evaluate({ account, conflicts }) {
    return conflicts.map(({ eventId, region, at, tellings }) => ({
      dedupKey: [account, region, eventId],
      region,
      at,
      occurrences: tellings,
      evidence: [eventId],
      explanation: {
        what: `CloudTrail event ${plain(eventId, 64)} of account ${plain(account, 32)} in ${plain(region, 32)}, first told for ${moment(at)}, was received in ${tellings} versions that state different facts.`,
        why: 'An event id stands for one event, so 1 version is expected. At most one of them is what CloudTrail wrote; the records do not tell which. All are kept and counted.',
        benign: 'CloudTrail corrected the record, or the records are samples or went through a program that changes fields.',
        now: [
          'Compare the versions below: time, operation, caller, key and error.',
          `Ask AWS for its own, kept for 90 days: aws cloudtrail lookup-events --lookup-attributes AttributeKey=EventId,AttributeValue=${argument(eventId, 'EVENT_ID')} --region ${argument(region, 'REGION')}`,
          'Check the log files: aws cloudtrail validate-logs --trail-arn TRAIL_ARN --start-time START_TIME',
          "Where a version is none of CloudTrail's, find out by which source it came in, and close that way.",
        ],
      },
      details: { event_id: plain(eventId, 128), versions: tellings },
    }));
  },
});
