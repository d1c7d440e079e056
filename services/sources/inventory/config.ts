import { z } from 'zod';
import { accountShape, accountsShape, checkAccount, checkAccounts } from '../account-config.ts';

const accountSchema = z.strictObject(accountShape).superRefine(checkAccount);

export const inventorySchema = z
  .strictObject({
    accounts: z
      .array(accountSchema)
      .min(1)
      .max(10_000)
      .meta({
        description: 'Accounts whose keys are read: each `account`, with `role_arn`, `external_id` and `regions` where they differ.',
        examples: [[{ account: '111122223333' }]],
      }),
    ...accountsShape,
    every_hours: z.int().min(1).max(168).default(24).meta({ description: 'Time between two readings of an account and Region, hours.' }),
    requests_per_second: z
      .int()
      .min(1)
      .max(100)
      .default(50)
      .meta({ description: 'Requests to KMS a second, account and Region. The lowest of the quotas that others share is 100.' }),
    places: z.int().min(1).max(64).default(4).meta({ description: 'Accounts and Regions that one process reads at a time.' }),
    drift_grace_minutes: z.int().min(5).max(1440).default(30).meta({
      description: 'How late events may come before a difference between them and the inventory counts as drift, minutes.',
    }),
  })
  .superRefine(checkAccounts);

export type InventoryConfig = z.output<typeof inventorySchema>;
