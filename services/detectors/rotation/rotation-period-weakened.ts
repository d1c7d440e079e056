import { z } from 'zod';
import type { StoredEvent } from '../../core/event.ts';
import { defineEventDetector } from '../contract.ts';
import type { KeySubject } from '../contract.ts';
import { oncePer } from '../once-per.ts';
import { callerFirst, count, deed, eventMatch, gone, keyArguments, keyName, moment } from '../wording.ts';

/** AWS's default, also what EnableKeyRotation without a period sets: https://docs.aws.amazon.com/kms/latest/APIReference/API_EnableKeyRotation.html */
const DEFAULT_PERIOD = 365;

export default defineEventDetector({
  id: 'rotation-period-weakened',
  title: 'Rotation period of a KMS key was set longer than before or than policy allows',
  severity: 'medium',
  status: 'stable',
  family: 'rotation',
  kind: 'event',
  subject: 'key',
  events: ['kms:EnableKeyRotation', 'kms:DeleteKey'],
  params: z.strictObject({ maxPeriodDays: z.int().min(90).max(2560).default(365) }),
  techniques: [],
  blindSpots: ['A period set before the records begin is unknown; then only the policy maximum is compared.'],
  falsePositives: ['A period that was lengthened by a change of policy within the permitted maximum.'],

  dedupKey: (_event, subject) => [subject.arn],

  evaluate({ event }, subject, { params }) {
    const change = periodChanges(subject, params.maxPeriodDays).get(event);
    if (change?.verdict !== 'weakened') return null;
    const { before, after } = change;
    const given = event.detail?.rotationPeriodInDays === undefined ? ' (the call named none, which means the AWS default)' : '';
    return eventMatch(event, {
      explanation: {
        what: `${callerFirst(event)} set the rotation period of ${keyName(subject)} to ${after} days${given} on ${moment(event.eventTime)}.`,
        why: [
          before === null ? 'The period before is not in the records.' : `Before it was ${before} days.`,
          `Policy allows at most ${count(params.maxPeriodDays, 'day')}${after > params.maxPeriodDays ? `, which is exceeded by ${after - params.maxPeriodDays}` : ''}.`,
        ].join(' '),
        benign: 'The longer period is within policy and was decided for this key.',
        now: [
          'Ask the caller for the change request.',
          `Set the period back: aws kms enable-key-rotation ${keyArguments(subject)} --rotation-period-in-days ${Math.min(before ?? params.maxPeriodDays, params.maxPeriodDays)}`,
        ],
      },
      details: { period_days: after, period_days_before: before, max_period_days: params.maxPeriodDays },
    });
  },

  mends({ event }, subject, { params }) {
    const change = periodChanges(subject, params.maxPeriodDays).get(event);
    return change?.verdict === 'restored' ? `The period is ${change.after} days again: ${deed(event)}.` : gone(event);
  },
});

interface PeriodChange {
  readonly before: number | null;
  readonly after: number;
  readonly verdict: 'weakened' | 'restored' | 'fine';
}

/** `restored` = within policy and not longer than what held before the first weakening. */
const periodChanges = oncePer((subject: KeySubject, maxPeriodDays: number): Map<StoredEvent, PeriodChange> => {
  const changes = new Map<StoredEvent, PeriodChange>();
  let before: number | null = null;
  let due: number | null = null;
  for (const { event } of subject.timeline) {
    if (event.operation !== 'EnableKeyRotation' || event.outcome !== 'ok') continue;
    const after = event.detail?.rotationPeriodInDays ?? DEFAULT_PERIOD;
    const weakened = after > maxPeriodDays || (before !== null && after > before);
    if (weakened) due ??= Math.min(before ?? maxPeriodDays, maxPeriodDays);
    const restored = !weakened && due !== null && after <= due;
    if (restored) due = null;
    changes.set(event, { before, after, verdict: weakened ? 'weakened' : restored ? 'restored' : 'fine' });
    before = after;
  }
  return changes;
});
