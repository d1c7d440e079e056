import { describe, expect, it } from 'vitest';
import { ACCOUNT, eventOf, record, ROLE_SESSION } from './records.ts';

const ROLE = `arn:aws:iam::${ACCOUNT}:role`;

/** name, userIdentity, type, id, account, name, session name */
const TABLE: readonly (readonly [string, unknown, string, string, string | null, string, string | null])[] = [
  [
    'root',
    { type: 'Root', arn: `arn:aws:iam::${ACCOUNT}:root`, accountId: ACCOUNT },
    'root',
    `arn:aws:iam::${ACCOUNT}:root`,
    ACCOUNT,
    'root',
    null,
  ],
  [
    'root without ARN',
    { type: 'Root', accountId: ACCOUNT, userName: 'acme' },
    'root',
    `arn:aws:iam::${ACCOUNT}:root`,
    ACCOUNT,
    'root',
    null,
  ],
  [
    'IAM user',
    { type: 'IAMUser', arn: `arn:aws:iam::${ACCOUNT}:user/ops/mara`, accountId: ACCOUNT, userName: 'mara' },
    'iam-user',
    `arn:aws:iam::${ACCOUNT}:user/ops/mara`,
    ACCOUNT,
    'mara',
    null,
  ],
  [
    'IAM user without ARN',
    { type: 'IAMUser', accountId: ACCOUNT, userName: 'mara' },
    'iam-user',
    `arn:aws:iam::${ACCOUNT}:user/mara`,
    ACCOUNT,
    'mara',
    null,
  ],
  [
    'IAM user, id only',
    { type: 'IAMUser', accountId: ACCOUNT, principalId: 'AIDAEXAMPLE' },
    'iam-user',
    `iam-user:${ACCOUNT}:AIDAEXAMPLE`,
    ACCOUNT,
    'AIDAEXAMPLE',
    null,
  ],
  ['role session', ROLE_SESSION, 'role', `${ROLE}/service/payments-api`, ACCOUNT, 'payments-api', 'deploy-7'],
  [
    'role session without issuer',
    { type: 'AssumedRole', arn: `arn:aws:sts::${ACCOUNT}:assumed-role/nightly/job-1`, sessionContext: { sessionIssuer: {} } },
    'role',
    `${ROLE}/nightly`,
    ACCOUNT,
    'nightly',
    'job-1',
  ],
  [
    'role session, id only',
    { type: 'AssumedRole', principalId: 'AROAEXAMPLE:job-1' },
    'role',
    'role::AROAEXAMPLE',
    null,
    'AROAEXAMPLE',
    'job-1',
  ],
  [
    'role in China',
    { type: 'AssumedRole', arn: `arn:aws-cn:sts::${ACCOUNT}:assumed-role/r/s` },
    'role',
    `arn:aws-cn:iam::${ACCOUNT}:role/r`,
    ACCOUNT,
    'r',
    's',
  ],
  ['role itself', { type: 'Role', arn: `${ROLE}/backup` }, 'role', `${ROLE}/backup`, ACCOUNT, 'backup', null],
  [
    'person in a reserved role of IAM Identity Center',
    {
      type: 'AssumedRole',
      arn: `arn:aws:sts::${ACCOUNT}:assumed-role/AWSReservedSSO_Admin_0a1b2c3d4e5f6071/lena@example.com`,
      sessionContext: { sessionIssuer: { arn: `${ROLE}/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Admin_0a1b2c3d4e5f6071` } },
    },
    'role',
    `${ROLE}/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Admin_0a1b2c3d4e5f6071`,
    ACCOUNT,
    'AWSReservedSSO_Admin_0a1b2c3d4e5f6071',
    'lena@example.com',
  ],
  [
    "EC2's infrastructure role",
    {
      type: 'AssumedRole',
      principalId: `${ACCOUNT}:aws:ec2-infrastructure:i-0a1`,
      arn: `arn:aws:sts::${ACCOUNT}:assumed-role/aws:ec2-infrastructure/i-0a1`,
    },
    'role',
    `${ROLE}/aws:ec2-infrastructure`,
    ACCOUNT,
    'aws:ec2-infrastructure',
    'i-0a1',
  ],
  [
    'person of IAM Identity Center',
    {
      type: 'IdentityCenterUser',
      accountId: '444455556666',
      onBehalfOf: { userId: 'u-1', identityStoreArn: `arn:aws:identitystore::${ACCOUNT}:identitystore/d-906` },
    },
    'identity-center',
    'identity-center:d-906/u-1',
    ACCOUNT,
    'u-1',
    null,
  ],
  [
    'federated user',
    { type: 'FederatedUser', arn: `arn:aws:sts::${ACCOUNT}:federated-user/kim` },
    'federated-user',
    `arn:aws:sts::${ACCOUNT}:federated-user/kim`,
    ACCOUNT,
    'kim',
    null,
  ],
  ['SAML', { type: 'SAMLUser', principalId: 'q=:kim', userName: 'kim', identityProvider: 'q=' }, 'saml', 'saml:q=:kim', null, 'kim', null],
  [
    'web identity',
    { type: 'WebIdentityUser', principalId: 'idp:app:7', userName: '7', identityProvider: 'idp' },
    'web-identity',
    'web-identity:idp:7',
    null,
    '7',
    null,
  ],
  [
    'web identity, id only',
    { type: 'WebIdentityUser', principalId: 'idp:app:7' },
    'web-identity',
    'web-identity::idp:app:7',
    null,
    'idp:app:7',
    null,
  ],
  [
    'other account',
    { type: 'AWSAccount', accountId: '444455556666', principalId: 'AROAOTHER:their-job' },
    'account',
    'account:444455556666',
    '444455556666',
    '444455556666',
    'their-job',
  ],
  [
    'nobody known',
    { type: 'AWSAccount', accountId: 'ANONYMOUS_PRINCIPAL', principalId: '' },
    'anonymous',
    'anonymous',
    null,
    'anonymous',
    null,
  ],
  ['service', { type: 'AWSService', invokedBy: 'dynamodb.amazonaws.com' }, 'service', 'service:dynamodb', null, 'dynamodb', null],
  [
    'service by principal',
    { type: 'AWSService', principalId: 'logs.eu-west-1.amazonaws.com', arn: `${ROLE}/x` },
    'service',
    'service:logs',
    null,
    'logs',
    null,
  ],
  ['AWS itself', { type: 'AWSService', invokedBy: 'AWS Internal' }, 'aws', 'aws', null, 'AWS', null],
  ['service event', { accountId: ACCOUNT, invokedBy: 'AWS Internal' }, 'aws', 'aws', null, 'AWS', null],
  ['VPC endpoint event', { accountId: ACCOUNT }, 'account', `account:${ACCOUNT}`, ACCOUNT, ACCOUNT, null],
  ['type not determined', { type: 'Unknown', arn: `arn:aws:sts::${ACCOUNT}:assumed-role/r/s` }, 'role', `${ROLE}/r`, ACCOUNT, 'r', 's'],
  ['directory', { type: 'Directory', accountId: ACCOUNT, userName: 'd' }, 'unknown', `unknown:${ACCOUNT}:d`, ACCOUNT, 'd', null],
  [
    'placeholders',
    { type: '...', arn: '...', principalId: '12345', accountId: '12345' },
    'unknown',
    'unknown:12345:12345',
    '12345',
    '12345',
    null,
  ],
  ['nothing', {}, 'unknown', 'unknown', null, 'unknown', null],
];

