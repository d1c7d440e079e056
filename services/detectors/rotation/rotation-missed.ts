import { z } from 'zod';
import { DAY } from '../../core/clock.ts';
import { defineStateDetector } from '../contract.ts';
import { enabledSince } from '../enabled-since.ts';
import { iso, keyArguments, keyName, moment, proofs, span } from '../wording.ts';

/** AWS's default period: https://docs.aws.amazon.com/kms/latest/developerguide/rotating-keys-enable.html */
const DEFAULT_PERIOD = 365;

export default defineStateDetector({
  id: 'rotation-missed',
  title: 'Automatic rotation of a KMS key is on but has not happened',
  severity: 'high',
  status: 'stable',
  family: 'rotation',
  kind: 'state',
  subject: 'key',
  events: ['kms:EnableKeyRotation', 'kms:DisableKeyRotation', 'kms:RotateKey', 'kms:EnableKey', 'kms:DisableKey'],
  params: z.strictObject({ graceDays: z.int().min(0).max(365).default(7) }),
  techniques: [],
  blindSpots: ['On-demand rotation counts as rotation, so an automatic one missed shortly after it is seen one period later.'],
  falsePositives: ['A RotateKey event that was lost to a gap in the records.'],

  dedupKey: (subject) => [subject.arn],

  evaluate(subject, context) {
    const { facts } = subject;
    const on = facts.rotationEnabled;
    if (on?.value !== true || context.rotationOf(facts).eligible !== true) return null;
    const period = facts.rotationPeriodDays?.value ?? DEFAULT_PERIOD;
    const from = Math.max(on.at, facts.rotationPeriodDays?.at ?? on.at, facts.lastRotated?.value ?? on.at);
    // A disabled key does not rotate; AWS makes up for it as soon as it is enabled again.
    const expected = Math.max(from + period * DAY, enabledSince(facts));
    const due = expected + context.params.graceDays * DAY;
    if (context.asOf <= due) return null;
    return {
      at: due,
      until: context.asOf,
      evidence: proofs(on, facts.rotationPeriodDays, facts.lastRotated),
      explanation: {
        what: `Automatic rotation of ${keyName(subject)} is on, but no RotateKey event has been seen since ${moment(from)}.`,
        why: `With a period of ${period} days it was expected by ${moment(expected)}; that and ${context.params.graceDays} days of grace passed ${span(due, context.asOf)} ago.`,
        benign: 'The key did rotate, and the RotateKey event was lost to a gap in the records.',
        now: [
          `Look what AWS says: aws kms get-key-rotation-status ${keyArguments(subject)}`,
          `List what happened: aws kms list-key-rotations ${keyArguments(subject)}`,
          'If AWS lists a rotation, find out why its record is missing; if not, rotate on demand and open a case with AWS.',
        ],
      },
      details: { expected_at: iso(expected), period_days: period, grace_days: context.params.graceDays, since: iso(from) },
    };
  },
});
