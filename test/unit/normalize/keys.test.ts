import { describe, expect, it } from 'vitest';
import { ACCOUNT, ALIAS, control, eventOf, type Fields, KEY, keyResource, OTHER_KEY, record, REGION } from './records.ts';

const ID = KEY.slice(KEY.lastIndexOf('/') + 1);
const OTHER_ID = OTHER_KEY.slice(OTHER_KEY.lastIndexOf('/') + 1);
const MRK = `arn:aws:kms:${REGION}:${ACCOUNT}:key/mrk-0a1b2c3d4e5f60718293a4b5c6d7e8f9`;
const NO_RESOURCES = { resources: undefined };

function keys(fields: Fields): readonly [string | null, string | null] {
  const { key, otherKey } = eventOf(record(fields));
  return [key?.arn ?? null, otherKey?.arn ?? null];
}

describe('keysOf', () => {
  it.each<[string, Fields, string | null]>([
    ['resources[].ARN', {}, KEY],
    ['resources[].arn', { resources: [{ arn: KEY, accountId: ACCOUNT }] }, KEY],
    ['resources[] before the request', { requestParameters: { keyId: OTHER_KEY } }, KEY],
    ['resources[] before an alias in the request', { requestParameters: { keyId: 'alias/payments' } }, KEY],
    ['a key in resources[] before an alias in it', { resources: [keyResource(ALIAS), keyResource(KEY)] }, KEY],
    [
      'an id that is no UUID',
      { resources: [keyResource(`arn:aws:kms:${REGION}:${ACCOUNT}:key/EXAMPLE`)] },
      `arn:aws:kms:${REGION}:${ACCOUNT}:key/EXAMPLE`,
    ],
    ['the response', { ...NO_RESOURCES, responseElements: { keyId: KEY }, requestParameters: { keyId: OTHER_ID } }, KEY],
    ["the response's metadata", { ...NO_RESOURCES, responseElements: { keyMetadata: { keyId: ID, arn: KEY } } }, KEY],
    ["the metadata's id", { ...NO_RESOURCES, responseElements: { keyMetadata: { keyId: ID } } }, KEY],
    ["the service event's details", { ...NO_RESOURCES, serviceEventDetails: { keyId: ID } }, KEY],
    ['the request, ARN', { ...NO_RESOURCES, requestParameters: { keyId: KEY } }, KEY],
    ['the request, id', { ...NO_RESOURCES, requestParameters: { keyId: ID } }, KEY],
    ['the request, multi-Region id', { ...NO_RESOURCES, requestParameters: { keyId: MRK.slice(MRK.lastIndexOf('/') + 1) } }, MRK],
    ['the request, alias name', { ...NO_RESOURCES, requestParameters: { keyId: 'alias/payments' } }, ALIAS],
    ['the request, alias ARN', { ...NO_RESOURCES, requestParameters: { keyId: ALIAS } }, ALIAS],
    [
      'a GovCloud id',
      { ...NO_RESOURCES, awsRegion: 'us-gov-west-1', requestParameters: { keyId: ID } },
      `arn:aws-us-gov:kms:us-gov-west-1:${ACCOUNT}:key/${ID}`,
    ],
    ['the message of a denied call', denied(`kms:Decrypt on resource: ${KEY} because no identity-based policy allows`), KEY],
    [
      'the message of a missing key',
      { ...NO_RESOURCES, requestParameters: null, errorCode: 'NotFoundException', errorMessage: `Key '${KEY}' does not exist` },
      KEY,
    ],
    ['nothing in a message about all keys', denied('kms:CreateKey on resource: * because'), null],
    ["not the caller's own ARN", denied('kms:ListKeys'), null],
    ['nothing for another ARN', { ...NO_RESOURCES, requestParameters: { keyId: 'arn:aws:s3:::bucket' } }, null],
    ['nothing for a text with blanks', { ...NO_RESOURCES, requestParameters: { keyId: 'not a key' } }, null],
    ['nothing for 3,000 characters', { ...NO_RESOURCES, requestParameters: { keyId: 'k'.repeat(3000) } }, null],
    ['nothing for GenerateRandom', { eventName: 'GenerateRandom', requestParameters: null, resources: [] }, null],
    ["nothing in another service's record", { eventSource: 's3.amazonaws.com', eventName: 'CopyObject' }, null],
  ])('finds the key in %s', (_case, fields, expected) => {
    expect(keys(fields)).toEqual([expected, null]);
  });

  it.each<[string, Fields, string | null, string | null]>([
    [
      'both listed, source first',
      { requestParameters: { destinationKeyId: OTHER_ID }, resources: [keyResource(KEY), keyResource(OTHER_KEY)] },
      KEY,
      OTHER_KEY,
    ],
    [
      'both listed, the other way round',
      { requestParameters: { destinationKeyId: OTHER_ID }, resources: [keyResource(OTHER_KEY), keyResource(KEY)] },
      KEY,
      OTHER_KEY,
    ],
    [
      'destination by alias',
      { requestParameters: { destinationKeyId: 'alias/payments' }, resources: [keyResource(KEY), keyResource(OTHER_KEY)] },
      KEY,
      OTHER_KEY,
    ],
    ['one key for both', { requestParameters: { destinationKeyId: ID }, resources: [keyResource(KEY), keyResource(KEY)] }, KEY, KEY],
    ['nothing listed', { requestParameters: { sourceKeyId: KEY, destinationKeyId: OTHER_KEY }, resources: [] }, KEY, OTHER_KEY],
    ['only the source listed', { requestParameters: { destinationKeyId: OTHER_KEY }, resources: [keyResource(KEY)] }, KEY, OTHER_KEY],
  ])('tells source and destination of ReEncrypt: %s', (_case, fields, source, destination) => {
    expect(keys({ eventName: 'ReEncrypt', ...fields })).toEqual([source, destination]);
  });

  it.each<[string, string, Fields, string | null]>([
    [
      'CreateAlias, key first',
      'CreateAlias',
      { resources: [keyResource(KEY), keyResource(ALIAS)], requestParameters: { aliasName: 'alias/payments', targetKeyId: ID } },
      KEY,
    ],
    [
      'UpdateAlias, alias first',
      'UpdateAlias',
      { resources: [keyResource(ALIAS), keyResource(KEY)], requestParameters: { aliasName: 'alias/payments', targetKeyId: ID } },
      KEY,
    ],
    [
      'UpdateAlias with the old key listed too',
      'UpdateAlias',
      { resources: [keyResource(OTHER_KEY), keyResource(ALIAS), keyResource(KEY)], requestParameters: { targetKeyId: ID } },
      KEY,
    ],
    ['nothing listed', 'UpdateAlias', { ...NO_RESOURCES, requestParameters: { aliasName: 'alias/payments', targetKeyId: KEY } }, KEY],
    [
      'DeleteAlias with its key',
      'DeleteAlias',
      { resources: [keyResource(ALIAS), keyResource(KEY)], requestParameters: { aliasName: 'alias/payments' } },
      KEY,
    ],
    [
      'DeleteAlias with its key in the response',
      'DeleteAlias',
      { ...NO_RESOURCES, requestParameters: { aliasName: 'alias/payments' }, responseElements: { keyId: KEY } },
      KEY,
    ],
    ['DeleteAlias without', 'DeleteAlias', { ...NO_RESOURCES, requestParameters: { aliasName: 'alias/payments' } }, null],
    ['denied', 'DeleteAlias', denied(`kms:DeleteAlias on resource: ${ALIAS} because`), null],
  ])('tells key and alias: %s', (_case, eventName, fields, key) => {
    expect(keys({ eventName, readOnly: false, ...fields })).toEqual([key, ALIAS]);
  });

  it('tells primary and replica of ReplicateKey', () => {
    const replica = MRK.replace(REGION, 'us-east-1');
    const fields = { resources: [keyResource(MRK)], requestParameters: { keyId: MRK, replicaRegion: 'us-east-1' } };
    const event = (more: Fields): unknown => {
      const { key, otherKey } = eventOf(control('ReplicateKey', { ...fields, ...more }));
      return [key?.arn, otherKey?.arn];
    };
    expect(event({ responseElements: { replicaKeyMetadata: { arn: replica } } })).toEqual([MRK, replica]);
    expect(
      event({ responseElements: { replicaKeyMetadata: { arn: replica } }, resources: [keyResource(replica), keyResource(MRK)] }),
    ).toEqual([MRK, replica]);
    expect(event({})).toEqual([MRK, replica]);
    expect(event({ errorCode: 'AccessDenied' })).toEqual([MRK, undefined]);
  });

  it('keeps the Region and account that an ARN states, whatever the record says', () => {
    const foreign = 'arn:aws:kms:us-west-2:444455556666:key/0c0d0e0f-1111-4222-8333-444455556666';
    expect(eventOf(record({ resources: [keyResource(foreign)] })).key).toEqual({
      arn: foreign,
      kind: 'key',
      account: '444455556666',
      region: 'us-west-2',
      id: '0c0d0e0f-1111-4222-8333-444455556666',
    });
  });
});

function denied(rest: string): Fields {
  const errorMessage = `User: arn:aws:sts::${ACCOUNT}:assumed-role/r/s is not authorized to perform: ${rest}`;
  return { ...NO_RESOURCES, requestParameters: null, errorCode: 'AccessDenied', errorMessage };
}
