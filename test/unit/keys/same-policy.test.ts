import { describe, expect, test } from 'vitest';
import { samePolicy } from '../../../services/keys/same-policy.ts';

const ACCOUNT = '111122223333';

const statement = (more: object = {}) => ({
  Sid: 'Use',
  Effect: 'Allow',
  Principal: { AWS: [`arn:aws:iam::${ACCOUNT}:role/a`, `arn:aws:iam::${ACCOUNT}:root`] },
  Action: ['kms:Decrypt', 'kms:Encrypt'],
  Resource: '*',
  ...more,
});
const policy = (...statements: object[]) => JSON.stringify({ Version: '2012-10-17', Statement: statements });

describe('two policies say the same', () => {
  test.each([
    ['with other white space', JSON.stringify(JSON.parse(policy(statement())), null, 3)],
    ['with lists in another order', policy(statement({ Action: ['kms:Encrypt', 'kms:Decrypt'] }))],
    ['with fields in another order', JSON.stringify({ Statement: [statement()], Version: '2012-10-17' })],
    ['with a single statement bare', JSON.stringify({ Version: '2012-10-17', Statement: statement() })],
    ['with lists of one', policy(statement({ Resource: ['*'] }))],
    ['with an account by its number', policy(statement({ Principal: { AWS: [ACCOUNT, `arn:aws:iam::${ACCOUNT}:role/a`] } }))],
  ])('%s', (_, other) => expect(samePolicy(policy(statement()), other, ACCOUNT)).toBe(true));

  test('with everybody as a text or as an object', () => {
    const [a, b] = [policy(statement({ Principal: '*' })), policy(statement({ Principal: { AWS: '*' } }))];
    expect(samePolicy(a, b, ACCOUNT)).toBe(true);
  });

  test('with none against the default policy of the account, whatever it is called', () => {
    const root = statement({ Sid: 'Enable IAM User Permissions', Principal: { AWS: `arn:aws-cn:iam::${ACCOUNT}:root` }, Action: 'kms:*' });
    const text = JSON.stringify({ Id: 'key-default-1', ...JSON.parse(policy(root)) });
    expect(samePolicy(null, text, ACCOUNT)).toBe(true);
    expect(samePolicy(text, null, ACCOUNT)).toBe(true);
    expect(samePolicy(null, text, '444455556666')).toBe(false);
    expect(samePolicy(null, policy(root, statement()), ACCOUNT)).toBe(false);
  });
});

describe('two policies say something else', () => {
  test.each([
    ['with another action', policy(statement({ Action: ['kms:Decrypt'] }))],
    ['with another effect', policy(statement({ Effect: 'Deny' }))],
    ['with another principal', policy(statement({ Principal: { AWS: `arn:aws:iam::${ACCOUNT}:role/b` } }))],
    ['with another kind of principal', policy(statement({ Principal: { Service: [`arn:aws:iam::${ACCOUNT}:role/a`, ACCOUNT] } }))],
    ['with a condition', policy(statement({ Condition: { Bool: { 'aws:SecureTransport': 'true' } } }))],
    ['with one statement more', policy(statement(), statement({ Effect: 'Deny' }))],
    ['with another name of a statement', policy(statement({ Sid: 'Other' }))],
  ])('%s', (_, other) => expect(samePolicy(policy(statement()), other, ACCOUNT)).toBe(false));

  test('where one cannot be read, unless the texts are the same', () => {
    expect(samePolicy('{', policy(statement()), ACCOUNT)).toBe(false);
    expect(samePolicy('{', '{ ', ACCOUNT)).toBe(false);
    expect(samePolicy('{', '{', ACCOUNT)).toBe(true);
    const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
    expect(samePolicy(deep, `${deep} `, ACCOUNT)).toBe(false);
    const long = JSON.stringify('x'.repeat(300_000));
    expect(samePolicy(long, `${long} `, ACCOUNT)).toBe(false);
  });

  test('with names that JavaScript gives a meaning', () => {
    expect(samePolicy('{"Statement":{"__proto__":{"Effect":"Allow"}}}', '{"Statement":{}}', ACCOUNT)).toBe(false);
  });
});
