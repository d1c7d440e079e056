import { z } from 'zod';
import { accountShape, accountsShape, checkAccount, checkAccounts } from '../account-config.ts';

/** How much of an account's event history is asked for. */
export const LOOKUP_MODES = ['all', 'write-only', 'operations'] as const;

/** CloudTrail keeps event history for this long (https://docs.aws.amazon.com/awscloudtrail/latest/userguide/view-cloudtrail-events.html). */
export const KEPT_DAYS = 90;

const operation = z.string().regex(/^[A-Za-z0-9]{1,128}$/, 'must be the name of an API operation, as in PutKeyPolicy');

const accountSchema = z
  .strictObject({
    ...accountShape,
    mode: z.enum(LOOKUP_MODES).optional(),
    operations: z.array(operation).min(1).max(20).optional(),
  })
  .superRefine((value, context) => {
    const { addIssue } = context;
    checkAccount(value, context);
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
    ...accountsShape,
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
  .superRefine(checkAccounts);

export type LookupEventsConfig = z.output<typeof lookupEventsSchema>;
