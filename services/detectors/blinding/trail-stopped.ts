import { z } from 'zod';
import { defineEventDetector } from '../contract.ts';
import { trailArguments, trailKey, trailOf, trailText } from '../trail.ts';
import { argument, callerFirst, deed, eventMatch, iso, moment } from '../wording.ts';

/** `StopLogging`: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_StopLogging.html */
export default defineEventDetector({
  id: 'trail-stopped',
  title: 'A CloudTrail trail was stopped',
  severity: 'critical',
  status: 'stable',
  family: 'blinding',
  kind: 'event',
  subject: 'account',
  events: ['cloudtrail:StopLogging', 'cloudtrail:StartLogging'],
  params: z.strictObject({}),
  techniques: ['T1562.008'],
  blindSpots: ['A trail that was stopped before the records begin.', 'A stop that only the stopped trail itself would have delivered.'],
  falsePositives: ['A trail that is being replaced by another one under a change request.'],

  dedupKey: (event) => trailKey(event),

  evaluate({ event }) {
    if (event.operation !== 'StopLogging') return null;
    return eventMatch(event, {
      explanation: {
        what: `${callerFirst(event)} stopped logging of ${trailText(event)} on ${moment(event.eventTime)}.`,
        why: 'A stopped trail records nothing until it is started again, and does not fill the gap afterwards. Expected is that a trail, once logging, stays on.',
        benign: 'Another trail of the account covers the same Regions and events, and this one is being retired.',
        now: [
          `Start it again: aws cloudtrail start-logging ${trailArguments(event)}`,
          `Check since when it has been off: aws cloudtrail get-trail-status ${trailArguments(event)}`,
          `Look what happened meanwhile, in Event history: aws cloudtrail lookup-events --start-time ${iso(event.eventTime)} --region ${argument(trailOf(event).region, 'REGION')}`,
          'Ask the caller for the change request; without one, treat the credentials as stolen.',
        ],
      },
      details: { trail: trailOf(event).name },
    });
  },

  mends({ event }) {
    return event.operation === 'StartLogging' ? `The trail logs again: ${deed(event)}.` : null;
  },
});
