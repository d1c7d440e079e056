import { expect, test } from 'vitest';
import { normalize } from '../../../../services/normalize/normalize.ts';
import { parseMessage } from '../../../../services/sources/eventbridge/message.ts';

const ACCOUNT = '111122223333';
const KEY = `arn:aws:kms:eu-west-1:${ACCOUNT}:key/0a0a0a0a-0000-4000-8000-000000000001`;
const BASE = {
  version: '0',
  id: '6a7e8feb-b491-4cf7-a9f1-bf3703467718',
  source: 'aws.kms',
  account: ACCOUNT,
  time: '2026-03-01T00:05:00Z',
  region: 'eu-west-1',
  resources: [KEY],
};
const RECORD = {
  eventVersion: '1.11',
  userIdentity: { type: 'IAMUser', arn: `arn:aws:iam::${ACCOUNT}:user/ann`, accountId: ACCOUNT, userName: 'ann' },
  eventTime: '2026-03-01T00:00:00Z',
  eventSource: 'kms.amazonaws.com',
  eventName: 'DisableKey',
  awsRegion: 'eu-west-1',
  eventID: '0b0b0b0b-0000-4000-8000-000000000001',
  requestParameters: { keyId: KEY },
  recipientAccountId: ACCOUNT,
};

function eventOf(body: unknown): unknown {
  const message = parseMessage(JSON.stringify(body));
  if (message.kind !== 'record') return message;
  const result = normalize(message.bytes, () => true);
  return result.outcome === 'ok' ? result.event : result;
}

test('a CloudTrail record in an event, within SNS or not, is the same event as in a log file', () => {
  const event = { ...BASE, 'detail-type': 'AWS API Call via CloudTrail', detail: RECORD };
  const fromFile = normalize(Buffer.from(JSON.stringify(RECORD)), () => true);
  expect(fromFile).toMatchObject({ outcome: 'ok', event: eventOf(event) });
  expect(eventOf({ Type: 'Notification', TopicArn: 'arn', Message: JSON.stringify(event) })).toEqual(eventOf(event));
});

test.each([
  [
    'KMS CMK Rotation',
    {
      'key-id': KEY.split('/')[1],
      'key-origin': 'AWS_KMS',
      'rotation-type': 'ON_DEMAND',
      'previous-key-material-id': 'a1',
      'current-key-material-id': 'b2',
    },
    {
      operation: 'RotateKey',
      keyMaterialId: 'b2',
      detail: { rotationType: 'ON_DEMAND', keyMaterialId: 'b2', previousKeyMaterialId: 'a1' },
    },
  ],
  ['KMS Imported Key Material Expiration', { 'key-id': KEY.split('/')[1] }, { operation: 'DeleteExpiredKeyMaterial' }],
  ['KMS CMK Deletion', { 'key-id': KEY.split('/')[1] }, { operation: 'DeleteKey' }],
])('"%s" stands in for the record of the same happening', (type, detail, expected) => {
  expect(eventOf({ ...BASE, 'detail-type': type, detail })).toMatchObject({
    eventId: `eventbridge:${BASE.id}`,
    eventTime: Date.UTC(2026, 2, 1, 0, 5),
    eventType: 'AwsServiceEvent',
    account: ACCOUNT,
    region: 'eu-west-1',
    key: { arn: KEY },
    outcome: 'ok',
    lostFields: [],
    ...expected,
  });
});

test('the event as it came is kept within what stands in', () => {
  const event = { ...BASE, 'detail-type': 'KMS CMK Deletion', detail: { 'key-id': 'x' } };
  const message = parseMessage(JSON.stringify(event));
  expect(message.kind === 'record' && JSON.parse(message.bytes.toString())).toMatchObject({
    additionalEventData: { eventBridgeEvent: event },
  });
});

test.each([
  [{ ...BASE, source: 'aws.ec2', 'detail-type': 'EC2 Instance State-change Notification', detail: {} }, 'other-event'],
  [{ ...BASE, 'detail-type': 'KMS Something New', detail: {} }, 'other-event'],
  [{ ...BASE, 'detail-type': 'AWS Insight via CloudTrail', detail: {} }, 'insight'],
])('an event of another kind is passed over', (event, why) => {
  expect(parseMessage(JSON.stringify(event))).toEqual({ kind: 'ignored', why });
});

test.each([
  ['no JSON', 'x'],
  ['a bare record', RECORD],
  ['no detail', { ...BASE, 'detail-type': 'AWS API Call via CloudTrail' }],
  ['an SNS subscription that waits', { Type: 'SubscriptionConfirmation', SubscribeURL: 'https://x' }],
  ['an event of KMS without id', { ...BASE, id: undefined, 'detail-type': 'KMS CMK Deletion', detail: { 'key-id': 'x' } }],
  ['an event of KMS at no time', { ...BASE, time: 'yesterday', 'detail-type': 'KMS CMK Deletion', detail: { 'key-id': 'x' } }],
  ['an event of KMS about no key', { ...BASE, resources: [], 'detail-type': 'KMS CMK Deletion', detail: {} }],
])('%s is told as a problem', (_, body) => {
  expect(parseMessage(typeof body === 'string' ? body : JSON.stringify(body))).toEqual({ kind: 'unknown', problem: expect.any(String) });
});
