import { z } from 'zod';
import { defineStateDetector } from '../contract.ts';
import { enabledSince } from '../enabled-since.ts';
import { iso, keyArguments, keyName, moment, proofs, span } from '../wording.ts';

export default defineStateDetector({
  id: 'rotation-not-enabled',
  title: 'Automatic rotation of a KMS key is off',
  severity: 'medium',
  status: 'stable',
  family: 'rotation',
  kind: 'state',
  subject: 'key',
  events: ['kms:CreateKey', 'kms:EnableKeyRotation', 'kms:DisableKeyRotation', 'kms:EnableKey', 'kms:DisableKey'],
  params: z.strictObject({}),
  techniques: [],
  blindSpots: ['Keys whose creation and rotation events lie before the records are unknown, and are not judged.'],
  falsePositives: ['Keys that are rotated on demand, or replaced by moving an alias, under a written procedure.'],

  dedupKey: (subject) => [subject.arn],

  evaluate(subject, context) {
    const { facts } = subject;
    const off = facts.rotationEnabled;
    if (off?.value !== false || context.rotationOf(facts).eligible !== true) return null;
    const since = Math.max(off.at, enabledSince(facts));
    return {
      at: since,
      until: context.asOf,
      evidence: proofs(off, facts.enabled),
      explanation: {
        what: `Automatic rotation of ${keyName(subject)} is off, as known since ${moment(off.at)}.`,
        why: `The key can rotate automatically (${context.rotationOf(facts).reason}), expected is on. It has been enabled without rotation for ${span(since, context.asOf)}.`,
        benign: 'The key is rotated on demand or is replaced regularly by moving its alias to a new key.',
        now: [
          `Switch it on: aws kms enable-key-rotation ${keyArguments(subject)} --rotation-period-in-days 365`,
          `Check the result: aws kms get-key-rotation-status ${keyArguments(subject)}`,
        ],
      },
      details: { off_since: iso(off.at), reason: context.rotationOf(facts).reason },
    };
  },
});
