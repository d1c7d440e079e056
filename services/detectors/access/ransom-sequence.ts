import { z } from 'zod';
import { DAY } from '../../core/clock.ts';
import type { StoredEvent } from '../../core/event.ts';
import { habitEvidence, totalCount } from '../baseline.ts';
import { defineWindowDetector, type KeySubject } from '../contract.ts';
import { callerFirst, count, iso, keyArguments, keyName, moment, span } from '../wording.ts';

const ENCRYPTING = new Set(['Encrypt', 'ReEncrypt', 'GenerateDataKey', 'GenerateDataKeyWithoutPlaintext']);

/**
 * Imported key material that is taken away again after data was encrypted under it: nobody can read the data but who still has
 * the material. https://docs.aws.amazon.com/kms/latest/developerguide/importing-keys-delete-key-material.html
 */
export default defineWindowDetector({
  id: 'ransom-sequence',
  title: 'Data was encrypted under imported key material that was then taken away',
  severity: 'critical',
  status: 'test',
  family: 'access',
  kind: 'window',
  subject: 'key',
  events: ['kms:ImportKeyMaterial', 'kms:DeleteImportedKeyMaterial', 'kms:DeleteExpiredKeyMaterial'],
  params: z.strictObject({
    minimumCalls: z.int().min(1).default(50),
    withinDays: z.int().min(1).max(365).default(30),
  }),
  techniques: ['T1486', 'T1485'],
  blindSpots: [
    'Fewer encrypting calls than the minimum: one data key can encrypt any amount of data.',
    'Material that was imported longer ago than the days.',
  ],
  falsePositives: ['A test of key import with made-up data.'],

  evaluate(subject, { params }) {
    return subject.timeline.flatMap(({ event }) => {
      if (event.outcome !== 'ok' || !TAKEN.has(event.operation)) return [];
      const imported = importBefore(subject, event);
      if (imported === null || event.eventTime - imported.eventTime > params.withinDays * DAY) return [];
      const encrypted = (subject.habits ?? []).filter(
        ({ profile, firstAt }) => ENCRYPTING.has(profile.operation) && firstAt >= imported.eventTime && firstAt < event.eventTime,
      );
      const calls = totalCount(encrypted);
      if (calls < params.minimumCalls) return [];
      const again = subject.timeline.find((step) => isImport(step.event) && step.event.eventTime > event.eventTime)?.event;
      return [
        {
          dedupKey: [subject.arn],
          at: event.eventTime,
          actor: event.actor.id,
          evidence: [imported.eventId, ...habitEvidence(encrypted).slice(0, 10), event.eventId],
          explanation: {
            what: `${callerFirst(event)} caused ${event.operation} of ${keyName(subject)} on ${moment(event.eventTime)}, ${span(imported.eventTime, event.eventTime)} after its material was imported on ${moment(imported.eventTime)}. In between the records show ${count(calls, 'encrypting call')} under it.`,
            why: `Without the material nothing that was encrypted in those calls can be decrypted, and only who imported it can bring it back. Observed: ${count(calls, 'encrypting call')} before the material went; expected: none, reported from ${params.minimumCalls} on.`,
            benign: 'Somebody tested key import with made-up data.',
            now: [
              `Stop further harm: revoke the sessions of the caller, and see which other keys have imported material: aws kms list-keys, then aws kms describe-key ${keyArguments(subject)}`,
              `See what was encrypted; the encryption context names it: aws cloudtrail lookup-events --lookup-attributes AttributeKey=EventName,AttributeValue=GenerateDataKey --start-time ${iso(imported.eventTime)} --end-time ${iso(event.eventTime)}`,
              `Ask who holds the material; it can be imported again: aws kms get-parameters-for-import ${keyArguments(subject)} --wrapping-algorithm RSAES_OAEP_SHA_256 --wrapping-key-spec RSA_4096`,
              'Restore the data from copies under other keys; keep older object versions and snapshots from being removed.',
            ],
          },
          details: {
            imported_at: iso(imported.eventTime),
            encrypting_calls: calls,
            operation: event.operation,
            importer: imported.actor.id,
          },
          ...(again ? { resolved: { at: again.eventTime, reason: `Key material was imported again on ${moment(again.eventTime)}.` } } : {}),
        },
      ];
    });
  },
});

const TAKEN = new Set(['DeleteImportedKeyMaterial', 'DeleteExpiredKeyMaterial']);

function isImport(event: StoredEvent): boolean {
  return event.operation === 'ImportKeyMaterial' && event.outcome === 'ok';
}

/** The import that began the life of the material which an event takes away. */
function importBefore({ timeline }: KeySubject, taken: StoredEvent): StoredEvent | null {
  let found: StoredEvent | null = null;
  for (const { event } of timeline) {
    if (event.eventTime > taken.eventTime || event === taken) break;
    if (isImport(event)) found ??= event;
    if (event.outcome === 'ok' && TAKEN.has(event.operation)) found = null;
  }
  return found;
}
