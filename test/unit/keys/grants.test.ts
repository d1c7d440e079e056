import { describe, expect, test } from 'vitest';
import type { EventDetail } from '../../../services/core/event.ts';
import { granteeOf } from '../../../services/keys/grantee.ts';
import { currentGrants, type GrantOnList, grantsOf, withListed } from '../../../services/keys/grants.ts';
import { policyInForce, whoMay } from '../../../services/keys/who-may.ts';
import { foldTimeline } from '../../../services/keys/reduce.ts';
import { ADMIN, KEY, OTHER_KEY, stored, tell } from './fabricate.ts';

const ORDERS = 'arn:aws:iam::111122223333:role/orders';
const given = (at: number, detail: EventDetail, more: { outcome?: 'denied'; key?: string } = {}) =>
  stored(tell('CreateGrant', { at, detail: { granteePrincipal: ORDERS, operations: ['Decrypt'], ...detail }, ...more }));
const ended = (operation: 'RetireGrant' | 'RevokeGrant', at: number, grantId: string) =>
  stored(tell(operation, { at, detail: { grantId } }));

describe('grants as state', () => {
  test('a grant stands until it is retired, revoked, or its key is deleted', () => {
    const events = [
      given(1, { grantId: 'a' }),
      given(2, { grantId: 'b' }),
      given(3, { grantId: 'c' }),
      ended('RetireGrant', 4, 'a'),
      ended('RevokeGrant', 5, 'b'),
    ];
    expect(currentGrants(events, KEY).map(({ grantId }) => grantId)).toEqual(['c']);
    expect([...grantsOf(events, KEY).values()].map((grant) => grant.ended?.how ?? null)).toEqual(['retired', 'revoked', null]);
    expect(currentGrants([...events, stored(tell('DeleteKey', { at: 6 }))], KEY)).toEqual([]);
  });

  test('order and repetition do not matter', () => {
    const events = [
      given(1, { grantId: 'a' }),
      ended('RevokeGrant', 2, 'a'),
      ended('RetireGrant', 3, 'a'),
      given(4, { grantId: 'a', operations: ['Encrypt'] }),
    ];
    const grants = grantsOf(events, KEY);
    expect([...grants.values()]).toMatchObject([
      { operations: ['Decrypt'], createdAt: 1, createdBy: ADMIN.id, ended: { at: 2, how: 'revoked' } },
    ]);
    expect(grantsOf([...events.toReversed(), ...events], KEY)).toEqual(grants);
  });

  test('refused calls, other keys and grants that are not named say nothing', () => {
    const events = [
      given(1, { grantId: 'a' }, { outcome: 'denied' }),
      given(2, { grantId: 'b' }, { key: OTHER_KEY }),
      given(3, {}),
      ended('RevokeGrant', 4, 'z'),
    ];
    expect(grantsOf(events, KEY).size).toBe(0);
  });

  test.each([
    ['none', undefined, ['none'], []],
    ['an empty context', { encryptionContextSubset: {} }, ['none'], []],
    ['a context', { encryptionContextSubset: { 'aws:ebs:id': 'vol-1', b: '2' } }, ['context-subset'], ['aws:ebs:id', 'b']],
    ['an exact context', { encryptionContextEquals: { a: '1' } }, ['context-equals'], ['a']],
    ['a source', { sourceArn: 'arn:aws:dynamodb:eu-west-1:111122223333:table/x' }, ['source-arn'], []],
    ['something new', { newConstraint: 'x' }, ['other'], []],
  ] as const)('constraints: %s', (_what, grantConstraints, constraints, contextKeys) => {
    const detail: EventDetail = { grantId: 'a', ...(grantConstraints === undefined ? {} : { grantConstraints }) };
    const [grant] = currentGrants([given(1, detail)], KEY);
    expect(grant).toMatchObject({ constraints, contextKeys });
    expect(JSON.stringify(grant)).not.toContain('vol-1');
  });
});

