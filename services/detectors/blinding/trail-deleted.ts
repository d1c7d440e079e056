import { z } from 'zod';
import { defineEventDetector } from '../contract.ts';
import { trailArguments, trailKey, trailOf, trailText } from '../trail.ts';
import { callerFirst, deed, eventMatch, moment } from '../wording.ts';

/** `DeleteTrail`: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_DeleteTrail.html */
export default defineEventDetector({
  id: 'trail-deleted',
  title: 'A CloudTrail trail was deleted',
  severity: 'critical',
  status: 'stable',
  family: 'blinding',
  kind: 'event',
  subject: 'account',
  events: ['cloudtrail:DeleteTrail', 'cloudtrail:StartLogging'],
  params: z.strictObject({}),
  techniques: ['T1562.008'],
  blindSpots: ['A deletion that only the deleted trail itself would have delivered.'],
  falsePositives: ['A trail that was replaced by another one, such as the trail of the organization.'],

  dedupKey: (event) => trailKey(event),

  evaluate({ event }) {
    if (event.operation !== 'DeleteTrail') return null;
    return eventMatch(event, {
      explanation: {
        what: `${callerFirst(event)} deleted ${trailText(event)} on ${moment(event.eventTime)}.`,
        why: 'A deleted trail delivers nothing more, in any Region it covered. What it delivered before stays in its bucket. Expected is that trails are not deleted.',
        benign: 'Another trail of the account covers the same Regions and events, and this one was retired under a change request.',
        now: [
          'See which trails are left: aws cloudtrail describe-trails --include-shadow-trails',
          `Where none covers the account, create it again and start it: aws cloudtrail start-logging ${trailArguments(event)}`,
          'Check that the log bucket and its objects are untouched: aws s3api list-object-versions --bucket LOG_BUCKET --max-items 50',
          'Ask the caller for the change request; without one, treat the credentials as stolen.',
        ],
      },
      details: { trail: trailOf(event).name },
    });
  },

  mends({ event }) {
    return event.operation === 'StartLogging' ? `A trail of the same name exists again and logs: ${deed(event)}.` : null;
  },
});
