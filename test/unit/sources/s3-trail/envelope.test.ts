import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Envelope, parseEnvelope } from '../../../../services/sources/s3-trail/envelope.ts';

const KEY =
  'AWSLogs/111122223333/CloudTrail/eu-west-1/2026/03/01/111122223333_CloudTrail_eu-west-1_20260301T0005Z_aB3dE5fG7hI9jK1l.json.gz';
const OBJECT = {
  bucket: 'trail-logs',
  key: KEY,
  region: 'eu-west-1',
  versionId: null,
  etag: 'd41d8cd98f00b204e9800998ecf8427e',
  size: 2048,
};

function s3Record(object: object, rest: object = {}): object {
  const s3 = { s3SchemaVersion: '1.0', bucket: { name: 'trail-logs', arn: 'arn:aws:s3:::trail-logs' }, object };
  return { eventVersion: '2.1', eventSource: 'aws:s3', awsRegion: 'eu-west-1', eventName: 'ObjectCreated:Put', s3, ...rest };
}

const NOTIFICATION = { Records: [s3Record({ key: KEY, size: 2048, eTag: OBJECT.etag, sequencer: '0055AED6DCD90281E5' })] };
const BRIDGED = {
  version: '0',
  id: '17793124-05d4-b198-2fde-7ededc63b103',
  'detail-type': 'Object Created',
  source: 'aws.s3',
  account: '111122223333',
  region: 'eu-west-1',
  detail: { bucket: { name: 'trail-logs' }, object: { key: KEY, size: 2048, etag: OBJECT.etag, sequencer: '00' }, reason: 'PutObject' },
};
const OF_CLOUDTRAIL = { s3Bucket: 'trail-logs', s3ObjectKey: [KEY, `${KEY.slice(0, -24)}zzzzzzzzzzzzzzzz.json.gz`] };
const TEST_EVENT = {
  Service: 'Amazon S3',
  Event: 's3:TestEvent',
  Time: '2026-03-01T00:00:00Z',
  Bucket: 'trail-logs',
  RequestId: 'A',
  HostId: 'B',
};

function sns(message: unknown): object {
  const Message = typeof message === 'string' ? message : JSON.stringify(message);
  return { Type: 'Notification', MessageId: 'm', TopicArn: 'arn:aws:sns:eu-west-1:111122223333:trail', Message, Signature: 'x' };
}

function parse(message: unknown): Envelope {
  return parseEnvelope(typeof message === 'string' ? message : JSON.stringify(message));
}

const fromCloudTrail = OF_CLOUDTRAIL.s3ObjectKey.map((key) => ({ ...OBJECT, key, region: null, etag: null, size: null }));

test.each([
  ['an S3 notification', NOTIFICATION, { form: 's3', wrappedBySns: false, objects: [OBJECT] }],
  ['an S3 notification within SNS', sns(NOTIFICATION), { form: 's3', wrappedBySns: true, objects: [OBJECT] }],
  ['an EventBridge event', BRIDGED, { form: 'eventbridge', wrappedBySns: false, objects: [OBJECT] }],
  ['an EventBridge event within SNS', sns(BRIDGED), { form: 'eventbridge', wrappedBySns: true, objects: [OBJECT] }],
  ["a message of CloudTrail's topic", sns(OF_CLOUDTRAIL), { form: 'cloudtrail-sns', wrappedBySns: true, objects: fromCloudTrail }],
  ["a raw message of CloudTrail's topic", OF_CLOUDTRAIL, { form: 'cloudtrail-sns', wrappedBySns: false, objects: fromCloudTrail }],
])('%s tells of its objects', (_, message, expected) => {
  expect(parse(message)).toEqual({ ...expected, ignored: [], problem: null });
});