describe('grants that KMS listed', () => {
  const listed = (grantId: string, more: Partial<GrantOnList> = {}): GrantOnList => ({
    grantId,
    name: null,
    grantee: ORDERS,
    retiringPrincipal: 'rds.eu-west-1.amazonaws.com',
    operations: ['Encrypt', 'Decrypt'],
    constraints: {},
    issuingAccount: null,
    created: 1,
    asOf: 10,
    endedAt: null,
    ...more,
  });

  test('are added where no record tells of them, with what limits them', () => {
    const constraints = { encryption_context_subset: ['b', 'a'], source_arn: true } as const;
    const grants = withListed(grantsOf([given(2, { grantId: 'a' })], KEY), [listed('b', { constraints }), listed('c', { created: null })]);
    expect([...grants.keys()]).toEqual(['a', 'b', 'c']);
    expect(grants.get('b')).toMatchObject({
      grantee: ORDERS,
      retiring: 'rds.eu-west-1.amazonaws.com',
      operations: ['Decrypt', 'Encrypt'],
      constraints: ['context-subset', 'source-arn'],
      contextKeys: ['a', 'b'],
      createdAt: 1,
      createdBy: null,
      through: null,
      ended: null,
    });
    expect(grants.get('c')).toMatchObject({ createdAt: null, constraints: ['none'] });
  });

  test('end grants that are not listed any more, and bring back none that was revoked', () => {
    const events = [given(2, { grantId: 'a' }), given(3, { grantId: 'b' }), ended('RevokeGrant', 9, 'b')];
    const grants = withListed(grantsOf(events, KEY), [listed('a', { endedAt: 20 }), listed('b', { asOf: 10 })]);
    expect(grants.get('a')).toMatchObject({ createdBy: ADMIN.id, ended: { at: 20, how: 'not listed' } });
    expect(grants.get('b')).toMatchObject({ ended: { at: 9, how: 'revoked' } });
  });
});

describe('a grantee', () => {
  test.each([
    [ORDERS, 'role orders of account 111122223333', '111122223333', null],
    ['arn:aws:iam::444455556666:root', 'account 444455556666', '444455556666', null],
    ['444455556666', 'account 444455556666', '444455556666', null],
    ['arn:aws-cn:iam::444455556666:user/bob', 'IAM user bob of account 444455556666', '444455556666', null],
    ['arn:aws:sts::111122223333:assumed-role/orders/one', 'session orders/one of account 111122223333', '111122223333', null],
    ['dynamodb.eu-west-1.amazonaws.com', 'AWS service dynamodb.eu-west-1.amazonaws.com', null, 'dynamodb'],
    ['rds.amazonaws.com', 'AWS service rds.amazonaws.com', null, 'rds'],
    ['ec2.cn-north-1.amazonaws.com.cn', 'AWS service ec2.cn-north-1.amazonaws.com.cn', null, 'ec2'],
    [
      'arn:aws:sts::111122223333:assumed-role/aws:ec2-infrastructure/i-0123456789abcdef0',
      'AWS service ec2 for resources of account 111122223333',
      '111122223333',
      'ec2',
    ],
    ['111122223333:aws:ec2-infrastructure:i-81e2f56c', 'AWS service ec2 for resources of account 111122223333', '111122223333', 'ec2'],
    [
      'arn:aws:iam::111122223333:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling',
      'role aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling of account 111122223333',
      '111122223333',
      'autoscaling',
    ],
    // Nobody can make a role of that name, but a path is anybody's to choose.
    [
      'arn:aws:iam::111122223333:role/my/aws-service-role/autoscaling.amazonaws.com/mine',
      'role my/aws-service-role/autoscaling.amazonaws.com/mine of account 111122223333',
      '111122223333',
      null,
    ],
    ['AROAEXAMPLEEXAMPLE', 'principal AROAEXAMPLEEXAMPLE', null, null],
    ['EX_PRINCIPAL_ID', 'principal EX_PRINCIPAL_ID', null, null],
    ['rds.amazonaws.com.example.org', 'principal rds.amazonaws.com.example.org', null, null],
    [null, 'a grantee that the record does not name', null, null],
  ])('%s is %s', (name, text, account, service) => {
    expect(granteeOf(name)).toEqual({ text, account, service });
  });
});

