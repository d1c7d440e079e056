import { z } from 'zod';

/** How much of an account's event history is asked for. */
export const LOOKUP_MODES = ['all', 'write-only', 'operations'] as const;

/** CloudTrail keeps event history for this long (https://docs.aws.amazon.com/awscloudtrail/latest/userguide/view-cloudtrail-events.html). */
export const KEPT_DAYS = 90;

const account = z.string().regex(/^\d{12}$/, 'must be a 12-digit AWS account number');
const region = z.string().regex(/^[a-z]{2,5}(-[a-z]{2,10}){1,3}-\d{1,2}$/, 'must be an AWS Region, as in eu-west-1');
const roleArn = z.string().regex(/^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]{1,512}$/, 'must be the ARN of an IAM role');
const roleName = z.string().regex(/^[\w+=,.@/-]{1,512}$/, 'must be the name of an IAM role');
const externalId = z.string().regex(/^[\w+=,.@:/-]{2,1224}$/, 'must be an external id as IAM allows it');
const operation = z.string().regex(/^[A-Za-z0-9]{1,128}$/, 'must be the name of an API operation, as in PutKeyPolicy');

const accountSchema = z
  .strictObject({
    account,
    role_arn: roleArn.optional(),
    external_id: externalId.optional(),
    regions: z.array(region).min(1).max(64).optional(),
    mode: z.enum(LOOKUP_MODES).optional(),
    operations: z.array(operation).min(1).max(20).optional(),
  })
  .superRefine((value, { addIssue }) => {
    if (value.role_arn !== undefined && value.role_arn.split(':')[4] !== value.account)
      addIssue({ code: 'custom', path: ['role_arn'], message: 'must be a role of the same account' });
    if (value.operations !== undefined && value.mode !== 'operations')
      addIssue({ code: 'custom', path: ['operations'], message: 'needs mode: operations' });
    if (value.mode === 'operations' && value.operations === undefined)
      addIssue({ code: 'custom', path: ['operations'], message: 'must name the operations, for mode is operations' });
  });

export const lookupEventsSchema = z
  .strictObject({
    accounts: z
      .array(accountSchema)
      .min(1)
      .max(10_000)
      .meta({
        description:
          'Accounts to poll: each `account`, with `role_arn`, `external_id`, `regions`, `mode` and, in mode operations, `operations` where they differ.',
        examples: [[{ account: '111122223333' }]],
      }),
    role_name: roleName.optional().meta({
      description:
        'Role that is assumed in each account without a `role_arn`. Without it, such accounts are read with our own credentials.',
      examples: ['kmswatch-reader'],
    }),
    external_id: externalId.optional().meta({ description: 'External id that the roles ask for.', examples: ['kmswatch-7f3c'] }),
    regions: z
      .array(region)
      .max(64)
      .default([])
      .meta({ description: 'Regions of accounts that name none.', examples: [['eu-west-1', 'us-east-1']] }),
    mode: z.enum(['all', 'write-only']).default('all').meta({
      description:
        'all: every KMS call. write-only: calls that change something; no Encrypt, Decrypt or GenerateDataKey. operations (for single accounts): named ones.',
    }),
    lookback_days: z
      .int()
      .min(1)
      .max(KEPT_DAYS)
      .default(7)
      .meta({ description: 'How far back an account is read when it is first seen, days.' }),
    overlap_minutes: z.int().min(5).max(360).default(30).meta({
      description: 'How long events may be late and are still found at the next poll; grows by itself where events come later. Minutes.',
    }),
    sweep_hours: z.int().min(1).max(168).default(24).meta({
      description: 'Time between two sweeps over the last day for events that came later still, hours.',
    }),
    poll_seconds: z.int().min(1).max(3600).default(60).meta({ description: 'Time between two polls of an account and Region, seconds.' }),
  })
  .superRefine((value, { addIssue }) => {
    const seen = new Set<string>();
    for (const [index, each] of value.accounts.entries()) {
      if (each.regions === undefined && value.regions.length === 0)
        addIssue({ code: 'custom', path: ['accounts', index, 'regions'], message: 'must name Regions, for there are no common ones' });
      if (seen.has(each.account)) addIssue({ code: 'custom', path: ['accounts', index, 'account'], message: 'is there twice' });
      seen.add(each.account);
    }
  });

export type LookupEventsConfig = z.output<typeof lookupEventsSchema>;
