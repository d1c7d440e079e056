/** Fields by which configuration names accounts, Regions and roles; sources that read account by account share them. */
import { z } from 'zod';

export const accountField = z.string().regex(/^\d{12}$/, 'must be a 12-digit AWS account number');
export const regionField = z.string().regex(/^[a-z]{2,5}(-[a-z]{2,10}){1,3}-\d{1,2}$/, 'must be an AWS Region, as in eu-west-1');
export const roleArnField = z.string().regex(/^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]{1,512}$/, 'must be the ARN of an IAM role');
export const roleNameField = z.string().regex(/^[\w+=,.@/-]{1,512}$/, 'must be the name of an IAM role');
export const externalIdField = z.string().regex(/^[\w+=,.@:/-]{2,1224}$/, 'must be an external id as IAM allows it');

/** Fields of one account; a source adds its own. */
export const accountShape = {
  account: accountField,
  role_arn: roleArnField.optional(),
  external_id: externalIdField.optional(),
  regions: z.array(regionField).min(1).max(64).optional(),
};

/** Fields that hold for every account that says nothing else. */
export const accountsShape = {
  role_name: roleNameField.optional().meta({
    description: 'Role that is assumed in each account without a `role_arn`. Without it, such accounts are read with our own credentials.',
    examples: ['kmswatch-reader'],
  }),
  external_id: externalIdField.optional().meta({ description: 'External id that the roles ask for.', examples: ['kmswatch-7f3c'] }),
  regions: z
    .array(regionField)
    .max(64)
    .default([])
    .meta({ description: 'Regions of accounts that name none.', examples: [['eu-west-1', 'us-east-1']] }),
};

interface AccountFields {
  readonly account: string;
  readonly role_arn?: string | undefined;
  readonly regions?: readonly string[] | undefined;
}

/** For `superRefine` of one account: what its fields do not say alone. */
export function checkAccount(value: AccountFields, context: z.core.$RefinementCtx): void {
  if (value.role_arn !== undefined && value.role_arn.split(':')[4] !== value.account)
    context.addIssue({ code: 'custom', path: ['role_arn'], message: 'must be a role of the same account' });
}

/** For `superRefine` of the whole section. */
export function checkAccounts(
  { accounts, regions }: { readonly accounts: readonly AccountFields[]; readonly regions: readonly string[] },
  context: z.core.$RefinementCtx,
): void {
  const seen = new Set<string>();
  for (const [index, each] of accounts.entries()) {
    if (each.regions === undefined && regions.length === 0)
      context.addIssue({
        code: 'custom',
        path: ['accounts', index, 'regions'],
        message: 'must name Regions, for there are no common ones',
      });
    if (seen.has(each.account)) context.addIssue({ code: 'custom', path: ['accounts', index, 'account'], message: 'is there twice' });
    seen.add(each.account);
  }
}
