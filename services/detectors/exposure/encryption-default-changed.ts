import { z } from 'zod';
import { keyRef, parseKmsArn } from '../../core/arn.ts';
import type { StoredEvent } from '../../core/event.ts';
import { defineEventDetector, type Organization } from '../contract.ts';
import { circumstances, isTrusted } from '../organization.ts';
import { argument, callerFirst, deed, eventMatch, keyId, moment, plain } from '../wording.ts';

/** Calls that set under which key data is encrypted from now on. */
const EBS_EVENTS = [
  'ec2:DisableEbsEncryptionByDefault',
  'ec2:EnableEbsEncryptionByDefault',
  'ec2:ModifyEbsDefaultKmsKeyId',
  'ec2:ResetEbsDefaultKmsKeyId',
];
const BUCKET_EVENTS = ['s3:PutBucketEncryption', 's3:DeleteBucketEncryption'];
const DATABASE_EVENTS = [
  'rds:CopyDBSnapshot',
  'rds:CopyDBClusterSnapshot',
  'rds:RestoreDBInstanceFromDBSnapshot',
  'rds:RestoreDBClusterFromSnapshot',
];

/** EBS: https://docs.aws.amazon.com/ebs/latest/userguide/encryption-by-default.html; S3: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-encryption.html */
export default defineEventDetector({
  id: 'encryption-default-changed',
  title: 'Encryption by default was switched off, or moved to another KMS key',
  severity: 'high',
  status: 'stable',
  family: 'exposure',
  kind: 'event',
  subject: 'account',
  events: [...EBS_EVENTS, ...BUCKET_EVENTS, ...DATABASE_EVENTS],
  params: z.strictObject({}),
  techniques: ['T1486', 'T1562.007'],
  blindSpots: [
    'Whether a key of our own account exists and is fit for its purpose is not looked at.',
    'Single objects that are written under another key: ransom of that kind shows in foreign-key-encryption.',
    'What was set before the records begin.',
  ],
  falsePositives: [
    'A planned move to another key of our own.',
    'A key in an account of the organization that the configuration does not name.',
  ],

  dedupKey: (event) => [event.account, event.region, ...caseOf(event)],

  evaluate({ event }, _subject, { organization }) {
    const danger = dangerOf(event, organization);
    if (danger === null) return null;
    return eventMatch(event, {
      title: danger.title,
      explanation: {
        what: `${callerFirst(event)} called ${event.operation} in ${plain(event.region, 32)} on ${moment(event.eventTime)}: ${danger.what}.`,
        why: danger.why,
        benign: danger.benign,
        now: [...danger.now, 'Ask the caller for the change request.'],
      },
      details: {
        resource: event.detail?.resource ?? null,
        key: event.detail?.kmsKeyId ?? null,
        key_account: foreignAccount(event, organization),
        ...circumstances(organization, event),
      },
    });
  },

  mends({ event }, _subject, { organization }) {
    if (event.operation === 'EnableEbsEncryptionByDefault') return `Encryption by default is on again: ${deed(event)}.`;
    if (event.operation === 'ResetEbsDefaultKmsKeyId') return `The default key of EBS is AWS's own again: ${deed(event)}.`;
    const bucket = BUCKET_EVENTS.includes(`${event.service}:${event.operation}`);
    return bucket && dangerOf(event, organization) === null ? `The bucket is encrypted under a key of ours again: ${deed(event)}.` : null;
  },
});

/** What the call is about: whatever undoes it has the same. */
function caseOf(event: StoredEvent): readonly string[] {
  if (event.operation.endsWith('EbsEncryptionByDefault')) return ['ebs'];
  if (event.operation.endsWith('EbsDefaultKmsKeyId')) return ['ebs-key'];
  return [event.service, event.detail?.resource ?? '(not named)'];
}

interface Danger {
  readonly title: string;
  readonly what: string;
  readonly why: string;
  readonly benign: string;
  readonly now: readonly string[];
}

function dangerOf(event: StoredEvent, organization: Organization): Danger | null {
  const region = argument(event.region, 'REGION');
  const foreign = foreignAccount(event, organization);
  switch (event.operation) {
    case 'DisableEbsEncryptionByDefault':
      return {
        title: 'EBS encryption by default was switched off',
        what: 'new volumes and snapshots of the account are no longer encrypted unless the caller says so',
        why: 'What is not encrypted can be shared and read without any key. Expected is that encryption by default, once on, stays on.',
        benign: 'A test account in which nothing needs to be encrypted.',
        now: [`Switch it on again: aws ec2 enable-ebs-encryption-by-default --region ${region}`],
      };
    case 'ModifyEbsDefaultKmsKeyId':
      return {
        title: 'The default KMS key of EBS was changed',
        what: `new volumes are encrypted under ${keyText(event, foreign)}`,
        why: `${whose(foreign)} Whoever controls that key decides whether the volumes can be read. Expected is that the default key changes only by a plan.`,
        benign: 'A planned move to another key of our own.',
        now: [
          `See what is set: aws ec2 get-ebs-default-kms-key-id --region ${region}`,
          `Go back to AWS's own key: aws ec2 reset-ebs-default-kms-key-id --region ${region}`,
        ],
      };
    default:
      return foreign === null ? null : foreignDanger(event, foreign, region);
  }
}

function foreignDanger(event: StoredEvent, foreign: string, region: string): Danger {
  const thing = event.service === 's3' ? 'bucket' : 'database copy';
  const name = plain(event.detail?.resource ?? '(not named)', 120);
  return {
    title: `A ${thing} was put under a KMS key of a foreign account`,
    what: `${thing} ${name} is encrypted under ${keyText(event, foreign)}`,
    why: `${whose(foreign)} Whoever controls that key can take away the data at any time, which is how ransom without malware works. Expected are keys of our own accounts.`,
    benign: 'The account belongs to the organization, and the configuration does not name it.',
    now:
      event.service === 's3'
        ? [
            `See what is set: aws s3api get-bucket-encryption --bucket ${argument(event.detail?.resource ?? '', 'BUCKET')}`,
            `Set a key of ours again: aws s3api put-bucket-encryption --bucket ${argument(event.detail?.resource ?? '', 'BUCKET')} --server-side-encryption-configuration file://encryption.json`,
            'Copy objects that were written meanwhile under a key of ours, while the foreign key still works.',
          ]
        : [
            `Look at the copy: aws rds describe-db-snapshots --region ${region}`,
            'Keep the original: do not delete the instance or snapshot that it was made from.',
          ],
  };
}

/** The account of the key that is set, where that is neither the account itself nor one that is ours or trusted. */
function foreignAccount(event: StoredEvent, organization: Organization): string | null {
  const named = event.detail?.kmsKeyId;
  const key = named === undefined ? null : (parseKmsArn(named) ?? keyRef(named, event.account, event.region));
  return key === null || isTrusted(organization, key.account, event.account) ? null : key.account;
}

function keyText(event: StoredEvent, foreign: string | null): string {
  const named = event.detail?.kmsKeyId;
  if (named === undefined) return 'a key that the record does not name';
  return `key ${keyId(named)}${foreign === null ? '' : ` of account ${plain(foreign, 32)}`}`;
}

function whose(foreign: string | null): string {
  return foreign === null
    ? 'The key is of our own accounts.'
    : `Account ${plain(foreign, 32)} is neither ours nor trusted, as far as the configuration tells.`;
}
