import { z } from 'zod';
import { defineEventDetector } from '../contract.ts';
import { callerFirst, count, deed, eventMatch, gone, keyArguments, keyName, moment } from '../wording.ts';

/** AWS takes 30 days when the call names none; 7 is the least: https://docs.aws.amazon.com/kms/latest/APIReference/API_ScheduleKeyDeletion.html */
const DEFAULT_WINDOW = 30;

export default defineEventDetector({
  id: 'key-deletion-short-window',
  title: 'KMS key deletion was scheduled with a short waiting window',
  severity: 'high',
  status: 'stable',
  family: 'deletion',
  kind: 'event',
  subject: 'key',
  events: ['kms:ScheduleKeyDeletion', 'kms:CancelKeyDeletion', 'kms:DeleteKey'],
  params: z.strictObject({ minWindowDays: z.int().min(7).max(30).default(14) }),
  techniques: ['T1485'],
  blindSpots: [],
  falsePositives: ['Test keys that infrastructure-as-code tears down with the shortest window.'],

  dedupKey: (_event, subject) => [subject.arn],

  evaluate({ event }, subject, { params }) {
    if (event.operation !== 'ScheduleKeyDeletion') return null;
    const windowDays = event.detail?.pendingWindowInDays ?? DEFAULT_WINDOW;
    if (windowDays >= params.minWindowDays) return null;
    return eventMatch(event, {
      explanation: {
        what: `${callerFirst(event)} scheduled ${keyName(subject)} for deletion on ${moment(event.eventTime)} with a waiting window of ${count(windowDays, 'day')}.`,
        why: `Policy asks for at least ${params.minWindowDays} days, AWS's default is ${DEFAULT_WINDOW} and its minimum 7. A short window leaves ${count(windowDays, 'day')} to notice that somebody still needs the key.`,
        benign: 'The key is a test key, or was disabled long enough before to know that nobody needs it.',
        now: [
          `If in doubt, stop it: aws kms cancel-key-deletion ${keyArguments(subject)}`,
          `If it must go, schedule it again: aws kms schedule-key-deletion ${keyArguments(subject)} --pending-window-in-days ${DEFAULT_WINDOW}`,
        ],
      },
      details: { window_days: windowDays, min_window_days: params.minWindowDays, default_window_days: DEFAULT_WINDOW },
    });
  },

  mends({ event }) {
    return event.operation === 'CancelKeyDeletion' ? `The deletion was cancelled: ${deed(event)}.` : gone(event);
  },
});
