import { z } from 'zod';
import { DAY } from '../../core/clock.ts';
import type { Severity } from '../../core/severity.ts';
import { defineStateDetector } from '../contract.ts';
import { enabledSince } from '../enabled-since.ts';
import { count, iso, keyArguments, keyName, moment, proofs } from '../wording.ts';

/** Expiry deletes the material: https://docs.aws.amazon.com/kms/latest/developerguide/importing-keys-import-key-material.html */
export default defineStateDetector({
  id: 'imported-material-expiring',
  title: 'Imported key material of a KMS key expires soon',
  severity: 'medium',
  status: 'stable',
  family: 'deletion',
  kind: 'state',
  subject: 'key',
  events: ['kms:ImportKeyMaterial', 'kms:DeleteImportedKeyMaterial', 'kms:DeleteExpiredKeyMaterial', 'kms:EnableKey', 'kms:DisableKey'],
  params: z.strictObject({
    noticeDays: z.int().min(1).max(365).default(30),
    highDays: z.int().min(0).max(365).default(7),
    criticalDays: z.int().min(0).max(365).default(1),
  }),
  techniques: [],
  blindSpots: ['Material imported before the records begin is unknown, and is not judged.'],
  falsePositives: ['A key whose end is meant to come with its material.'],

  dedupKey: (subject) => [subject.arn],

  evaluate(subject, context) {
    const { facts } = subject;
    const { noticeDays, highDays, criticalDays } = context.params;
    const validTo = facts.material?.value?.validTo ?? null;
    if (validTo === null || facts.material === undefined || context.stateOf(facts) !== 'Enabled') return null;
    const left = validTo - context.asOf;
    if (left > noticeDays * DAY) return null;
    const daysLeft = Math.ceil(left / DAY);
    const severity: Severity = left <= criticalDays * DAY ? 'critical' : left <= highDays * DAY ? 'high' : 'medium';
    const passed = left <= 0;
    return {
      at: Math.max(validTo - noticeDays * DAY, facts.material.at, enabledSince(facts)),
      until: context.asOf,
      severity,
      title: passed
        ? 'Imported key material of a KMS key has reached its expiry'
        : `Imported key material of a KMS key expires within ${count(daysLeft, 'day')}`,
      evidence: proofs(facts.material),
      explanation: {
        what: `The imported key material of ${keyName(subject)} is valid to ${moment(validTo)}.`,
        why: passed
          ? 'That moment has passed and no DeleteExpiredKeyMaterial event is in the records: whether the material still exists is unknown.'
          : `At most ${count(daysLeft, 'day')} left (notice is given from ${noticeDays} days on). AWS then deletes the material, and every call under the key fails until it is imported again.`,
        benign: 'The key is meant to end with its material, and nothing is encrypted under it any more.',
        now: [
          'Make sure that the material still exists outside AWS.',
          `Get a wrapping key: aws kms get-parameters-for-import ${keyArguments(subject)} --wrapping-algorithm RSAES_OAEP_SHA_256 --wrapping-key-spec RSA_4096`,
          `Import the same material again with a later date: aws kms import-key-material ${keyArguments(subject)} --encrypted-key-material fileb://material.bin --import-token fileb://token.bin --valid-to DATE`,
        ],
      },
      details: { valid_to: iso(validTo), days_left: Math.max(daysLeft, 0), key_material_id: facts.material.value?.materialId ?? null },
    };
  },
});
