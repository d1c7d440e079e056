import { z } from 'zod';
import { defineEventDetector } from '../contract.ts';
import { callerFirst, deed, eventMatch, gone, keyArguments, keyName, moment } from '../wording.ts';

/** `DisableKeyRotation`: https://docs.aws.amazon.com/kms/latest/APIReference/API_DisableKeyRotation.html */
export default defineEventDetector({
  id: 'rotation-disabled',
  title: 'Automatic rotation of a KMS key was switched off',
  severity: 'high',
  status: 'stable',
  family: 'rotation',
  kind: 'event',
  subject: 'key',
  events: ['kms:DisableKeyRotation', 'kms:EnableKeyRotation', 'kms:DeleteKey'],
  params: z.strictObject({}),
  techniques: [],
  blindSpots: ['Rotation that was never switched on writes no event; rotation-not-enabled looks for that.'],
  falsePositives: ['A key that is being replaced by another one on purpose.'],

  dedupKey: (_event, subject) => [subject.arn],

  evaluate({ event, before }, subject) {
    if (event.operation !== 'DisableKeyRotation') return null;
    const was = before.rotationEnabled;
    const period = before.rotationPeriodDays?.value;
    const observed =
      was === undefined
        ? 'Whether it was on before is not in the records.'
        : was.value
          ? `It had been on since ${moment(was.at)}${period === undefined ? '' : `, every ${period} days`}.`
          : `The records show it as off already since ${moment(was.at)}.`;
    return eventMatch(event, {
      explanation: {
        what: `${callerFirst(event)} switched off automatic rotation of ${keyName(subject)} on ${moment(event.eventTime)}.`,
        why: `${observed} From now on AWS makes no new key material for this key; expected is that rotation, once on, stays on.`,
        benign: 'The key is being retired, or is rotated on demand under a written procedure.',
        now: [
          'Ask the caller for the change request.',
          `Switch it on again: aws kms enable-key-rotation ${keyArguments(subject)}`,
          `Check the result: aws kms get-key-rotation-status ${keyArguments(subject)}`,
        ],
      },
      details: { rotation_was_enabled: was?.value ?? null, period_days_before: period ?? null },
    });
  },

  mends({ event }) {
    return event.operation === 'EnableKeyRotation' ? `Rotation was switched on again: ${deed(event)}.` : gone(event);
  },
});