test.each([
  ["S3's test message", TEST_EVENT, ['test-event']],
  ["S3's test message within SNS", sns(TEST_EVENT), ['test-event']],
  ["CloudTrail's validation message", 'CloudTrail validation message.', ['validation-message']],
  ["CloudTrail's validation message within SNS", sns('CloudTrail validation message.'), ['validation-message']],
  ['a removal', { Records: [s3Record({ key: KEY }, { eventName: 'ObjectRemoved:Delete' })] }, ['not-created']],
  ['an EventBridge removal', { ...BRIDGED, 'detail-type': 'Object Deleted' }, ['not-created']],
])('%s is passed over and is no problem', (_, message, ignored) => {
  expect(parse(message)).toMatchObject({ objects: [], ignored, problem: null });
});

test.each([
  ['no JSON', 'hello'],
  ['a list', [NOTIFICATION]],
  ['null', null],
  [
    'an SNS subscription that waits',
    { Type: 'SubscriptionConfirmation', TopicArn: 'arn:aws:sns:eu-west-1:1:t', SubscribeURL: 'https://x', Message: 'm' },
  ],
  ['SNS around SNS', sns(sns(NOTIFICATION))],
  ['records of CloudTrail', { Records: [{ eventVersion: '1.08', eventSource: 'kms.amazonaws.com', eventName: 'Decrypt' }] }],
  ['no objects', { Records: [] }],
  ['another EventBridge event', { source: 'aws.kms', 'detail-type': 'AWS API Call via CloudTrail', detail: {} }],
  ['a bucket that cannot be', { ...OF_CLOUDTRAIL, s3Bucket: '../../etc' }],
  ['a key that is too long', { s3Bucket: 'trail-logs', s3ObjectKey: ['é'.repeat(513)] }],
  ['a key with a broken encoding', { Records: [s3Record({ key: 'AWSLogs/%E0%A4%A' })] }],
  ['more objects than anybody sends', { s3Bucket: 'trail-logs', s3ObjectKey: Array.from({ length: 1_001 }, () => KEY) }],
  ['more text than SQS carries', `{"a":"${'x'.repeat(1_048_576)}"}`],
])('%s is told as a problem, not as an object', (_, message) => {
  const { objects, problem } = parse(message);
  expect(objects).toEqual([]);
  expect(problem).toEqual(expect.any(String));
});

test('what is wrong with one entry does not keep the others', () => {
  const { objects, ignored, problem } = parse({
    Records: [s3Record({ key: '%' }), ...NOTIFICATION.Records, s3Record({ key: KEY }, { eventName: 'ObjectRemoved:Delete' })],
  });
  expect({ objects, ignored }).toEqual({ objects: [OBJECT], ignored: ['not-created'] });
  expect(problem).toMatch(/not encoded/);
});

test('keys are decoded where S3 encodes them and nowhere else', () => {
  const written = 'my+prefix/a%2Bb/AWSLogs/x';
  expect(parse({ Records: [s3Record({ key: written })] }).objects[0]?.key).toBe('my prefix/a+b/AWSLogs/x');
  expect(parse({ ...BRIDGED, detail: { ...BRIDGED.detail, object: { key: written } } }).objects[0]?.key).toBe(written);
  expect(parse({ ...OF_CLOUDTRAIL, s3ObjectKey: [written] }).objects[0]?.key).toBe(written);
});

test('the version and an ETag in quotes are kept, and a wrong size is not', () => {
  const record = s3Record({ key: KEY, versionId: '096fKKXTRTtl3on89fVO.nfljtsv6qko', eTag: '"abc"', size: -1 });
  expect(parse({ Records: [record] }).objects).toMatchObject([{ versionId: '096fKKXTRTtl3on89fVO.nfljtsv6qko', etag: 'abc', size: null }]);
});

test('whatever the body is, there is an answer, and __proto__ is no field', () => {
  fc.assert(
    fc.property(fc.oneof(fc.json(), fc.string(), fc.constant('{"__proto__":{"Records":[]},"Records":[{"__proto__":1}]}')), (body) => {
      const { objects, ignored, problem } = parseEnvelope(body);
      expect(objects.length + ignored.length > 0 || problem !== null).toBe(true);
    }),
  );
});
