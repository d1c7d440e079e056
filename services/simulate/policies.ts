/** Key policies as the company's Terraform modules write them. */
type Statement = Readonly<Record<string, unknown>>;

function policyOf(statements: readonly Statement[]): string {
  return JSON.stringify({ Version: '2012-10-17', Id: 'larkspur-key', Statement: statements });
}

function administration(account: string): Statement {
  return { Sid: 'EnableIAMPolicies', Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${account}:root` }, Action: 'kms:*', Resource: '*' };
}

/** The account decides by IAM policies; AWS's own default. */
export function accountPolicy(account: string): string {
  return policyOf([administration(account)]);
}

/** A role of the same account may use the key as well. */
export function rolePolicy(account: string, role: string): string {
  return policyOf([
    administration(account),
    {
      Sid: 'UseByRole',
      Effect: 'Allow',
      Principal: { AWS: `arn:aws:iam::${account}:role/${role}` },
      Action: ['kms:Decrypt', 'kms:GenerateDataKey*', 'kms:DescribeKey'],
      Resource: '*',
    },
  ]);
}

/** Open to everyone: the condition was forgotten. */
export function openPolicy(account: string): string {
  return policyOf([
    administration(account),
    {
      Sid: 'UseByPreviewEnvironments',
      Effect: 'Allow',
      Principal: { AWS: '*' },
      Action: ['kms:Decrypt', 'kms:GenerateDataKey*', 'kms:DescribeKey'],
      Resource: '*',
    },
  ]);
}

/** What was meant by `openPolicy`: the roles of one account only. */
export function narrowedPolicy(account: string): string {
  return policyOf([
    administration(account),
    {
      Sid: 'UseByPreviewEnvironments',
      Effect: 'Allow',
      Principal: { AWS: '*' },
      Action: ['kms:Decrypt', 'kms:GenerateDataKey*', 'kms:DescribeKey'],
      Resource: '*',
      Condition: { StringEquals: { 'aws:PrincipalAccount': account } },
    },
  ]);
}

/** CloudTrail may encrypt for every account of the organization; readers come through the security account. */
export function trailPolicy(account: string, trailAccounts: readonly string[], readers: readonly string[]): string {
  return policyOf([
    administration(account),
    {
      Sid: 'EncryptByCloudTrail',
      Effect: 'Allow',
      Principal: { Service: 'cloudtrail.amazonaws.com' },
      Action: 'kms:GenerateDataKey*',
      Resource: '*',
      Condition: {
        StringEquals: { 'aws:SourceArn': `arn:aws:cloudtrail:us-east-1:${account}:trail/larkspur-org` },
        StringLike: { 'kms:EncryptionContext:aws:cloudtrail:arn': trailAccounts.map((id) => `arn:aws:cloudtrail:*:${id}:trail/*`) },
      },
    },
    { Sid: 'ReadLogs', Effect: 'Allow', Principal: { AWS: readers }, Action: ['kms:Decrypt', 'kms:DescribeKey'], Resource: '*' },
  ]);
}

/** The partner's account may read what was exported for it. */
export function partnerPolicy(account: string, partner: string): string {
  return policyOf([
    administration(account),
    {
      Sid: 'ReadByPartner',
      Effect: 'Allow',
      Principal: { AWS: `arn:aws:iam::${partner}:role/order-import` },
      Action: 'kms:Decrypt',
      Resource: '*',
      Condition: { StringEquals: { 'kms:ViaService': 's3.us-east-1.amazonaws.com' } },
    },
  ]);
}
