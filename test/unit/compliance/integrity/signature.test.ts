import { createHash, generateKeyPairSync, privateEncrypt, sign } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { PublicKeys } from '../../../../services/compliance/integrity/public-keys.ts';
import { isSignatureOf, signedHash, stringToSign } from '../../../../services/compliance/integrity/signature.ts';
import { publicKeyList, signingKey } from '../../../support/digest-chain.ts';

/**
 * Public keys and signatures that AWS publishes as examples, and that are genuine:
 * https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-custom-validation.html and
 * https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html.
 * The first two keys are PKCS #1, the third is SPKI. What was signed cannot be rebuilt, for accounts and buckets were replaced.
 */
const PUBLISHED_KEYS = {
  publicKeyList: [
    {
      Value:
        'MIIBCgKCAQEAn11L2YZ9h7onug2ILi1MWyHiMRsTQjfWE+pHVRLk1QjfWhirG+lpOa8NrwQ/r7Ah5bNL6HepznOU9XTDSfmmnP97mqyc7z/upfZdS/AHhYcGaz7n6Wc/RRBU6VmiPCrAUojuSk6/GjvA8iOPFsYDuBtviXarvuLPlrT9kAd4Lb+rFfR5peEgBEkhlzc5HuWO7S0y+KunqxX6jQBnXGMtxmPBPP0FylgWGNdFtks/4YSKcgqwH0YDcawP9GGGDAeCIqPWIXDLG1jOjRRzWfCmD0iJUkz8vTsn4hq/5ZxRFE7UBAUiVcGbdnDdvVfhF9C3dQiDq3k7adQIziLT0cShgQIDAQAB',
      Fingerprint: '8eba5db5bea9b640d1c96a77256fe7f2',
    },
    {
      Value:
        'MIIBCgKCAQEApfYL2FiZhpN74LNWVUzhR+VheYhwhYm8w0n5Gf6i95ylW5kBAWKVEmnAQG7BvS5g9SMqFDQx52fW7NWV44IvfJ2xGXT+wT+DgR6ZQ+6yxskQNqV5YcXj4Aa5Zz4jJfsYjDuO2MDTZNIzNvBNzaBJ+r2WIWAJ/Xq54kyF63B6WE38vKuDE7nSd1FqQuEoNBFLPInvgggYe2Ym1Refe2z71wNcJ2kY+q0h1BSHrSM8RWuJIw7MXwF9iQncg9jYzUlNJomozQzAG5wSRfbplcCYNY40xvGd/aAmO0m+Y+XFMrKwtLCwseHPvj843qVno6x4BJN9bpWnoPo9sdsbGoiK3QIDAQAB',
      Fingerprint: '8933b39ddc64d26d8e14ffbf6566fee4',
    },
    {
      Value:
        'MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAqlzPJbvZJ42UdcmLfPUqXYNfOs6I8lCfao/tOs8CmzPOEdtLWugB9xoIUz78qVHdKIqxbaG4jWHfJBiOSSFBM0lt8cdVo4TnRa7oG9io5pysS6DJhBBAeXsicufsiFJR+wrUNh8RSLxL4k6G1+BhLX20tJkZ/erT97tDGBujAelqseGg3vPZbTx9SMfOLN65PdLFudLP7Gat0Z9p5jw/rjpclKfo9Bfc3heeBxWGKwBBOKnFAaN9V57pOaosCvPKmHd9bg7jsQkI9Xp22IzGLsTFJZYVA3KiTAElDMu80iFXPHEq9hKNbt9e4URFam+1utKVEiLkR2disdCmPTK0VQIDAQAB',
      Fingerprint: '31e8b5433410dfb61a9dc45cc65b22ff',
    },
  ],
};
const GENUINE = [
  [
    '50887ccffad4c002b97caa37cc9dc626e3c680207d41d27fa5835458e066e0d3652fc4dfc30937e4d5f4cc7f796e7a258fb50a43ac427f2237f6e505d4efaf373d156e15e3b68dea9f58111d395b62628d6bd367a9024d2183b5c5f6e19466d3a996b92df705bc997b8a0e13430f241d733cf95df4e41bb6c304c3f58363043572ea57a27085639ce187e679c0d81c7519b1184fa77fb7ab0b0e40a32dace6e1eefc3995c5ae182da49b62b26398cebb52a2201a6387b75b89c83e5570bcb9bba6c34a80f2f00a1c6ebe07d1ff149eccd812dc805bb3eeff6657db32a6cb48d2d096404eb76181877bc6ebb8cd0b23f823200155b2fd8848d428e46e8456328a',
    '4cdaa85fddf1a1a032e5fca5d16d104d1b03f2b31641eff267d877264a44c570',
  ],
  [
    '82705525fb0fe7f919f9434e5b7138cb41793c776c7414f3520c0242902daa8cc8286b29263d2627f2f259471c745b1654af76e2073264b2510fd45236b3aea4d80c0e8e6455223d7bd54ff80af0edf22a5f14fa856626daec919f0591479aa4f213787ba1e1076328dcf8ff624e03a977fa5612dcf58594c590fd8c1c5b48bddf43fc84ecc00b41bedd0ff7f293c3e2de8dcdc78f98b03e17577f5822ba842399d69eb79921c0429773509520e08c8b518702d987dfbb3a4e5d8c5f17673ce1f989dfff82d4becf24e452f20d3bcac94ad50131f93e57f10155536acb54c60efbe9d57228c2b930bc6082b2318e3ccd36834a8e835b8d112dbf32145f445c11',
    'eb6fb72c4f3302de4b4a4693658e3a7bf1d464330eb80399500fe11bf1b7ab00',
  ],
] as const;

