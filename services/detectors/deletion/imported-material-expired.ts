import { z } from 'zod';
import { defineEventDetector } from '../contract.ts';
import { useBefore, useDetails, useSentence } from '../key-use.ts';
import { deed, eventMatch, gone, iso, keyArguments, keyName, moment, plain } from '../wording.ts';

const RECENT = { recent: 30, callers: 90 };

/** https://docs.aws.amazon.com/kms/latest/developerguide/ct-deleteexpiredkeymaterial.html */
export default defineEventDetector({
  id: 'imported-material-expired',
  title: 'Imported key material of a KMS key has expired',
  severity: 'high',
  status: 'stable',
  family: 'deletion',
  kind: 'event',
  subject: 'key',
  events: ['kms:DeleteExpiredKeyMaterial', 'kms:ImportKeyMaterial', 'kms:DeleteKey'],
  params: z.strictObject({}),
  techniques: [],
  blindSpots: ['Whether the material still exists outside AWS, so that it can be imported again, is not known.'],
  falsePositives: ['A key whose end is meant to come with its material.'],

  dedupKey: (_event, subject) => [subject.arn],

  evaluate({ event, before }, subject) {
    if (event.operation !== 'DeleteExpiredKeyMaterial') return null;
    const use = useBefore(subject, event.eventTime, RECENT);
    const validTo = before.material?.value?.validTo ?? null;
    const material = event.detail?.keyMaterialId;
    return eventMatch(event, {
      explanation: {
        what: `AWS deleted the expired imported key material${material === undefined ? '' : ` ${plain(material, 64)}`} of ${keyName(subject)} on ${moment(event.eventTime)}.`,
        why: `${validTo === null ? 'The date to which it was valid is not in the records.' : `It was valid to ${moment(validTo)}.`} The key cannot be used until the same material is imported again. ${useSentence(use, event.eventTime, RECENT.callers)}`,
        benign: 'The key is meant to end with its material, and nothing is encrypted under it any more.',
        now: [
          'Find out whether the material still exists outside AWS.',
          `Get a wrapping key: aws kms get-parameters-for-import ${keyArguments(subject)} --wrapping-algorithm RSAES_OAEP_SHA_256 --wrapping-key-spec RSA_4096`,
          `Import it again: aws kms import-key-material ${keyArguments(subject)} --encrypted-key-material fileb://material.bin --import-token fileb://token.bin --expiration-model KEY_MATERIAL_DOES_NOT_EXPIRE`,
        ],
      },
      details: { valid_to: iso(validTo), key_material_id: material ?? null, ...useDetails(use) },
    });
  },

  mends({ event }) {
    return event.operation === 'ImportKeyMaterial' ? `Key material was imported again: ${deed(event)}.` : gone(event);
  },
});
