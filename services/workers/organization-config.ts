/** The configuration's `organization` section: what only people can know. */
import { z } from 'zod';

const account = z.string().regex(/^\d{12}$/, 'must be a 12-digit AWS account number');
const keyArn = z.string().regex(/^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/\S+$/, 'must be the ARN of a KMS key');
const region = z.string().regex(/^[a-z]{2,5}(-[a-z]{2,10}){1,3}-\d{1,2}$/, 'must be an AWS Region, as in eu-west-1');
const bucket = z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'must be the name of an S3 bucket');
const role = z
  .string()
  .regex(/^(arn:aws[a-z-]*:iam::\d{12}:role\/)?[\w+=,.@/-]{1,512}$/, 'must be the name or the ARN of an IAM role')
  .transform(withoutPath);
const resource = z
  .string()
  .regex(
    /^arn:aws[a-z-]*:(sqs:[a-z0-9-]+:\d{12}:[\w-]+(\.fifo)?|events:[a-z0-9-]+:\d{12}:rule\/[\w./-]+|iam::\d{12}:role\/[\w+=,.@/-]+)$/,
    'must be the ARN of an SQS queue, an EventBridge rule or an IAM role',
  );
const clock = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time of day in UTC, as in 20:30');

export const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

const weekly = z.strictObject({ name: z.string().min(1).max(100), weekdays: z.array(z.enum(WEEKDAYS)).min(1), from: clock, to: clock });
const once = z
  .strictObject({ name: z.string().min(1).max(100), begins: z.iso.datetime(), ends: z.iso.datetime() })
  .refine(({ begins, ends }) => Date.parse(begins) < Date.parse(ends), 'must begin before it ends');

const key = z
  .strictObject({
    arn: keyArn.optional(),
    tag: z.strictObject({ key: z.string().min(1).max(128), value: z.string().max(256) }).optional(),
    criticality: z.enum(['critical', 'high', 'medium', 'low']).optional(),
    owner: z.string().min(1).max(200).optional(),
  })
  .refine(({ arn, tag }) => (arn === undefined) !== (tag === undefined), 'must name either an arn or a tag');

export const organizationSchema = z
  .strictObject({
    accounts: z
      .array(account)
      .default([])
      .meta({ description: 'AWS accounts that are ours.', examples: [['111122223333']] }),
    trusted_accounts: z
      .array(account)
      .default([])
      .meta({ description: 'Accounts of others that may have access to keys, such as partners and vendors.' }),
    organization_ids: z
      .array(z.string().regex(/^o-[a-z0-9]{10,32}$/, 'must be the id of an AWS Organization, as in o-a1b2c3d4e5'))
      .default([])
      .meta({ description: 'Ids of our AWS Organizations: a key policy that lets one of them in lets in nobody else.' }),
    allowed_regions: z
      .array(region)
      .default([])
      .meta({ description: 'Regions that keys may be in. Empty: all of them.', examples: [['eu-west-1', 'eu-central-1']] }),
    break_glass_roles: z.array(role).default([]).meta({ description: 'Roles for emergencies, by name or ARN.' }),
    pipeline_roles: z
      .array(role)
      .default([])
      .meta({ description: 'Roles that deploy, by name or ARN: many policy changes of theirs in an hour are no tampering.' }),
    keys: z
      .array(key)
      .default([])
      .meta({
        description: 'How much keys matter, and to whom: each with `arn`, or `tag` (`key` and `value`), and `criticality` and `owner`.',
        examples: [[{ tag: { key: 'data', value: 'customer' }, criticality: 'critical', owner: 'team-crm' }]],
      }),
    change_windows: z
      .array(z.union([weekly, once]))
      .default([])
      .meta({
        description:
          'When changes are planned: each a `name` with `weekdays`, `from` and `to` (UTC), or with `begins` and `ends`. Findings name the window; nothing is excused by it.',
        examples: [[{ name: 'weekly release', weekdays: ['tue'], from: '20:00', to: '22:00' }]],
      }),
    log_keys: z
      .array(keyArn)
      .default([])
      .meta({ description: 'KMS keys that encrypt CloudTrail logs or their buckets, besides those that events show.' }),
    log_buckets: z
      .array(bucket)
      .default([])
      .meta({ description: "Buckets with CloudTrail logs, besides those of the account's own trails and of the source s3_trail." }),
    monitor: z
      .array(resource)
      .default([])
      .meta({
        description:
          'Queues, EventBridge rules and roles that kmswatch lives on, by ARN, besides the queues and roles that the sources name.',
        examples: [['arn:aws:events:eu-west-1:111122223333:rule/kmswatch']],
      }),
  })
  .prefault({})
  .meta({ description: 'What kmswatch should know about the organization.' });

/** Events name a role by ARN and without its path. */
function withoutPath(named: string): string {
  const at = named.indexOf(':role/');
  const name = named.slice(named.lastIndexOf('/') + 1);
  return at < 0 ? name : `${named.slice(0, at)}:role/${name}`;
}
