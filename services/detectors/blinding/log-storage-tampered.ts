import { z } from 'zod';
import type { About } from '../../core/about.ts';
import type { StoredEvent } from '../../core/event.ts';
import type { Severity } from '../../core/severity.ts';
import { type AccountSubject, type Context, defineEventDetector, type Organization } from '../contract.ts';
import { isLogObject, logBucket } from '../log-buckets.ts';
import { oncePer } from '../once-per.ts';
import { circumstances } from '../organization.ts';
import { argument, callerFirst, count, deed, eventMatch, moment, plain } from '../wording.ts';

const DELETES_OBJECTS = new Set(['DeleteObject', 'DeleteObjects']);

/** Protecting log files: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/best-practices-security.html */
export default defineEventDetector({
  id: 'log-storage-tampered',
  title: 'The bucket that keeps the audit logs was tampered with',
  severity: 'high',
  status: 'stable',
  family: 'blinding',
  kind: 'event',
  subject: 'account',
  events: [
    'PutBucketPolicy',
    'DeleteBucketPolicy',
    'PutBucketLifecycle',
    'PutBucketLifecycleConfiguration',
    'DeleteBucketLifecycle',
    'PutBucketVersioning',
    'PutBucketReplication',
    'DeleteBucketReplication',
    'DeleteBucket',
    'DeleteObject',
    'DeleteObjects',
  ]
    .map((operation) => `s3:${operation}`)
    .concat('cloudtrail:CreateTrail', 'cloudtrail:UpdateTrail'),
  params: z.strictObject({
    retentionDays: z.int().min(1).max(36_500).default(365),
  }),
  techniques: ['T1562.008', 'T1070', 'T1485'],
  blindSpots: [
    'A bucket whose trail belongs to another account and that organization.log_buckets does not name.',
    'Deletion of objects is logged only where a trail takes S3 data events of the bucket.',
    'What a bucket policy allows is not judged, only that it is another one.',
  ],
  falsePositives: ['A planned change of the log bucket, such as a policy for a new account of the organization.'],

  /** There may be millions of deleted objects a day in other buckets. */
  concerns: ({ service, operation, resource, part }: About, organization: Organization) =>
    service !== 's3' ||
    !DELETES_OBJECTS.has(operation) ||
    (resource !== null && organization.logBuckets?.has(resource) === true) ||
    (part !== null && isLogObject(part)),

  dedupKey: (event) => [event.account, event.detail?.resource ?? '(not named)', aspectOf(event.operation)],

  evaluate({ event }, subject, context) {
    const known = knownBucket(event, subject, context.organization);
    const harm = known === null ? null : harmOf(event, subject, context);
    if (known === null || harm === null) return null;
    const bucket = plain(event.detail?.resource ?? '(not named)', 80);
    return eventMatch(event, {
      ...(harm.severity === undefined ? {} : { severity: harm.severity }),
      explanation: {
        what: `${callerFirst(event)} ${harm.done} bucket ${bucket} on ${moment(event.eventTime)}. ${harm.effect}`,
        why: `${known} Expected is that a bucket with audit logs keeps its policy, its versions, its copies and every object for ${count(context.params.retentionDays, 'day')}: what is gone from it cannot prove anything any more.`,
        benign: 'A planned change of the log bucket under a change request.',
        now: [
          ...harm.now,
          'Check what is missing: kmswatch verify compares log files with the digests that CloudTrail signed.',
          'Ask the caller; if nobody knows of it, revoke its sessions and look at everything else it did.',
        ],
      },
      details: {
        bucket: event.detail?.resource ?? null,
        aspect: aspectOf(event.operation),
        known_from: known,
        object: event.detail?.part ?? null,
        expiry_days: event.detail?.expiryDays ?? null,
        retention_days: context.params.retentionDays,
        ...circumstances(context.organization, event),
      },
    });
  },

  mends({ event }, subject, context) {
    const aspect = aspectOf(event.operation);
    if (event.service !== 's3' || knownBucket(event, subject, context.organization) === null) return null;
    if (harmOf(event, subject, context) !== null || aspect === 'objects' || aspect === 'bucket') return null;
    if (aspect === 'policy') return policies(subject).get(event) === 'restored' ? `The earlier policy was put back: ${deed(event)}.` : null;
    return `The bucket's ${aspect} is in order again: ${deed(event)}.`;
  },
});

function aspectOf(operation: string): string {
  if (operation.endsWith('Policy')) return 'policy';
  if (operation.includes('Lifecycle')) return 'lifecycle';
  if (operation.endsWith('Versioning')) return 'versioning';
  if (operation.endsWith('Replication')) return 'replication';
  return operation === 'DeleteBucket' ? 'bucket' : 'objects';
}

