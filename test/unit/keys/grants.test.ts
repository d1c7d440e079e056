import { describe, expect, test } from 'vitest';
import type { EventDetail } from '../../../services/core/event.ts';
import { currentGrants, grantsOf } from '../../../services/keys/grants.ts';
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
      },
      {
        principal: 'role orders of account 111122223333',
        account: '111122223333',
        through: ['grant', 'policy'],
        operations: ['Decrypt', 'Encrypt'],
        limited: false,
      },
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
