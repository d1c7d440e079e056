import { describe, expect, it } from 'vitest';
import { control, eventOf, type Fields, KEY, keyResource, OTHER_KEY, record, ROLE_SESSION } from './records.ts';

function essence(value: unknown): string {
  return eventOf(value).essence;
}

const REQUEST = { keyId: KEY, encryptionContext: { b: '2', a: '1' }, numberOfBytes: 32 };

describe('essenceOf', () => {
  it('is 32 lower-case hexadecimal digits', () => {
    expect(essence(record())).toMatch(/^[0-9a-f]{16}$/);
  });

  it('is one for all tellings of an event', () => {
    const asDelivered = record({ requestParameters: REQUEST, tlsDetails: { tlsVersion: 'TLSv1.3' } });
    const older = { ...asDelivered, tlsDetails: undefined, eventCategory: undefined, managementEvent: undefined };
    const tellings = [
      asDelivered,
      { CloudTrailEvent: JSON.stringify(asDelivered) },
      { 'detail-type': 'AWS API Call via CloudTrail', detail: older },
      JSON.stringify(asDelivered, null, 4),
      Object.fromEntries(Object.entries(asDelivered).reverse()),
      record({ ...asDelivered, requestParameters: { numberOfBytes: 32, encryptionContext: { a: '1', b: '2' }, keyId: KEY } }),
      record({ ...asDelivered, requestParameters: { ...REQUEST, grantTokens: null } }),
      record({ ...asDelivered, eventContext: { tagContext: {} }, eventVersion: '1.08', requestID: 'x', userAgent: 'y', readOnly: 'true' }),
      record({ ...asDelivered, responseElements: undefined }),
      record({ ...asDelivered, resources: [{ arn: KEY }] }),
      record({ ...asDelivered, eventTime: '2026-02-03T09:15:42.000Z' }),
    ];
    expect(new Set(tellings.map(essence)).size).toBe(1);
  });

  it('does not depend on the order of listed resources', () => {
    const both = [keyResource(KEY), keyResource(OTHER_KEY)];
    expect(essence(record({ resources: both }))).toBe(essence(record({ resources: both.toReversed() })));
  });

  it.each<[string, Fields]>([
    ['time', { eventTime: '2026-02-03T09:15:43Z' }],
    ['operation', { eventName: 'Encrypt' }],
    ['service', { eventSource: 'cloudtrail.amazonaws.com' }],
    ['account', { recipientAccountId: '444455556666' }],
    ['Region', { awsRegion: 'eu-west-1' }],
    ['identity type', { userIdentity: { ...ROLE_SESSION, type: 'IAMUser' } }],
    ['principal', { userIdentity: { ...ROLE_SESSION, arn: 'arn:aws:sts::210987654321:assumed-role/other/deploy-7' } }],
    ['unique id', { userIdentity: { ...ROLE_SESSION, principalId: 'AROAOTHER:deploy-7' } }],
    ['calling service', { userIdentity: { ...ROLE_SESSION, invokedBy: 's3.amazonaws.com' } }],
    ['error', { errorCode: 'AccessDenied' }],
    ['key', { resources: [keyResource(OTHER_KEY)] }],
    ['request', { requestParameters: { encryptionContext: { tenant: 'red' } } }],
    [
      'type within the request',
      { requestParameters: { encryptionAlgorithm: 'SYMMETRIC_DEFAULT', encryptionContext: { tenant: ['blue'] } } },
    ],
    ['response', { responseElements: { keyId: KEY } }],
    ['service event details', { serviceEventDetails: { keyId: KEY } }],
  ])('is another one with another %s', (_what, fields) => {
    expect(essence(record(fields))).not.toBe(essence(record()));
  });

  it('never runs two values into one', () => {
    const requests: unknown[] = [
      { a: 'b', c: 'd' },
      { a: 'b,c:d' },
      { a: ['b', 'c'] },
      { a: ['b,c'] },
      { a: [['b'], 'c'] },
      { a: 1 },
      { a: '1' },
      { a: true },
      { a: 'true' },
      {},
      [],
      null,
    ];
    requests.push({ a: {} }, { a: [] }, { a: '' }, { a: [null] }, { a: [0] }, { '1:a=s1:b': 'c' }, { a: 's1:b' });
    const essences = requests.map((requestParameters) => essence(control('TagResource', { requestParameters })));
    expect(new Set(essences).size).toBe(requests.length);
  });
});
