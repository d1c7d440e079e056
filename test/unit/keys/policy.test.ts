import { describe, expect, test } from 'vitest';
import { analyzePolicy, type PolicyVerdict } from '../../../services/keys/policy.ts';
import { cpuMs } from '../../support/cpu.ts';

const OWN = '111122223333';
const FOREIGN = '444455556666';
const THIRD = '777788889999';
const ORG = 'o-a1b2c3d4e5';

type Json = Record<string, unknown>;

const policy = (...statements: readonly unknown[]): string => JSON.stringify({ Version: '2012-10-17', Statement: statements });

const allow = (principal: unknown, more: Json = {}): Json => ({
  Sid: 'A statement',
  Effect: 'Allow',
  Principal: principal,
  Action: 'kms:Decrypt',
  Resource: '*',
  ...more,
});

const deny = (more: Json = {}): Json => ({ Effect: 'Deny', Principal: '*', Action: 'kms:*', Resource: '*', ...more });

const everyoneIf = (condition: Json): string => policy(allow({ AWS: '*' }, { Condition: condition }));

const everyoneWithout = (...denials: readonly Json[]): string => policy(allow('*'), ...denials);

/** What KMS gives a key that is made without a policy. */
const defaultPolicy = (partition: string) =>
  JSON.stringify({
    Version: '2012-10-17',
    Id: 'key-default-1',
    Statement: [
      {
        Sid: 'Enable IAM User Permissions',
        Effect: 'Allow',
        Principal: { AWS: `arn:${partition}:iam::${OWN}:root` },
        Action: 'kms:*',
        Resource: '*',
      },
    ],
  });

