import { z } from 'zod';
import type { StoredEvent } from '../../core/event.ts';
import { defineEventDetector } from '../contract.ts';
import type { KeySubject } from '../contract.ts';
import { useBefore, useDetails, useSentence } from '../key-use.ts';
import { oncePer } from '../once-per.ts';
import { callerFirst, deed, eventMatch, gone, keyArguments, keyName, moment, plain } from '../wording.ts';

const RECENT = { recent: 30, callers: 90 };

/** No waiting window: https://docs.aws.amazon.com/kms/latest/APIReference/API_DeleteImportedKeyMaterial.html */
export default defineEventDetector({
  id: 'imported-material-deleted',
  title: 'Imported key material of a KMS key was deleted',
  severity: 'critical',
  status: 'stable',
  family: 'deletion',
  kind: 'event',
  subject: 'key',
  events: ['kms:DeleteImportedKeyMaterial', 'kms:ImportKeyMaterial', 'kms:DeleteKey'],
  params: z.strictObject({}),
  techniques: ['T1485', 'T1486'],
  blindSpots: ['Whether the material still exists outside AWS, so that it can be imported again, is not known.'],
  falsePositives: ['A drill of the re-import procedure.'],

  dedupKey: (_event, subject) => [subject.arn],

  evaluate({ event }, subject) {
    if (event.operation !== 'DeleteImportedKeyMaterial') return null;
    const use = useBefore(subject, event.eventTime, RECENT);
    const material = event.detail?.keyMaterialId;
    return eventMatch(event, {
      explanation: {
        what: `${callerFirst(event)} deleted imported key material${material === undefined ? '' : ` ${plain(material, 64)}`} of ${keyName(subject)} on ${moment(event.eventTime)}.`,
        why: `This takes effect at once, without a waiting window: the key cannot be used until the very same material is imported again. ${useSentence(use, event.eventTime, RECENT.callers)}`,
        benign: 'The material is kept safely outside AWS and the deletion is planned.',
        now: [
          'Find out at once whether the material still exists outside AWS.',
          `Get a wrapping key: aws kms get-parameters-for-import ${keyArguments(subject)} --wrapping-algorithm RSAES_OAEP_SHA_256 --wrapping-key-spec RSA_4096`,
          `Import it again: aws kms import-key-material ${keyArguments(subject)} --encrypted-key-material fileb://material.bin --import-token fileb://token.bin --expiration-model KEY_MATERIAL_DOES_NOT_EXPIRE`,
          'Revoke the sessions of the caller if nobody asked for this.',
        ],
      },
      details: { key_material_id: material ?? null, ...useDetails(use) },
    });
  },

  mends({ event }, subject) {
    if (event.operation !== 'ImportKeyMaterial') return gone(event);
    const deleted = deletedBefore(subject).get(event);
    const imported = event.detail?.keyMaterialId;
    if (deleted !== undefined && imported !== undefined && deleted !== imported) return null;
    return `Key material was imported again: ${deed(event)}.`;
  },
});

/** For each import: which material was deleted last before it; undefined where the record does not say. */
const deletedBefore = oncePer((subject: KeySubject): Map<StoredEvent, string | undefined> => {
  const before = new Map<StoredEvent, string | undefined>();
  let deleted: string | undefined;
  for (const { event } of subject.timeline) {
    if (event.outcome !== 'ok') continue;
    if (event.operation === 'DeleteImportedKeyMaterial') deleted = event.detail?.keyMaterialId;
    if (event.operation === 'ImportKeyMaterial') before.set(event, deleted);
  }
  return before;
});
