import { z } from 'zod';
import { DAY } from '../../core/clock.ts';
import { defineStateDetector } from '../contract.ts';
import { enabledSince } from '../enabled-since.ts';
import { iso, keyArguments, keyName, moment, proofs } from '../wording.ts';

export default defineStateDetector({
  id: 'rotation-overdue',
  title: 'Key material of a KMS key is older than policy allows',
  severity: 'high',
  status: 'stable',
  family: 'rotation',
  kind: 'state',
  subject: 'key',
  events: ['kms:CreateKey', 'kms:RotateKey', 'kms:ImportKeyMaterial', 'kms:EnableKey', 'kms:DisableKey'],
  params: z.strictObject({
    maxAgeDays: z.int().min(1).max(3650).default(365),
    graceDays: z.int().min(0).max(365).default(7),
  }),
  techniques: [],
  blindSpots: ['Material whose making lies before the records is of unknown age, and is not judged.'],
  falsePositives: [
    'A RotateKey event that was lost to a gap in the records.',
    'A key kept only to decrypt old data after its alias moved on.',
  ],

  dedupKey: (subject) => [subject.arn],

  evaluate(subject, context) {
    const { facts } = subject;
    const { maxAgeDays, graceDays } = context.params;
    const made = facts.lastRotated;
    if (made === undefined || context.rotationOf(facts).eligible !== true) return null;
    const due = made.value + (maxAgeDays + graceDays) * DAY;
    if (context.asOf <= due) return null;
    const age = Math.floor((context.asOf - made.value) / DAY);
    const automatic = facts.rotationEnabled?.value;
    return {
      at: Math.max(due, enabledSince(facts)),
      until: context.asOf,
      evidence: proofs(made, facts.enabled),
      explanation: {
        what: `The newest material of ${keyName(subject)} that the records show was made on ${moment(made.value)} and is ${age} days old.`,
        why: `Policy allows ${maxAgeDays} days and ${graceDays} days of grace. Automatic rotation is ${automatic === undefined ? 'not known to be on or off' : automatic ? 'on' : 'off'}.`,
        benign: 'The key was rotated at a time of which no records were ingested.',
        now: [
          `Look what AWS says: aws kms list-key-rotations ${keyArguments(subject)} --include-key-material ALL_KEY_MATERIAL`,
          `Rotate now: aws kms rotate-key-on-demand ${keyArguments(subject)}`,
          `Keep it from coming back: aws kms enable-key-rotation ${keyArguments(subject)} --rotation-period-in-days ${Math.min(Math.max(maxAgeDays, 90), 2560)}`,
        ],
      },
      details: {
        material_since: iso(made.value),
        age_days: age,
        max_age_days: maxAgeDays,
        grace_days: graceDays,
        rotation_enabled: automatic ?? null,
      },
    };
  },
});
