import { z } from 'zod';
import type { StoredEvent } from '../../core/event.ts';
import { type AccountSubject, defineEventDetector } from '../contract.ts';
import { type Direction, managementLost } from '../event-selectors.ts';
import { oncePer } from '../once-per.ts';
import { trailArguments, trailKey, trailOf, trailText } from '../trail.ts';
import { callerFirst, deed, eventMatch, moment } from '../wording.ts';

/** Selectors of management events: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-management-events-with-cloudtrail.html */
export default defineEventDetector({
  id: 'management-events-narrowed',
  title: 'A CloudTrail trail no longer logs all management events',
  severity: 'critical',
  status: 'stable',
  family: 'blinding',
  kind: 'event',
  subject: 'account',
  events: ['cloudtrail:PutEventSelectors'],
  params: z.strictObject({}),
  techniques: ['T1562.008'],
  blindSpots: [
    'Selectors that were set before the records begin.',
    'Event data stores of CloudTrail Lake, which have selectors of their own.',
    'A selector list that CloudTrail left out of the record because of its size.',
  ],
  falsePositives: ['A second trail for data events only, or for write events only, while another trail logs everything.'],

  dedupKey: (event) => trailKey(event),

  evaluate({ event }, subject) {
    const lost = newlyLost(subject).get(event) ?? [];
    if (lost.length === 0) return null;
    const use = lost.includes('read') ? ' Decrypt, Encrypt and GenerateDataKey are read events, so the use of keys no longer shows.' : '';
    const changes = lost.includes('write') ? ' Changes of keys, policies and trails are write events.' : '';
    return eventMatch(event, {
      explanation: {
        what: `${callerFirst(event)} set event selectors of ${trailText(event)} on ${moment(event.eventTime)} that no longer take all ${lost.join(' and ')} management events.`,
        why: `What a trail does not log cannot be had from it later.${use}${changes} Expected is that a trail logs all management events, as it does when it is made.`,
        benign: 'The trail is meant for data events, and another trail of the same account and Regions logs all management events.',
        now: [
          'Ask the caller for the change request.',
          `See what is set: aws cloudtrail get-event-selectors ${trailArguments(event, '--trail-name')}`,
          `Log all of them again (this replaces all selectors of the trail; keep its data events): aws cloudtrail put-event-selectors ${trailArguments(event, '--trail-name')} --event-selectors '[{"ReadWriteType":"All","IncludeManagementEvents":true}]'`,
          'Read the missing time from Event history, which keeps management events for 90 days: aws cloudtrail lookup-events',
        ],
      },
      details: { trail: trailOf(event).name, lost, no_longer_logged: managementLost(event.detail) },
    });
  },

  mends({ event }) {
    if (event.operation !== 'PutEventSelectors') return null;
    return managementLost(event.detail)?.length === 0 ? `The trail logs all management events again: ${deed(event)}.` : null;
  },
});

/** What each PutEventSelectors takes away of what its trail logged before it; a trail logs everything until it is told otherwise. */
const newlyLost = oncePer((subject: AccountSubject): ReadonlyMap<StoredEvent, readonly Direction[]> => {
  const known = new Map<string, readonly Direction[]>();
  const taken = new Map<StoredEvent, readonly Direction[]>();
  for (const event of subject.timeline) {
    if (event.service !== 'cloudtrail' || event.operation !== 'PutEventSelectors' || event.outcome !== 'ok') continue;
    const lost = managementLost(event.detail);
    if (lost === null) continue;
    const trail = JSON.stringify(trailKey(event));
    const before = known.get(trail) ?? [];
    taken.set(
      event,
      lost.filter((direction) => !before.includes(direction)),
    );
    known.set(trail, lost);
  }
  return taken;
});