function published(): PublicKeys {
  const keys = new PublicKeys();
  keys.add({ PublicKeyList: PUBLISHED_KEYS.publicKeyList }, { name: 'published', region: null });
  return keys;
}

describe('signatures that AWS published', () => {
  test.each(GENUINE)('%.8s… is about exactly one hash, by the key 31e8… and no other', (signature, hash) => {
    const [key] = published().find('us-east-2', '31e8b5433410dfb61a9dc45cc65b22ff');
    expect(signedHash(signature, key!)).toBe(hash);
    for (const other of ['8eba5db5bea9b640d1c96a77256fe7f2', '8933b39ddc64d26d8e14ffbf6566fee4'])
      expect(signedHash(signature, published().find('us-east-2', other)[0]!)).toBeNull();
  });

  test('fingerprints are the MD5 of the DER that is published, in either wrapping', () => {
    for (const { Value, Fingerprint } of PUBLISHED_KEYS.publicKeyList)
      expect(createHash('md5').update(Buffer.from(Value, 'base64')).digest('hex')).toBe(Fingerprint);
  });
});

test('the string to sign is as in AWS’s own vector, with null for a starting digest', () => {
  const digest = { endText: 'a', bucket: 'b', key: 'c', previousSignature: null };
  const contentHash = createHash('sha256').update('abc').digest('hex');
  expect(stringToSign(digest, contentHash)).toBe('a\nb/c\nba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\nnull');
  expect(stringToSign({ ...digest, previousSignature: '0aff' }, contentHash)).toMatch(/\n0aff$/);
});

describe('a signature is refused', () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const good = sign('sha256', Buffer.from('text'), privateKey).toString('hex');
  const hash = createHash('sha256').update('text').digest();
  const info = Buffer.concat([Buffer.from('3031300d060960864801650304020105000420', 'hex'), hash]);

  test('never when it is one: in either case of hex digits, with any of several keys', () => {
    expect(isSignatureOf('text', good, [generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey, publicKey])).toBe(true);
    expect(isSignatureOf('text', good.toUpperCase(), [publicKey])).toBe(true);
  });

  test.each([
    ['about another text', sign('sha256', Buffer.from('other'), privateKey).toString('hex')],
    ['with another hash algorithm', sign('sha1', Buffer.from('text'), privateKey).toString('hex')],
    ['with PSS padding', sign('sha256', Buffer.from('text'), { key: privateKey, padding: 6 }).toString('hex')],
    ['with the bare hash inside', privateEncrypt(privateKey, hash).toString('hex')],
    ['with something after the hash', privateEncrypt(privateKey, Buffer.concat([info, Buffer.of(0)])).toString('hex')],
    ['cut off', good.slice(0, -2)],
    ['with more bytes', `${good}00`],
    ['of half a byte less', good.slice(0, -1)],
    ['that is no hex', `${good.slice(0, -2)}zz`],
    ['empty', ''],
  ])('%s', (_what, signature) => {
    expect(isSignatureOf('text', signature, [publicKey])).toBe(false);
  });

  test('when no key is known', () => {
    expect(isSignatureOf('text', good, [])).toBe(false);
  });
});

describe('public keys', () => {
  const [pkcs1, spki] = [signingKey('pkcs1'), signingKey('spki')];

  test('of a Region do not vouch for another; those of no known Region vouch for all', () => {
    const keys = new PublicKeys();
    keys.add(publicKeyList(pkcs1), { name: 'a', region: 'eu-west-1' });
    keys.add(publicKeyList(spki), { name: 'b', region: null });
    expect(keys.find('eu-west-1', pkcs1.fingerprint)).toHaveLength(1);
    expect(keys.find('us-east-1', pkcs1.fingerprint)).toHaveLength(0);
    expect(keys.find('us-east-1', spki.fingerprint.toUpperCase())).toHaveLength(1);
    expect(keys.find('us-east-1', '__proto__')).toEqual([]);
  });

  test.each([
    ['no list', {}],
    ['null', null],
    ['a key that is no key', { PublicKeyList: [{ Fingerprint: 'ab', Value: 'AAAA' }] }],
    ['a key without fingerprint', { PublicKeyList: [{ Value: pkcs1.value }] }],
    ['a list of lists', { PublicKeyList: [[]] }],
    [
      'an elliptic-curve key',
      {
        PublicKeyList: [
          {
            Fingerprint: 'ab',
            Value: generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'der', type: 'spki' }).toString('base64'),
          },
        ],
      },
    ],
  ])('%s is said to be no list of public keys', (_what, document) => {
    expect(() => new PublicKeys().add(document, { name: 'keys.json', region: null })).toThrow(
      /keys\.json cannot be used as list of public keys/,
    );
  });
});
