import { describe, expect, test } from 'vitest';
import { policyAdministrators } from '../../../services/keys/policy-administrators.ts';
import { policyDifference } from '../../../services/keys/policy-difference.ts';

const OWN = '111122223333';
const ROOT = { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${OWN}:root` }, Action: 'kms:*', Resource: '*' };
const role = (name: string, account = OWN): string => `arn:aws:iam::${account}:role/${name}`;
const policy = (...statements: readonly object[]): string => JSON.stringify({ Version: '2012-10-17', Statement: statements });
const allow = (AWS: unknown, Action: unknown, more: object = {}): object => ({
  Effect: 'Allow',
  Principal: { AWS },
  Action,
  Resource: '*',
  ...more,
});
const told = (before: string | null, after: string | null): readonly string[] => policyDifference(before, after).sentences;

describe('the difference of two policies in words', () => {
  test.each([
    [
      'somebody gains',
      policy(ROOT),
      policy(ROOT, allow(role('orders'), ['kms:Decrypt', 'kms:Encrypt'])),
      ['Role orders of account 111122223333 gained Decrypt, Encrypt.'],
    ],
    [
      'somebody loses',
      policy(ROOT, allow(role('orders'), 'kms:Decrypt')),
      policy(ROOT),
      ['Role orders of account 111122223333 lost Decrypt.'],
    ],
    [
      'all of it',
      policy(ROOT),
      policy(ROOT, allow(role('admin'), 'kms:*')),
      ['Role admin of account 111122223333 gained every operation.'],
    ],
    [
      'a condition goes',
      policy(allow('*', 'kms:Decrypt', { Condition: { StringEquals: { 'aws:PrincipalOrgID': 'o-a1b2c3d4e5' } } })),
      policy(allow('*', 'kms:Decrypt')),
      ['Everyone may call Decrypt under fewer limits; gone is: aws:principalorgid stringequals o-a1b2c3d4e5.'],
    ],
    [
      'a condition comes',
      policy(allow(role('orders'), 'kms:Decrypt')),
      policy(allow(role('orders'), 'kms:Decrypt', { Condition: { Bool: { 'aws:SecureTransport': true } } })),
      ['Role orders of account 111122223333 may call Decrypt only under more limits than before; new is: aws:securetransport bool true.'],
    ],
    [
      'a value more is a wider condition and nothing else',
      policy(allow('*', 'kms:Decrypt', { Condition: { StringEquals: { 'kms:CallerAccount': [OWN] } } })),
      policy(allow('*', 'kms:Decrypt', { Condition: { StringEquals: { 'kms:CallerAccount': [OWN, '444455556666'] } } })),
      ['Everyone may call Decrypt under fewer limits; gone is: kms:calleraccount stringequals 111122223333.'],
    ],
    [
      'a denial goes',
      policy(ROOT, { Effect: 'Deny', Principal: '*', Action: 'kms:ScheduleKeyDeletion', Resource: '*' }),
      policy(ROOT),
      ['Account 111122223333 gained ScheduleKeyDeletion.'],
    ],
    [
      'everyone may do it anyway',
      policy(allow('*', 'kms:Decrypt')),
      policy(allow('*', 'kms:Decrypt'), allow(role('orders'), 'kms:Decrypt')),
      [],
    ],
    [
      'the same in other words',
      policy(ROOT, allow([role('a')], ['kms:Decrypt'])),
      policy(allow(role('a'), 'kms:DECRYPT'), { ...ROOT, Sid: 'x' }),
      [],
    ],
    ['nothing is known of before', null, policy(ROOT), ['The earlier policy is not known.']],
    ['nothing is known of after', policy(ROOT), null, ['The new policy is not known.']],
    [
      'a statement that cannot be read',
      policy(ROOT),
      policy(ROOT, { Effect: 'Maybe' }),
      ['Of the new policy: Statement 2 cannot be read.'],
    ],
  ] as const)('%s', (_what, before, after, sentences) => {
    expect(told(before, after)).toEqual(sentences);
  });

  test('does not tell values of an encryption context', () => {
    const limited = policy(
      allow(role('a'), 'kms:Decrypt', { Condition: { StringEquals: { 'kms:EncryptionContext:patient': 'Jane Roe' } } }),
    );
    const [sentence] = told(policy(), limited);
    expect(sentence).toContain('kms:encryptioncontext:patient');
    expect(sentence).not.toContain('Jane');
  });

  test('policies built to be slow cost less than two seconds, or are refused', () => {
    const many = Array.from({ length: 150 }, (_, n) => allow([role(`r${n}`), role(`s${n}`)], 'kms:*'));
    const denials = Array.from({ length: 45 }, (_, n) => ({
      Effect: 'Deny',
      Principal: '*',
      Action: '*',
      Resource: '*',
      Condition: { Bool: { [`x${n}`]: 'true' } },
    }));
    const accounts = allow(
      Array.from({ length: 2000 }, (_, n) => String(100_000_000_000 + n)),
      '*',
    );
    const before = process.cpuUsage();
    expect(told(policy(...many), policy(...many.slice(0, 149), ...denials)).length).toBeGreaterThan(100);
    expect(told(policy(...many), policy(accounts))).toEqual(['Of the new policy: The policy allows more than can be looked at.']);
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1000).toBeLessThan(2_000);
  });
});

describe('who can change the policy', () => {
  test.each([
    ['the account', policy(ROOT), 'account'],
    ['a role', policy(allow(role('admin'), ['kms:Put*'])), 'named'],
    ['nobody: only use is given', policy(allow(role('orders'), 'kms:Decrypt')), 'nobody'],
    ['nobody: foreigners cannot administer', policy(allow('444455556666', 'kms:*')), 'nobody'],
    [
      'nobody: a service cannot',
      policy({ Effect: 'Allow', Principal: { Service: 'cloudtrail.amazonaws.com' }, Action: 'kms:*', Resource: '*' }),
      'nobody',
    ],
    ['nobody: the principal was deleted', policy(allow('AROAEXAMPLEID1234567', 'kms:*')), 'nobody'],
    ['nobody: it is denied', policy(ROOT, { Effect: 'Deny', Principal: '*', Action: 'kms:PutKeyPolicy', Resource: '*' }), 'nobody'],
    ['not decidable', policy({ Effect: 'Allow', Principal: { Unheard: 'x' }, Action: 'kms:*', Resource: '*' }), 'unknown'],
    ['not known', null, 'unknown'],
  ] as const)('%s', (_what, document, verdict) => {
    expect(policyAdministrators(document, OWN).verdict).toBe(verdict);
  });

  test('says when all of it hangs on conditions', () => {
    const limited = policy(allow(role('admin'), 'kms:*', { Condition: { Bool: { 'aws:MultiFactorAuthPresent': 'true' } } }));
    expect(policyAdministrators(limited, OWN)).toMatchObject({
      verdict: 'named',
      limited: true,
      administrators: ['role admin of account 111122223333'],
    });
    expect(policyAdministrators(policy(ROOT), OWN).limited).toBe(false);
  });
});
