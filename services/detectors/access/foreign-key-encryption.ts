import { z } from 'zod';
import { earliest, habitEvidence, latest, totalCount } from '../baseline.ts';
import { defineWindowDetector, type KeySubject, type Organization } from '../contract.ts';
import { actorName, argument, count, iso, keyId, listed, moment, plain } from '../wording.ts';

const ENCRYPTING = new Set([
  'Encrypt',
  'ReEncrypt',
  'GenerateDataKey',
  'GenerateDataKeyWithoutPlaintext',
  'GenerateDataKeyPair',
  'GenerateDataKeyPairWithoutPlaintext',
]);

/** Names that storage services put into the encryption context; https://docs.aws.amazon.com/kms/latest/developerguide/encrypt_context.html */
const STORAGE = /(?:^|,)aws:(?:s3|ebs|rds|dynamodb|elasticfilesystem|redshift|backup):/;

/** Data of ours is being encrypted under a key that we do not control: how ransomware works in S3 and EBS, seen in KMS events alone. */
export default defineWindowDetector({
  id: 'foreign-key-encryption',
  title: 'Stored data is being encrypted under a KMS key of another account',
  severity: 'critical',
  status: 'test',
  family: 'access',
  kind: 'window',
  subject: 'key',
  events: ['kms:*'],
  params: z.strictObject({}),
  techniques: ['T1486'],
  blindSpots: [
    'Keys of accounts that the configuration names, or whose own log is ingested and no accounts are configured, count as ours.',
    'SSE-C: S3 encrypts under a key that the caller sends along, and KMS is not asked.',
    'Reads of what was encrypted so are not looked at.',
  ],
  falsePositives: [
    'Data that is written on purpose into the bucket or under the key of a partner or of a central account: name that account under organization.accounts.',
  ],

  evaluate(subject, { organization }) {
    if (isOurs(subject, organization)) return [];
    const habits = (subject.habits ?? []).filter(
      ({ actor, profile }) =>
        profile.account !== null &&
        profile.account !== subject.account &&
        isOwn(profile.account, organization) &&
        (actor.account === null || actor.account === profile.account) &&
        ENCRYPTING.has(profile.operation) &&
        STORAGE.test(profile.contextShape ?? ''),
    );
    return [...Map.groupBy(habits, ({ profile }) => profile.account ?? '')].map(([account, own]) => {
      const [at, until, calls] = [earliest(own), latest(own), totalCount(own)];
      const callers = [...new Set(own.map(({ actor }) => actorName(actor)))].sort();
      const shapes = [...new Set(own.map(({ profile }) => profile.contextShape ?? ''))].sort();
      return {
        dedupKey: [subject.arn, account],
        at,
        until,
        occurrences: calls,
        actor: own[0]?.actor.id ?? null,
        evidence: habitEvidence(own),
        explanation: {
          what: `In account ${plain(account, 32)}, ${listed(callers, 3)} encrypted stored data under key ${keyId(subject.arn)} of account ${plain(subject.account, 32)}: ${count(calls, 'call')} since ${moment(at)}, with encryption contexts of the form ${listed(shapes, 3)}.`,
          why: `Account ${plain(subject.account, 32)} is none of ours as far as configuration and logs tell, and whoever holds the key decides who reads the data. Observed: ${count(calls, 'encrypting call')}; expected: 0.`,
          benign: 'The data goes to a partner or to a central account on purpose; name that account under organization.accounts.',
          now: [
            `Stop the caller: revoke its sessions, or deny it kms:GenerateDataKey and kms:Encrypt on ${argument(subject.arn, 'KEY_ARN')}.`,
            `See which data it was; the encryption context names it: aws cloudtrail lookup-events --lookup-attributes AttributeKey=ResourceName,AttributeValue=${argument(subject.arn, 'KEY_ARN')} --start-time ${iso(at)} --region ${argument(subject.region, 'REGION')}`,
            'Save what is still there: suspend lifecycle rules and deletions, keep older object versions and snapshots, copy them under a key of yours.',
            'Forbid it for good: a service control policy that denies encryption under keys of other accounts.',
          ],
        },
        details: {
          foreign_account: subject.account,
          account,
          calls,
          caller_count: callers.length,
          context_shapes: shapes.slice(0, 10).map((shape) => plain(shape, 120)),
          operations: [...new Set(own.map(({ profile }) => plain(profile.operation, 64)))].sort(),
        },
      };
    });
  },
});

function isOwn(account: string, { ownAccounts }: Organization): boolean {
  return ownAccounts.size === 0 || ownAccounts.has(account);
}

function isOurs({ account, timeline, habits = [] }: KeySubject, { ownAccounts }: Organization): boolean {
  if (ownAccounts.size > 0) return ownAccounts.has(account);
  return timeline.some(({ event }) => event.account === account) || habits.some(({ profile }) => profile.account === account);
}
