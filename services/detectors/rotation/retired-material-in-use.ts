import { z } from 'zod';
import { DAY } from '../../core/clock.ts';
import { habitEvidence, latest, totalCount } from '../baseline.ts';
import { defineWindowDetector, type KeySubject } from '../contract.ts';
import { actorName, argument, count, iso, keyName, listed, moment, plain, span } from '../wording.ts';

/**
 * Rotation changes what is encrypted from then on; ciphertexts of before keep needing the old material, which KMS keeps:
 * https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html. Since May 2025 records of Decrypt tell which material was used.
 */
export default defineWindowDetector({
  id: 'retired-material-in-use',
  title: 'Data is still decrypted with key material that was retired long ago',
  severity: 'low',
  status: 'test',
  family: 'rotation',
  kind: 'baseline',
  subject: 'key',
  events: ['kms:RotateKey', 'kms:ImportKeyMaterial', 'kms:Decrypt', 'kms:ReEncrypt'],
  params: z.strictObject({
    retiredDays: z.int().min(1).max(3650).default(365),
    quietDays: z.int().min(1).max(365).default(90),
  }),
  techniques: ['T1600'],
  blindSpots: [
    'Records of before May 2025 do not tell the key material.',
    'Rotations that are not on record, and keys whose alias was moved instead.',
  ],
  falsePositives: ['Archives that must be kept, and are read as they were written.'],

  evaluate(subject, { params, asOf }) {
    return [...retirements(subject)].flatMap(([material, { retiredAt, eventId }]) => {
      const due = retiredAt + params.retiredDays * DAY;
      const uses = (subject.habits ?? []).filter(
        ({ profile, lastAt }) =>
          profile.material === material && (profile.operation === 'Decrypt' || profile.operation === 'ReEncrypt') && lastAt > due,
      );
      if (uses.length === 0) return [];
      const calls = totalCount(uses);
      const until = latest(uses);
      const at = Math.max(due, Math.min(...uses.map(({ firstAt }) => firstAt)));
      const exact = uses.every(({ firstAt }) => firstAt > due);
      const callers = [...new Set(uses.map(({ actor }) => actorName(actor)))].sort();
      const quiet = until + params.quietDays * DAY;
      return [
        {
          dedupKey: [subject.arn, material],
          at,
          until,
          occurrences: calls,
          actor: uses[0]?.actor.id ?? null,
          evidence: [eventId, ...habitEvidence(uses)],
          explanation: {
            what: `${listed(callers, 3)} decrypted with key material ${plain(material.slice(0, 16), 16)}… of ${keyName(subject)}, last on ${moment(until)}: ${exact ? '' : 'up to '}${count(calls, 'call')} more than ${params.retiredDays} days after it was replaced on ${moment(retiredAt)}.`,
            why: `What was encrypted before the rotation was never encrypted anew, so the rotation does not limit what the old material protects. Observed: use ${span(retiredAt, until)} after retirement; expected: none after ${params.retiredDays} days.`,
            benign: 'Archives must be kept as they were written.',
            now: [
              `See which data it is; the encryption context names it: aws cloudtrail lookup-events --lookup-attributes AttributeKey=ResourceName,AttributeValue=${argument(subject.arn, 'KEY_ARN')} --start-time ${iso(at)} --region ${argument(subject.region, 'REGION')}`,
              'Encrypt it anew where it can be: aws kms re-encrypt for small ciphertexts, a copy onto itself for S3 objects, a new snapshot copy for volumes.',
              'Where it cannot be, write down that the old material stays in use.',
            ],
          },
          details: {
            material: plain(material, 128),
            retired_at: iso(retiredAt),
            calls,
            caller_count: callers.length,
            callers: [...new Set(uses.map(({ actor }) => plain(actor.id, 256)))].sort().slice(0, 10),
          },
          ...(asOf >= quiet ? { resolved: { at: quiet, reason: `The material was not used for ${params.quietDays} days.` } } : {}),
        },
      ];
    });
  },
});

/** When each material was replaced by another one, and by which event. */
function retirements({ timeline }: KeySubject): Map<string, { retiredAt: number; eventId: string }> {
  const found = new Map<string, { retiredAt: number; eventId: string }>();
  for (const { event, before, after } of timeline) {
    if (event.outcome !== 'ok') continue;
    const now = after.keyMaterialId?.value ?? null;
    const old = event.detail?.previousKeyMaterialId ?? before.keyMaterialId?.value ?? null;
    if (now === null) continue;
    found.delete(now);
    if (old !== null && old !== now && !found.has(old)) found.set(old, { retiredAt: event.eventTime, eventId: event.eventId });
  }
  return found;
}
