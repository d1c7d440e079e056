import { z } from 'zod';
import { defineEventDetector } from '../contract.ts';
import { useBefore, useDetails, useSentence } from '../key-use.ts';
import { callerFirst, deed, eventMatch, gone, keyArguments, keyName, moment } from '../wording.ts';

const RECENT = { recent: 30, callers: 90 };

/** `DisableKey`: https://docs.aws.amazon.com/kms/latest/APIReference/API_DisableKey.html */
export default defineEventDetector({
  id: 'key-disabled',
  title: 'KMS key was disabled',
  severity: 'medium',
  status: 'stable',
  family: 'deletion',
  kind: 'event',
  subject: 'key',
  events: ['kms:DisableKey', 'kms:EnableKey', 'kms:DeleteKey'],
  params: z.strictObject({}),
  techniques: ['T1489'],
  blindSpots: ['Use is not visible when read-only events are not logged (WriteOnly trails).'],
  falsePositives: ['AWS advises to disable a key for a while before it is deleted, to see who still needs it.'],

  dedupKey: (_event, subject) => [subject.arn],

  evaluate({ event, before }, subject) {
    if (event.operation !== 'DisableKey') return null;
    const use = useBefore(subject, event.eventTime, RECENT);
    const already = before.enabled?.value === false ? ' The records show it as disabled already.' : '';
    return eventMatch(event, {
      explanation: {
        what: `${callerFirst(event)} disabled ${keyName(subject)} on ${moment(event.eventTime)}.${already}`,
        why: `While it is disabled, every cryptographic call under it fails and it does not rotate. ${useSentence(use, event.eventTime, RECENT.callers)}`,
        benign: 'The key is being retired step by step, or was disabled to contain an incident.',
        now: [
          'Ask the caller for the change request.',
          `Undo it: aws kms enable-key ${keyArguments(subject)}`,
          'Look for a finding disabled-key-used of this key: it counts who is refused.',
        ],
      },
      details: { was_enabled: before.enabled?.value ?? null, ...useDetails(use) },
    });
  },

  mends({ event }) {
    return event.operation === 'EnableKey' ? `The key was enabled again: ${deed(event)}.` : gone(event);
  },
});
