import { z } from 'zod';
import type { StoredEvent } from '../../core/event.ts';
import { defineEventDetector } from '../contract.ts';
import type { Context, KeySubject } from '../contract.ts';
import { policyChanges } from '../policy-change.ts';
import { callerFirst, deed, eventMatch, isAws, keyArguments, keyName, moment, plain } from '../wording.ts';

interface Danger {
  readonly id: 'disabled' | 'deletion' | 'material' | 'policy' | 'alias';
  /** What was done and what that does to the logs; operations without one only mend. */
  readonly harm?: readonly [deed: string, effect: string];
  readonly mends?: string;
}

const UNUSABLE = 'Until the same material is imported again, no log can be written or read under it.';

const OPERATIONS: ReadonlyMap<string, Danger> = new Map<string, Danger>([
  ['DisableKey', { id: 'disabled', harm: ['disabled a key', 'Until it is enabled, no log can be written or read under it.'] }],
  ['EnableKey', { id: 'disabled', mends: 'The key was enabled again' }],
  [
    'ScheduleKeyDeletion',
    {
      id: 'deletion',
      harm: ['scheduled a key for deletion', 'From now on no log can be written or read under it; once it is deleted, never again.'],
    },
  ],
  [
    'DeleteKey',
    { id: 'deletion', harm: ['deleted a key at the end of its waiting window', 'Logs that were written under it cannot be read again.'] },
  ],
  ['CancelKeyDeletion', { id: 'deletion', mends: 'The deletion was cancelled (the key is left disabled until EnableKey)' }],
  ['DeleteImportedKeyMaterial', { id: 'material', harm: ['deleted the imported material of a key', UNUSABLE] }],
  ['DeleteExpiredKeyMaterial', { id: 'material', harm: ['deleted the expired imported material of a key', UNUSABLE] }],
  ['ImportKeyMaterial', { id: 'material', mends: 'Key material was imported again' }],
  [
    'PutKeyPolicy',
    {
      id: 'policy',
      harm: ['changed the policy of a key', 'CloudTrail or the readers of the logs may have lost access, or others gained it.'],
      mends: 'The earlier policy was put back',
    },
  ],
  ['DeleteAlias', { id: 'alias', harm: ['deleted an alias of a key', 'Whatever names the key by that alias fails.'] }],
  ['CreateAlias', { id: 'alias', mends: 'The alias was made again' }],
]);

/** CloudTrail and its key: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/encrypting-cloudtrail-log-files-with-aws-kms.html */
export default defineEventDetector({
  id: 'log-key-endangered',
  title: 'KMS key that protects the audit logs is endangered',
  severity: 'critical',
  status: 'stable',
  family: 'deletion',
  kind: 'event',
  subject: 'key',
  // The trail's own records name its key: they are no danger by themselves, but without them the key is not known to protect logs.
  events: [...[...OPERATIONS.keys()].map((operation) => `kms:${operation}`), 'cloudtrail:CreateTrail', 'cloudtrail:UpdateTrail'],
  params: z.strictObject({}),
  techniques: ['T1562.008', 'T1485'],
  blindSpots: [
    'Which key protects the logs is known from CreateTrail and UpdateTrail, from the encryption context of CloudTrail calls, and from log_keys in the configuration.',
  ],
  falsePositives: ['A planned change of the log key or its policy.'],

  dedupKey(event, subject) {
    const danger = OPERATIONS.get(event.operation);
    return danger?.id === 'alias' ? [subject.arn, 'alias', event.otherKey?.id ?? ''] : [subject.arn, danger?.id ?? event.operation];
  },

  evaluate({ event }, subject, context) {
    const danger = OPERATIONS.get(event.operation);
    const known = protection(subject, context);
    if (danger?.harm === undefined || known === null) return null;
    if (danger.id === 'policy' && (isAws(event.actor) || !isPolicyChange(event, subject))) return null;
    const [done, effect] = danger.harm;
    const alias = danger.id === 'alias' && event.otherKey !== null ? ` (${plain(event.otherKey.id)})` : '';
    return eventMatch(event, {
      explanation: {
        what: `${callerFirst(event)} ${done}${alias} on ${moment(event.eventTime)}: ${keyName(subject)}, which protects the audit logs. ${effect}`,
        why: `${known} Expected are no such operations on a log key outside a planned change: who blinds or destroys the logs hides what comes next.`,
        benign: 'A planned change of the log key, with logging moved to another key before.',
        now: [
          'Check that logs still arrive: aws cloudtrail get-trail-status --name TRAIL',
          ...remedy(danger.id, subject),
          'Revoke the sessions of the caller if nobody asked for this, and look at everything else it did.',
        ],
      },
      details: { danger: danger.id, known_from: known, alias: danger.id === 'alias' ? plain(event.otherKey?.id ?? '', 256) : null },
    });
  },

  mends({ event }, subject) {
    const sentence = OPERATIONS.get(event.operation)?.mends;
    if (sentence === undefined) return null;
    if (event.operation === 'PutKeyPolicy' && policyChanges(subject).get(event)?.verdict !== 'restored') return null;
    return `${sentence}: ${deed(event)}.`;
  },
});

function protection(subject: KeySubject, context: Context<unknown>): string | null {
  if (context.organization.logKeys.has(subject.arn)) return 'The configuration names this key among the log keys.';
  return subject.protectsLogs ? 'CloudTrail was seen to encrypt its logs under this key.' : null;
}

function isPolicyChange(event: StoredEvent, subject: KeySubject): boolean {
  const verdict = policyChanges(subject).get(event)?.verdict;
  return verdict !== 'same' && verdict !== 'restored';
}

function remedy(danger: Danger['id'], subject: KeySubject): string[] {
  const named = keyArguments(subject);
  if (danger === 'disabled') return [`Enable it: aws kms enable-key ${named}`];
  if (danger === 'deletion') return [`Stop the deletion: aws kms cancel-key-deletion ${named}`, `Enable it: aws kms enable-key ${named}`];
  if (danger === 'material')
    return [
      `Import the same material again, beginning with: aws kms get-parameters-for-import ${named} --wrapping-algorithm RSAES_OAEP_SHA_256 --wrapping-key-spec RSA_4096`,
    ];
  if (danger === 'policy')
    return [
      `Read the policy: aws kms get-key-policy ${named} --policy-name default`,
      `Put the old one back: aws kms put-key-policy ${named} --policy-name default --policy file://policy.json`,
    ];
  return [`Make the alias again: aws kms create-alias --alias-name ALIAS --target-key-id ${named.slice('--key-id '.length)}`];
}