/** CloudTrail's own folders tell a bucket with logs too. */
function knownBucket({ service, detail }: StoredEvent, subject: AccountSubject, organization: Organization): string | null {
  if (service !== 's3' || detail?.resource === undefined) return null;
  const named = logBucket(detail.resource, subject, organization);
  return named ?? (detail.part !== undefined && isLogObject(detail.part) ? "The object's name is that of a CloudTrail log file." : null);
}

interface Harm {
  readonly severity?: Severity;
  readonly done: string;
  readonly effect: string;
  readonly now: readonly string[];
}

function harmOf(event: StoredEvent, subject: AccountSubject, { params }: Context<{ readonly retentionDays: number }>): Harm | null {
  const { detail, operation } = event;
  const bucket = `--bucket ${argument(detail?.resource ?? '', 'LOG_BUCKET')}`;
  switch (operation) {
    case 'PutBucketPolicy': {
      const verdict = policies(subject).get(event);
      if (verdict === 'same' || verdict === 'restored') return null;
      return {
        ...(verdict === 'first' ? { severity: 'medium' as const } : {}),
        done: 'set the policy of',
        effect: `CloudTrail may be kept out of it, or somebody else let in.${verdict === 'first' ? ' What it was before is not in the records.' : ''}`,
        now: [
          `Read the policy: aws s3api get-bucket-policy ${bucket}`,
          `Put the earlier one back: aws s3api put-bucket-policy ${bucket} --policy file://policy.json`,
        ],
      };
    }
    case 'DeleteBucketPolicy':
      return {
        done: 'deleted the policy of',
        effect: 'Without it CloudTrail cannot deliver to the bucket.',
        now: [`Put the policy back: aws s3api put-bucket-policy ${bucket} --policy file://policy.json`],
      };
    case 'PutBucketLifecycle':
    case 'PutBucketLifecycleConfiguration':
      if (detail?.expiryDays === undefined || detail.expiryDays >= params.retentionDays) return null;
      return {
        done: `set a lifecycle of ${count(detail.expiryDays, 'day')} on`,
        effect: `S3 deletes the logs after ${count(detail.expiryDays, 'day')}, and logs no call for it.`,
        now: [
          `Delete the rule: aws s3api delete-bucket-lifecycle ${bucket}`,
          `Look for versions that are left: aws s3api list-object-versions ${bucket} --max-items 50`,
        ],
      };
    case 'PutBucketVersioning':
      if (detail?.setTo === 'Enabled') return null;
      return {
        done: 'suspended the versioning of',
        effect: 'Objects that are deleted or overwritten from now on are gone.',
        now: [`Enable it: aws s3api put-bucket-versioning ${bucket} --versioning-configuration Status=Enabled`],
      };
    case 'PutBucketReplication':
      if (detail?.setTo !== 'Disabled') return null;
      return {
        done: 'switched off the replication of',
        effect: 'New logs are no longer copied to the other bucket.',
        now: replicationBack(bucket),
      };
    case 'DeleteBucketReplication':
      return {
        done: 'removed the replication of',
        effect: 'New logs are no longer copied to the other bucket.',
        now: replicationBack(bucket),
      };
    case 'DeleteBucket':
      return {
        done: 'deleted',
        effect: 'S3 deletes only empty buckets, so its objects are gone too, and CloudTrail can deliver no more.',
        now: ['Make the bucket again under the same name before somebody else does, with the policy for CloudTrail.'],
      };
    case 'DeleteObject':
    case 'DeleteObjects':
      return {
        done: `deleted ${operation === 'DeleteObjects' ? 'objects' : `object ${plain(detail?.part ?? '(not named)', 200)}`} from`,
        effect: 'In a bucket with versions the object can be brought back.',
        now: [`Look for what was deleted: aws s3api list-object-versions ${bucket} --max-items 50`],
      };
    default:
      return null;
  }
}

function replicationBack(bucket: string): string[] {
  return [`Set it again: aws s3api put-bucket-replication ${bucket} --replication-configuration file://replication.json`];
}

/** `first`: nothing was known before. */
type Verdict = 'same' | 'restored' | 'changed' | 'first';

/** Each PutBucketPolicy against the policy before it, by digest: the same again, the one before a change put back, or another one. */
const policies = oncePer((subject: AccountSubject): ReadonlyMap<StoredEvent, Verdict> => {
  const known = new Map<string, { now: string; before: string | null }>();
  const verdicts = new Map<StoredEvent, Verdict>();
  for (const event of subject.timeline) {
    const { resource: bucket, policyDigest: digest } = event.detail ?? {};
    if (event.operation !== 'PutBucketPolicy' || event.outcome !== 'ok' || bucket === undefined) continue;
    const last = known.get(bucket);
    const same = digest !== undefined && digest === last?.now;
    const restored = digest !== undefined && digest === last?.before;
    verdicts.set(event, same ? 'same' : restored ? 'restored' : last === undefined ? 'first' : 'changed');
    if (!same && digest !== undefined) known.set(bucket, { now: digest, before: last?.now ?? null });
  }
  return verdicts;
});