/** What the KMS console writes for a key with administrators and users. */
const CONSOLE_POLICY = JSON.stringify({
  Id: 'key-consolepolicy-3',
  Version: '2012-10-17',
  Statement: [
    allow({ AWS: `arn:aws:iam::${OWN}:root` }, { Action: 'kms:*' }),
    allow({ AWS: `arn:aws:iam::${OWN}:role/key-admin` }, { Action: ['kms:Create*', 'kms:Put*', 'kms:ScheduleKeyDeletion'] }),
    allow(
      { AWS: [`arn:aws:iam::${OWN}:role/payments`] },
      { Action: ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:DescribeKey'] },
    ),
    allow(
      { AWS: [`arn:aws:iam::${OWN}:role/payments`] },
      {
        Action: ['kms:CreateGrant', 'kms:ListGrants', 'kms:RevokeGrant'],
        Condition: { Bool: { 'kms:GrantIsForAWSResource': 'true' } },
      },
    ),
  ],
});

/** What the CloudTrail console writes: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/default-kms-key-policy.html */
const CLOUDTRAIL_POLICY = policy(
  allow({ AWS: [`arn:aws:iam::${OWN}:root`, `arn:aws:iam::${OWN}:user/olga`] }, { Action: 'kms:*' }),
  allow(
    { Service: 'cloudtrail.amazonaws.com' },
    {
      Action: 'kms:GenerateDataKey*',
      Condition: {
        StringEquals: { 'aws:SourceArn': `arn:aws:cloudtrail:eu-west-1:${OWN}:trail/main` },
        StringLike: { 'kms:EncryptionContext:aws:cloudtrail:arn': `arn:aws:cloudtrail:*:${OWN}:trail/*` },
      },
    },
  ),
  allow({ Service: 'cloudtrail.amazonaws.com' }, { Action: 'kms:DescribeKey' }),
  allow(
    { AWS: '*' },
    {
      Action: ['kms:Decrypt', 'kms:ReEncryptFrom'],
      Condition: {
        StringEquals: { 'kms:CallerAccount': OWN },
        StringLike: { 'kms:EncryptionContext:aws:cloudtrail:arn': `arn:aws:cloudtrail:*:${OWN}:trail/*` },
      },
    },
  ),
  allow(
    { AWS: '*' },
    {
      Action: 'kms:CreateAlias',
      Condition: { StringEquals: { 'kms:ViaService': 'ec2.eu-west-1.amazonaws.com', 'kms:CallerAccount': OWN } },
    },
  ),
);

/** The pattern of every AWS managed key, here `aws/secretsmanager`. */
const AWS_MANAGED_POLICY = policy(
  allow(
    { AWS: '*' },
    {
      Action: ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncrypt*', 'kms:CreateGrant', 'kms:DescribeKey'],
      Condition: { StringEquals: { 'kms:CallerAccount': OWN, 'kms:ViaService': 'secretsmanager.eu-west-1.amazonaws.com' } },
    },
  ),
  allow({ AWS: `arn:aws:iam::${OWN}:root` }, { Action: ['kms:Describe*', 'kms:Get*', 'kms:List*', 'kms:RevokeGrant'] }),
);

type Case = readonly [what: string, document: string | null, verdict: PolicyVerdict['verdict'], accounts?: readonly string[]];

const AWS_WROTE: readonly Case[] = [
  ['default policy', defaultPolicy('aws'), 'internal'],
  ['default policy in China', defaultPolicy('aws-cn'), 'internal'],
  ['default policy in GovCloud', defaultPolicy('aws-us-gov'), 'internal'],
  ['default policy in an isolated partition', defaultPolicy('aws-iso-b'), 'internal'],
  ['console policy with administrators and users', CONSOLE_POLICY, 'internal'],
  ['policy that CloudTrail writes', CLOUDTRAIL_POLICY, 'internal'],
  ['AWS managed key: everyone, caller account and service', AWS_MANAGED_POLICY, 'internal'],
  [
    'log group policy: a Regional service principal',
    policy(
      allow(
        { Service: 'logs.eu-west-1.amazonaws.com' },
        {
          Action: ['kms:Encrypt*', 'kms:Decrypt*'],
          Condition: { ArnEquals: { 'kms:EncryptionContext:aws:logs:arn': `arn:aws:logs:eu-west-1:${OWN}:log-group:x` } },
        },
      ),
    ),
    'internal',
  ],
];

const PRINCIPALS: readonly Case[] = [
  ['a star', policy(allow('*')), 'public'],
  ['a star as AWS principal', policy(allow({ AWS: '*' })), 'public'],
  ['a star in an array', policy(allow({ AWS: ['*'] })), 'public'],
  ['a star beside others', policy(allow({ AWS: [`arn:aws:iam::${OWN}:root`, '*'] })), 'public'],
  ['a star beside a service', policy(allow({ Service: 's3.amazonaws.com', AWS: '*' })), 'public'],
  ['a wildcard account', policy(allow({ AWS: 'arn:aws:iam::*:root' })), 'public'],
  ['a statement that is no array', JSON.stringify({ Statement: allow('*') }), 'public'],
  ['own account number', policy(allow({ AWS: OWN })), 'internal'],
  ['foreign account number', policy(allow({ AWS: FOREIGN })), 'external', [FOREIGN]],
  ['foreign root', policy(allow({ AWS: `arn:aws:iam::${FOREIGN}:root` })), 'external', [FOREIGN]],
  ['foreign role in China', policy(allow({ AWS: `arn:aws-cn:iam::${FOREIGN}:role/x` })), 'external', [FOREIGN]],
  ['foreign session in GovCloud', policy(allow({ AWS: `arn:aws-us-gov:sts::${FOREIGN}:assumed-role/r/s` })), 'external', [FOREIGN]],
  ['two foreign accounts in either form', policy(allow({ AWS: [THIRD, `arn:aws:iam::${FOREIGN}:user/u`] })), 'external', [FOREIGN, THIRD]],
  ['own and foreign', policy(allow({ AWS: [OWN, FOREIGN] })), 'external', [FOREIGN]],
  ['a service alone', policy(allow({ Service: 'sns.amazonaws.com' })), 'internal'],
  ['any service', policy(allow({ Service: '*' })), 'public'],
  ['a deleted principal', policy(allow({ AWS: 'AROAEXAMPLEEXAMPLE123' })), 'internal'],
  ['own SAML provider', policy(allow({ Federated: `arn:aws:iam::${OWN}:saml-provider/idp` })), 'internal'],
  ['a public identity provider', policy(allow({ Federated: 'cognito-identity.amazonaws.com' })), 'external'],
  ['everyone but one', policy(allow(undefined, { NotPrincipal: { AWS: `arn:aws:iam::${FOREIGN}:root` } })), 'public'],
  [
    'everyone but one, of own account only',
    policy(
      allow(undefined, { NotPrincipal: { AWS: `arn:aws:iam::${OWN}:user/u` }, Condition: { StringEquals: { 'kms:CallerAccount': OWN } } }),
    ),
    'internal',
  ],
];

const ACTIONS: readonly Case[] = [
  ['all of KMS', policy(allow('*', { Action: 'kms:*' })), 'public'],
  ['all of AWS', policy(allow('*', { Action: '*' })), 'public'],
  ['a prefix', policy(allow('*', { Action: 'kms:De*' })), 'public'],
  ['a prefix in another case', policy(allow('*', { Action: 'KMS:gENERATE*' })), 'public'],
  ['question marks', policy(allow('*', { Action: 'kms:?ign' })), 'public'],
  ['among others', policy(allow('*', { Action: ['kms:ListAliases', 'kms:CreateGrant'] })), 'public'],
  ['all but one', policy(allow('*', { Action: undefined, NotAction: 'kms:Decrypt' })), 'public'],
  ['all but all of KMS', policy(allow('*', { Action: undefined, NotAction: 'kms:*' })), 'internal'],
  ['what foreigners cannot call', policy(allow('*', { Action: ['kms:PutKeyPolicy', 'kms:CreateAlias'] })), 'internal'],
  ['what a foreign account cannot call', policy(allow({ AWS: FOREIGN }, { Action: 'kms:ScheduleKeyDeletion' })), 'internal'],
  ['of another service', policy(allow('*', { Action: 's3:*' })), 'internal'],
  ['metadata only', policy(allow('*', { Action: 'kms:DescribeKey' })), 'public'],
];

const CONDITIONS: readonly Case[] = [
  ['caller account', everyoneIf({ StringEquals: { 'kms:CallerAccount': OWN } }), 'internal'],
  ['caller account, key in another case', everyoneIf({ StringEquals: { 'KMS:calleraccount': OWN } }), 'internal'],
  ['foreign caller account', everyoneIf({ StringEquals: { 'kms:CallerAccount': FOREIGN } }), 'external', [FOREIGN]],
  ['several caller accounts', everyoneIf({ StringEquals: { 'kms:CallerAccount': [OWN, FOREIGN] } }), 'external', [FOREIGN]],
  ['principal account', everyoneIf({ StringEqualsIgnoreCase: { 'aws:PrincipalAccount': OWN } }), 'internal'],
  ['wildcard caller account', everyoneIf({ StringLike: { 'kms:CallerAccount': '*' } }), 'public'],
  ['half an account', everyoneIf({ StringLike: { 'kms:CallerAccount': '1111*' } }), 'public'],
  ['one value concrete, one wild', everyoneIf({ StringLike: { 'kms:CallerAccount': [OWN, '*'] } }), 'public'],
  ['a policy variable', everyoneIf({ StringEquals: { 'kms:CallerAccount': '${aws:PrincipalAccount}' } }), 'public'],
  ['no value', everyoneIf({ StringEquals: { 'kms:CallerAccount': [] } }), 'public'],
  ['IfExists', everyoneIf({ StringEqualsIfExists: { 'aws:PrincipalAccount': OWN } }), 'public'],
  ['ForAllValues', everyoneIf({ 'ForAllValues:StringEquals': { 'aws:PrincipalOrgID': ORG } }), 'public'],
  ['negated', everyoneIf({ StringNotEquals: { 'kms:CallerAccount': FOREIGN } }), 'public'],
  ['key must be there', everyoneIf({ Null: { 'aws:PrincipalOrgID': 'false' } }), 'public'],
  ['via a service', everyoneIf({ StringEquals: { 'kms:ViaService': 's3.eu-west-1.amazonaws.com' } }), 'public'],
  ['encryption context', everyoneIf({ StringEquals: { 'kms:EncryptionContext:app': 'payments' } }), 'public'],
  ['grant for a resource', everyoneIf({ Bool: { 'kms:GrantIsForAWSResource': 'true' } }), 'public'],
  ['source address', everyoneIf({ IpAddress: { 'aws:SourceIp': '203.0.113.0/24' } }), 'public'],
  ['principal tag', everyoneIf({ StringEquals: { 'aws:PrincipalTag/team': 'payments' } }), 'public'],
  ['organization', everyoneIf({ StringEquals: { 'aws:PrincipalOrgID': ORG } }), 'external'],
  ['any organization', everyoneIf({ StringLike: { 'aws:PrincipalOrgID': 'o-*' } }), 'public'],
  ['part of an organization', everyoneIf({ 'ForAnyValue:StringLike': { 'aws:PrincipalOrgPaths': `${ORG}/r-ab12/ou-1/*` } }), 'external'],
  ['path of any organization', everyoneIf({ 'ForAnyValue:StringLike': { 'aws:PrincipalOrgPaths': 'o-*/r-ab12/*' } }), 'public'],
  ['roles of own account', everyoneIf({ ArnLike: { 'aws:PrincipalArn': `arn:aws:iam::${OWN}:role/*` } }), 'internal'],
  ['role of a foreign account', everyoneIf({ ArnEquals: { 'aws:PrincipalArn': `arn:aws:iam::${FOREIGN}:role/r` } }), 'external', [FOREIGN]],
  ['a role name in any account', everyoneIf({ ArnLike: { 'aws:PrincipalArn': 'arn:aws:iam::*:role/admin' } }), 'public'],
  ['an account behind a wildcard', everyoneIf({ StringLike: { 'aws:PrincipalArn': `arn:*:${OWN}:role/x` } }), 'public'],
  ['wildcards across colons', everyoneIf({ StringLike: { 'aws:PrincipalArn': `arn:aws:iam:*:${OWN}:role/x` } }), 'public'],
  ['source account', everyoneIf({ StringEquals: { 'aws:SourceAccount': OWN } }), 'internal'],
  ['source ARN', everyoneIf({ ArnLike: { 'aws:SourceArn': `arn:aws:sns:*:${FOREIGN}:*` } }), 'external', [FOREIGN]],
  ['source ARN without account', everyoneIf({ ArnLike: { 'aws:SourceArn': 'arn:aws:s3:::*' } }), 'public'],
  ['source organization', everyoneIf({ StringEquals: { 'aws:SourceOrgID': ORG } }), 'external'],
  ['services only', everyoneIf({ Bool: { 'aws:PrincipalIsAWSService': 'true' } }), 'internal'],
  ['no services', everyoneIf({ Bool: { 'aws:PrincipalIsAWSService': false } }), 'public'],
  ['an empty condition', everyoneIf({}), 'public'],
  [
    'one that narrows beside one that does not',
    everyoneIf({ StringEquals: { 'kms:CallerAccount': OWN, 'kms:ViaService': 's3.eu-west-1.amazonaws.com' }, Bool: { a: 'true' } }),
    'internal',
  ],
  ['organization and caller account', everyoneIf({ StringEquals: { 'aws:PrincipalOrgID': ORG, 'kms:CallerAccount': OWN } }), 'internal'],
  [
    'a foreign account that must call from ours',
    policy(allow({ AWS: FOREIGN }, { Condition: { StringEquals: { 'kms:CallerAccount': OWN } } })),
    'internal',
  ],
];

const DENIALS: readonly Case[] = [
  ['of everything', everyoneWithout(deny()), 'internal'],
  ['of everything, written first', policy(deny(), allow('*')), 'internal'],
  ['of just what was allowed', everyoneWithout(deny({ Action: 'kms:Decrypt' })), 'internal'],
  ['of something else', everyoneWithout(deny({ Action: 'kms:Encrypt' })), 'public'],
  ['of all but what was allowed', everyoneWithout(deny({ Action: undefined, NotAction: 'kms:Decrypt' })), 'public'],
  ['of one account', everyoneWithout(deny({ Principal: { AWS: FOREIGN } })), 'public'],
  ['of one role', policy(allow({ AWS: FOREIGN }), deny({ Principal: { AWS: `arn:aws:iam::${FOREIGN}:role/r` } })), 'external', [FOREIGN]],
  ['of the foreign account', policy(allow({ AWS: [FOREIGN, THIRD] }), deny({ Principal: { AWS: FOREIGN } })), 'external', [THIRD]],
  [
    'of everyone but own account',
    everyoneWithout(deny({ Principal: undefined, NotPrincipal: { AWS: `arn:aws:iam::${OWN}:root` } })),
    'internal',
  ],
  ['without TLS', everyoneWithout(deny({ Condition: { Bool: { 'aws:SecureTransport': 'false' } } })), 'public'],
  ['of one organization', everyoneWithout(deny({ Condition: { StringEquals: { 'aws:PrincipalOrgID': ORG } } })), 'public'],
  ['of all outside the organization', everyoneWithout(deny({ Condition: { StringNotEquals: { 'aws:PrincipalOrgID': ORG } } })), 'external'],
  ['of all outside own account', everyoneWithout(deny({ Condition: { StringNotEquals: { 'kms:CallerAccount': OWN } } })), 'internal'],
  [
    'of all outside own account that are no service',
    everyoneWithout(
      deny({ Condition: { StringNotEquals: { 'aws:PrincipalAccount': OWN }, BoolIfExists: { 'aws:PrincipalIsAWSService': 'false' } } }),
    ),
    'internal',
  ],
  [
    'of outsiders, but only through one service',
    everyoneWithout(
      deny({
        Condition: { StringNotEquals: { 'kms:CallerAccount': OWN }, StringEquals: { 'kms:ViaService': 's3.eu-west-1.amazonaws.com' } },
      }),
    ),
    'public',
  ],
  ['for another resource', everyoneWithout(deny({ Resource: 'arn:aws:kms:eu-west-1:111122223333:key/other' })), 'public'],
];

const UNDECIDED: readonly Case[] = [
  ['no document', null, 'unknown'],
  ['empty text', '', 'unknown'],
  ['no JSON', '{"Statement":[', 'unknown'],
  ['not an object', '"*"', 'unknown'],
  ['null', 'null', 'unknown'],
  ['no statement', '{"Version":"2012-10-17"}', 'unknown'],
  ['statements of a wrong type', '{"Statement":"*"}', 'unknown'],
  ['a statement of a wrong type', '{"Statement":[7]}', 'unknown'],
  ['no principal', policy({ Effect: 'Allow', Action: 'kms:*', Resource: '*' }), 'unknown'],
  ['an unknown kind of principal', policy(allow({ Robot: 'r' })), 'unknown'],
  ['a principal that is no ARN', policy(allow({ AWS: 'somebody' })), 'unknown'],
  ['an effect in lower case', policy(allow('*', { Effect: 'allow' })), 'unknown'],
  ['actions of a wrong type', policy(allow('*', { Action: { a: 1 } })), 'unknown'],
  ['a condition of a wrong type', policy(allow('*', { Condition: 'none' })), 'unknown'],
  ['a document that is too large', `${policy(allow('*'))}${' '.repeat(70_000)}`, 'unknown'],
  ['an unreadable statement beside an open one', policy({ Effect: 'Allow' }, allow('*')), 'public'],
  ['an unreadable statement beside a foreign one', policy({ Effect: 'Allow' }, allow({ AWS: FOREIGN })), 'unknown', [FOREIGN]],
  ['an unreadable denial', policy(allow({ AWS: OWN }), { Effect: 'Deny' }), 'internal'],
  ['a prototype as statement', '{"__proto__":{"Statement":[]}}', 'unknown'],
  ['deep nesting', `{"Statement":${'['.repeat(30_000)}${']'.repeat(30_000)}}`, 'unknown'],
];

const TABLE: readonly (readonly [what: string, cases: readonly Case[]])[] = [
  ['what AWS itself writes', AWS_WROTE],
  ['principals', PRINCIPALS],
  ['actions', ACTIONS],
  ['conditions of an Allow to everyone', CONDITIONS],
  ['denials', DENIALS],
  ['what cannot be decided', UNDECIDED],
];

for (const [what, cases] of TABLE) {
  describe(`${what}`, () => {
    for (const [name, document, verdict, accounts = []] of cases) {
      test(`${name} is ${verdict}`, () => {
        const result = analyzePolicy(document, OWN);
        expect({ verdict: result.verdict, accounts: result.accounts }).toEqual({ verdict, accounts });
        expect(result.reasons.length).toBeGreaterThan(0);
      });
    }
  });
}

test('a document whose lines were wrapped on the way, within texts too, is read', () => {
  const wrapped = policy(allow('*', { Sid: 'Allow use of the key' })).replace('of the', 'of\n  the');
  expect(() => void JSON.parse(wrapped)).toThrow(/control character/);
  expect(analyzePolicy(wrapped, OWN).verdict).toBe('public');
});

test('a reason names the statement, what it allows, and the conditions that do not help', () => {
  const document = policy(
    allow({ AWS: OWN }),
    allow('*', { Sid: 'Open', Action: ['kms:Decrypt', 'kms:Encrypt'], Condition: { StringEquals: { 'kms:ViaService': 'x' } } }),
    deny({ Action: 'kms:Encrypt' }),
  );
  expect(analyzePolicy(document, OWN).reasons).toEqual([
    'Statement 2 ("Open") lets everyone call Decrypt. Its conditions (kms:viaservice) do not limit who the caller is.',
  ]);
});

test('a reason holds nothing of a statement id but plain characters, and not too many', () => {
  const reason = analyzePolicy(policy(allow('*', { Sid: `<script>\n${'x'.repeat(5_000)}` })), OWN).reasons[0] ?? '';
  expect(reason).toMatch(/^Statement 1 \("scriptx{54}"\) lets everyone/);
});

test('a policy built to be slow is judged within a second', () => {
  const hostile = policy(
    ...Array.from({ length: 140 }, () => allow('*', { Action: [`kms:${'*a'.repeat(20)}`, '*'] })),
    ...Array.from({ length: 140 }, () => deny({ Principal: { AWS: FOREIGN } })),
  );
  expect(cpuMs(() => expect(analyzePolicy(hostile, OWN).verdict).toBe('public'))).toBeLessThan(1_000);
});