describe('who may use a key', () => {
  const statement = (AWS: string, Action: string, more: object = {}) => ({
    Effect: 'Allow',
    Principal: { AWS },
    Action,
    Resource: '*',
    ...more,
  });
  const facts = (policy: string | null | undefined) =>
    foldTimeline(
      [stored(tell('PutKeyPolicy', { at: 1, detail: policy === undefined ? { policyOmitted: true } : { policy: policy ?? '' } }))],
      KEY,
    ).at(-1)?.after ?? {};

  test('by policy, by grant, or both; ended grants do not count', () => {
    const policy = JSON.stringify({ Statement: [statement('arn:aws:iam::111122223333:root', 'kms:*'), statement(ORDERS, 'kms:Encrypt')] });
    const events = [
      given(2, { grantId: 'a' }),
      given(3, { grantId: 'b', granteePrincipal: 'dynamodb.eu-west-1.amazonaws.com' }),
      given(4, { grantId: 'c', granteePrincipal: 'arn:aws:iam::444455556666:root' }),
      ended('RevokeGrant', 5, 'c'),
    ];
    const answer = whoMay(facts(policy), grantsOf(events, KEY).values(), KEY);
    expect(answer.accountDecides).toBe(true);
    expect(answer.unknown).toEqual([]);
    expect(answer.permitted.filter(({ principal }) => principal !== 'account 111122223333')).toEqual([
      {
        principal: 'AWS service dynamodb.eu-west-1.amazonaws.com',
        account: null,
        through: ['grant'],
        operations: ['Decrypt'],
        limited: false,
        grants: 1,
        services: [],
      },
      {
        principal: 'role orders of account 111122223333',
        account: '111122223333',
        through: ['grant', 'policy'],
        operations: ['Decrypt', 'Encrypt'],
        limited: false,
        grants: 1,
        services: [],
      },
    ]);
  });

  test('tells which grants AWS services gave, for whom, and takes all instances of EC2 together', () => {
    const through = (at: number, grantId: string, granteePrincipal: string, callingService: string | null) => ({
      ...given(at, { grantId, granteePrincipal, grantConstraints: { encryptionContextSubset: { 'aws:ebs:id': 'vol-1' } } }),
      callingService,
    });
    const instance = (id: string): string => `arn:aws:sts::111122223333:assumed-role/aws:ec2-infrastructure/${id}`;
    const events = [
      through(1, 'a', instance('i-1'), 'ec2'),
      through(2, 'b', instance('i-2'), 'aws-internal'),
      through(3, 'c', instance('i-3'), 'ec2'),
      through(4, 'd', 'dynamodb.eu-west-1.amazonaws.com', 'dynamodb'),
      through(5, 'e', ORDERS, null),
      // Retired by the service itself.
      { ...ended('RetireGrant', 6, 'c'), callingService: 'ec2' },
    ];
    const grants = grantsOf(events, KEY);
    expect(grants.get('a')).toMatchObject({ through: 'ec2', createdBy: ADMIN.id });
    expect(grants.get('c')).toMatchObject({ ended: { how: 'retired' } });
    const { permitted } = whoMay(facts(undefined), grants.values(), KEY);
    expect(permitted.map(({ principal, grants: count, services, limited }) => ({ principal, count, services, limited }))).toEqual([
      { principal: 'AWS service dynamodb.eu-west-1.amazonaws.com', count: 1, services: ['dynamodb'], limited: true },
      { principal: 'AWS service ec2 for resources of account 111122223333', count: 2, services: ['aws-internal', 'ec2'], limited: true },
      { principal: 'role orders of account 111122223333', count: 1, services: [], limited: true },
    ]);
  });

  test("a policy that is not known is told as not known, and AWS's default one as what it is", () => {
    expect(whoMay(facts(undefined), [], KEY)).toMatchObject({
      permitted: [],
      accountDecides: false,
      unknown: ['The policy is not known.'],
    });
    const created =
      foldTimeline([stored(tell('CreateKey', { at: 1, detail: { metadata: { origin: 'AWS_KMS' } } }))], KEY).at(-1)?.after ?? {};
    expect(policyInForce(created, KEY)).toContain('arn:aws:iam::111122223333:root');
    expect(whoMay(created, [], KEY).accountDecides).toBe(true);
  });
});
