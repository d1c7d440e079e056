import { describe, expect, test } from 'vitest';
import { parseDigest } from '../../../../services/compliance/integrity/digest.ts';

const SOUND = {
  awsAccountId: '111122223333',
  digestStartTime: '2023-07-10T11:01:31Z',
  digestEndTime: '2023-07-10T12:01:31Z',
  digestS3Bucket: 'bucket',
  digestS3Object: 'AWSLogs/x.json.gz',
  digestPublicKeyFingerprint: 'ab',
  digestSignatureAlgorithm: 'SHA256withRSA',
  newestEventTime: null,
  oldestEventTime: null,
  previousDigestS3Bucket: 'bucket',
  previousDigestS3Object: 'AWSLogs/w.json.gz',
  previousDigestHashValue: 'AB'.repeat(32),
  previousDigestHashAlgorithm: 'SHA-256',
  previousDigestSignature: '0f',
  logFiles: [
    { s3Bucket: 'bucket', s3Object: 'AWSLogs/log.json.gz', hashValue: 'CD'.repeat(32), hashAlgorithm: 'SHA-256', somethingNew: {} },
  ],
  somethingNew: [1],
};

const parse = (fields: object): ReturnType<typeof parseDigest> => parseDigest(Buffer.from(JSON.stringify(fields)));

test('a digest is read as far as validation needs it, hashes in lower case, times both as written and as moments', () => {
  expect(parse(SOUND)).toEqual({
    start: Date.UTC(2023, 6, 10, 11, 1, 31),
    end: Date.UTC(2023, 6, 10, 12, 1, 31),
    endText: '2023-07-10T12:01:31Z',
    bucket: 'bucket',
    key: 'AWSLogs/x.json.gz',
    fingerprint: 'ab',
    previousSignature: '0f',
    previous: { bucket: 'bucket', key: 'AWSLogs/w.json.gz', hash: 'ab'.repeat(32) },
    logFiles: [{ key: 'AWSLogs/log.json.gz', hash: 'cd'.repeat(32) }],
  });
});

test('a starting digest has nothing before it', () => {
  const starting = {
    ...SOUND,
    previousDigestS3Bucket: null,
    previousDigestS3Object: null,
    previousDigestHashValue: null,
    previousDigestHashAlgorithm: null,
    previousDigestSignature: null,
  };
  expect(parse(starting)).toMatchObject({ previous: null, previousSignature: null });
});

describe('a digest is refused, with the reason,', () => {
  const { previousDigestSignature: _signature, ...withoutSignature } = SOUND;
  test.each<[string, object | string]>([
    ['it is no JSON object', []],
    ['digestStartTime is no time', { ...SOUND, digestStartTime: '2023-07-10 11:01:31' }],
    ['digestEndTime is no time', { ...SOUND, digestEndTime: '2023-13-10T11:01:31Z' }],
    ['digestEndTime is no text', { ...SOUND, digestEndTime: 5 }],
    ['digestStartTime is later than digestEndTime', { ...SOUND, digestStartTime: '2023-07-10T12:01:32Z' }],
    ['digestS3Object is longer than 1024 characters', { ...SOUND, digestS3Object: 'x'.repeat(1025) }],
    ['digestS3Bucket is missing', { ...SOUND, digestS3Bucket: '' }],
    ['digestSignatureAlgorithm is not SHA256withRSA', { ...SOUND, digestSignatureAlgorithm: 'SHA1withRSA' }],
    ['previousDigestSignature is missing', withoutSignature],
    ['previousDigestHashValue is no SHA-256 hash', { ...SOUND, previousDigestHashValue: 'ab' }],
    ['previousDigestHashAlgorithm is not SHA-256', { ...SOUND, previousDigestHashAlgorithm: 'MD5' }],
    ['logFiles is not a list', { ...SOUND, logFiles: {} }],
    ['an entry of logFiles is no JSON object', { ...SOUND, logFiles: [null] }],
    ['a hashValue is no SHA-256 hash', { ...SOUND, logFiles: [{ s3Object: 'x', hashValue: 'ab' }] }],
    ['a hashAlgorithm is not SHA-256', { ...SOUND, logFiles: [{ ...SOUND.logFiles[0], hashAlgorithm: 'MD5' }] }],
    ['it nests deeper than 8 levels', '[[[[[[[[['.repeat(1_000_000)],
    ['it nests deeper than 8 levels', { ...SOUND, somethingNew: [[[[[[[['x']]]]]]]] }],
  ])('%s', (reason, document) => {
    const bytes = Buffer.from(typeof document === 'string' ? document : JSON.stringify(document));
    expect(() => parseDigest(bytes)).toThrow(new SyntaxError(reason));
  });

  test('when it is no UTF-8', () => {
    expect(() => parseDigest(Buffer.from([0x7b, 0xff, 0x7d]))).toThrow(/UTF-8/);
  });
});

test('brackets within texts are no nesting', () => {
  expect(parse({ ...SOUND, somethingNew: '[[[[[[[[[[\\"[[[[{{{{' }).key).toBe(SOUND.digestS3Object);
});