describe('actorOf', () => {
  it.each(TABLE)('knows the caller: %s', (_case, userIdentity, type, id, account, name, session) => {
    const event = eventOf(record({ userIdentity }));
    expect(event.actor).toEqual({ type, id, account, name });
    expect(event.session.name).toBe(session);
  });

  it('takes a service event without identity as of AWS, and another record as of nobody known', () => {
    expect(eventOf(record({ userIdentity: undefined, eventType: 'AwsServiceEvent' })).actor.type).toBe('aws');
    expect(eventOf(record({ userIdentity: null })).actor.type).toBe('unknown');
  });

  it('gives all sessions of a role one actor and sessions their names', () => {
    const events = ['a', 'b'].map((session) =>
      eventOf(record({ userIdentity: { ...ROLE_SESSION, arn: `arn:aws:sts::${ACCOUNT}:assumed-role/payments-api/${session}` } })),
    );
    expect(events[0]?.actor).toEqual(events[1]?.actor);
    expect(events.map((event) => event.session.name)).toEqual(['a', 'b']);
  });

  it('never takes a role that is called like the root for the root', () => {
    for (const arn of [`arn:aws:sts::${ACCOUNT}:assumed-role/root/root`, `${ROLE}/root`]) {
      expect(eventOf(record({ userIdentity: { type: 'AssumedRole', arn } })).actor.type).toBe('role');
    }
    expect(eventOf(record({ userIdentity: { type: 'IAMUser', arn: `arn:aws:iam::${ACCOUNT}:user/root` } })).actor.type).toBe('iam-user');
  });

  it('reads MFA as the text that it is written as', () => {
    const mfa = (mfaAuthenticated: unknown): boolean | null =>
      eventOf(record({ userIdentity: { ...ROLE_SESSION, sessionContext: { attributes: { mfaAuthenticated } } } })).session.mfa;
    expect([mfa('true'), mfa('false'), mfa(true), mfa(undefined), mfa('yes')]).toEqual([true, false, true, null, null]);
  });
});
