import { z } from 'zod';
import { defineEventDetector } from '../contract.ts';
import { kmsLogging } from '../event-selectors.ts';
import { trailArguments, trailKey, trailOf, trailText } from '../trail.ts';
import { callerFirst, deed, eventMatch, moment } from '../wording.ts';

/** `PutEventSelectors` that drops KMS: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-management-events-with-cloudtrail.html */
export default defineEventDetector({
  id: 'kms-events-excluded',
  title: 'KMS events were excluded from a CloudTrail trail',
  severity: 'critical',
  status: 'stable',
  family: 'blinding',
  kind: 'event',
  subject: 'account',
  events: ['cloudtrail:PutEventSelectors'],
  params: z.strictObject({}),
  techniques: ['T1562.008'],
  blindSpots: [
    'Exclusions that were set before the records begin.',
    'Event data stores of CloudTrail Lake, which have selectors of their own.',
    'A selector list that CloudTrail left out of the record because of its size.',
  ],
  falsePositives: ['A second trail that leaves KMS out to save money while another trail keeps it.'],

  dedupKey: (event) => trailKey(event),

  evaluate({ event }) {
    if (event.operation !== 'PutEventSelectors') return null;
    const logging = kmsLogging(event.detail);
    if (logging === null || logging.by === null) return null;
    const lost = logging.excluded.join(' and ');
    const use = logging.excluded.includes('read') ? 'Encrypt, Decrypt and GenerateDataKey are read events: ' : '';
    return eventMatch(event, {
      explanation: {
        what: `${callerFirst(event)} set event selectors that keep KMS ${lost} events out of ${trailText(event)} on ${moment(event.eventTime)}.`,
        why: `${use}from then on this trail logs no KMS ${logging.excluded.join(' or ')} events, and what it did not log cannot be had from it later. Expected is that all KMS events are logged.`,
        benign: 'Another trail of the same account and Regions logs KMS events, and this one is meant to leave them out.',
        now: [
          'Ask the caller for the change request.',
          `See what is set: aws cloudtrail get-event-selectors ${trailArguments(event, '--trail-name')}`,
          `Log KMS again (this replaces all selectors of the trail; keep its data events): aws cloudtrail put-event-selectors ${trailArguments(event, '--trail-name')} --event-selectors '[{"ReadWriteType":"All","IncludeManagementEvents":true,"ExcludeManagementEventSources":[]}]'`,
          'Read the missing time from Event history, which keeps KMS events for 90 days: aws cloudtrail lookup-events --lookup-attributes AttributeKey=EventSource,AttributeValue=kms.amazonaws.com',
        ],
      },
      details: { trail: trailOf(event).name, excluded: logging.excluded, still_logged: logging.admitted, set_by: logging.by },
    });
  },

  mends({ event }) {
    if (event.operation !== 'PutEventSelectors') return null;
    const logging = kmsLogging(event.detail);
    const restored = logging !== null && logging.excluded.length === 0 && logging.admitted.length > 0;
    return restored ? `The trail's selectors no longer keep KMS events out: ${deed(event)}.` : null;
  },
});
