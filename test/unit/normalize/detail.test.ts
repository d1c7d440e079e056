import { describe, expect, it } from 'vitest';
import type { EventDetail } from '../../../services/core/event.ts';
import { control, eventOf, type Fields, KEY, record } from './records.ts';

function detail(eventName: string, fields: Fields = {}): EventDetail | null {
  return eventOf(control(eventName, fields)).detail;
}

describe('detailOf', () => {
  it('is null for use and read, and for a control operation that says nothing', () => {
    expect(eventOf(record({ requestParameters: { description: 'x', policy: '{}' } })).detail).toBeNull();
    expect(eventOf(record({ eventName: 'GetKeyPolicy', requestParameters: { policyName: 'default' } })).detail).toBeNull();
    expect(detail('EnableKey', { requestParameters: { keyId: KEY } })).toBeNull();
  });

  it.each<[string, Fields, EventDetail]>([
    [
      'ScheduleKeyDeletion',
      {
        requestParameters: { keyId: KEY, pendingWindowInDays: 7 },
        responseElements: { keyId: KEY, keyState: 'PendingDeletion', deletionDate: 'Apr 12, 2021 18:58:30 PM', pendingWindowInDays: 7 },
      },
      { pendingWindowInDays: 7, deletionDate: Date.UTC(2021, 3, 12, 18, 58, 30), keyState: 'PendingDeletion' },
    ],
    [
      'ScheduleKeyDeletion',
      { requestParameters: { keyId: KEY }, responseElements: { keyState: 'PendingReplicaDeletion' } },
      { keyState: 'PendingReplicaDeletion' },
    ],
    ['EnableKeyRotation', { requestParameters: { keyId: KEY, rotationPeriodInDays: 180 } }, { rotationPeriodInDays: 180 }],
    [
      'RotateKey',
      { serviceEventDetails: { keyId: 'k', rotationType: 'AUTOMATIC', previousKeyMaterialId: 'old', currentKeyMaterialId: 'new' } },
      { rotationType: 'AUTOMATIC', previousKeyMaterialId: 'old', keyMaterialId: 'new' },
    ],
    ['DeleteExpiredKeyMaterial', { serviceEventDetails: { keyId: 'k', keyMaterialId: 'm' } }, { keyMaterialId: 'm' }],
    [
      'ImportKeyMaterial',
      {
        requestParameters: {
          keyId: KEY,
          validTo: 'May 21, 2025, 5:47:45 AM',
          expirationModel: 'KEY_MATERIAL_EXPIRES',
          importType: 'NEW_KEY_MATERIAL',
        },
        responseElements: { keyId: KEY, keyMaterialId: 'm' },
      },
      {
        validTo: Date.UTC(2025, 4, 21, 5, 47, 45),
        expirationModel: 'KEY_MATERIAL_EXPIRES',
        importType: 'NEW_KEY_MATERIAL',
        keyMaterialId: 'm',
      },
    ],
    [
      'CreateGrant',
      {
        requestParameters: {
          keyId: KEY,
          granteeServicePrincipal: 'dynamodb.amazonaws.com',
          retiringPrincipal: 'arn:aws:iam::210987654321:role/r',
          operations: ['Decrypt', 'CreateGrant'],
          constraints: { encryptionContextSubset: { 'aws:ebs:id': 'vol-1' } },
        },
        responseElements: { grantId: 'g-1' },
      },
      {
        granteePrincipal: 'dynamodb.amazonaws.com',
        retiringPrincipal: 'arn:aws:iam::210987654321:role/r',
        operations: ['Decrypt', 'CreateGrant'],
        grantConstraints: { encryptionContextSubset: { 'aws:ebs:id': 'vol-1' } },
        grantId: 'g-1',
      },
    ],
    ['RetireGrant', { additionalEventData: { grantId: 'g-2' } }, { grantId: 'g-2' }],
    [
      'TagResource',
      { requestParameters: { keyId: KEY, tags: [{ tagKey: 'team', tagValue: 'pay' }, { tagKey: 'empty' }] } },
      { tags: { team: 'pay', empty: '' } },
    ],
    ['UntagResource', { requestParameters: { keyId: KEY, tagKeys: ['team'] } }, { tagKeys: ['team'] }],
    ['UpdateKeyDescription', { requestParameters: { keyId: KEY, description: '' } }, { description: '' }],
    ['UpdatePrimaryRegion', { requestParameters: { keyId: KEY, primaryRegion: 'us-east-1' } }, { primaryRegion: 'us-east-1' }],
    [
      'UpdateCustomKeyStore',
      { requestParameters: { customKeyStoreId: 'cks-1', newCustomKeyStoreName: 'n', xksProxyUriEndpoint: 'https://xks.example.com' } },
      { customKeyStoreId: 'cks-1', customKeyStoreName: 'n', xksProxyUriEndpoint: 'https://xks.example.com' },
    ],
    ['DisableKey', { errorCode: 'AccessDenied', errorMessage: 'User: x is not authorized' }, { errorMessage: 'User: x is not authorized' }],
  ])('reads %s', (eventName, fields, expected) => {
    expect(detail(eventName, fields)).toEqual(expected);
  });

  it('reads the metadata of a new key and of a replica', () => {
    const keyMetadata = {
      aWSAccountId: '210987654321',
      keyId: 'k',
      arn: KEY,
      creationDate: 'Aug 10, 2022, 10:38:27 PM',
      enabled: true,
      keyState: 'Enabled',
      keyManager: 'CUSTOMER',
      customerMasterKeySpec: 'SYMMETRIC_DEFAULT',
      origin: 'AWS_KMS',
      multiRegion: true,
      multiRegionConfiguration: { multiRegionKeyType: 'REPLICA', primaryKey: { arn: KEY, region: 'eu-central-1' } },
    };
    const metadata = {
      creationDate: Date.UTC(2022, 7, 10, 22, 38, 27),
      enabled: true,
      keyState: 'Enabled',
      keyManager: 'CUSTOMER',
      keySpec: 'SYMMETRIC_DEFAULT',
      origin: 'AWS_KMS',
      multiRegion: true,
      multiRegionKeyType: 'REPLICA',
      primaryKeyArn: KEY,
    };
    expect(detail('CreateKey', { requestParameters: { tags: [] }, responseElements: { keyMetadata } })).toEqual({
      metadata,
      primaryKeyArn: KEY,
    });
    expect(detail('ReplicateKey', { responseElements: { replicaKeyMetadata: keyMetadata, replicaPolicy: '{}' } })).toEqual({
      metadata,
      primaryKeyArn: KEY,
      policy: '{}',
    });
  });

  it.each<[string, string, Fields, EventDetail | null]>([
    [
      'is the text that was set',
      'PutKeyPolicy',
      { requestParameters: { policy: '{"a":1}', bypassPolicyLockoutSafetyCheck: true } },
      { policy: '{"a":1}', bypassPolicyLockoutSafetyCheck: true },
    ],
    ['is made a text where it is an object', 'PutKeyPolicy', { requestParameters: { policy: { a: 1 } } }, { policy: '{"a":1}' }],
    ['is unknown where the request was left out', 'PutKeyPolicy', { requestParameters: { omitted: true } }, { policyOmitted: true }],
    ['is unknown where the request is missing', 'PutKeyPolicy', { requestParameters: null }, { policyOmitted: true }],
    [
      'is unknown where it is larger than any policy',
      'PutKeyPolicy',
      { requestParameters: { policy: 'x'.repeat(131_073) } },
      { policyOmitted: true },
    ],
    ['is unknown where it has another type', 'PutKeyPolicy', { requestParameters: { policy: 7 } }, { policyOmitted: true }],
    ['is not spoken of where the call failed', 'PutKeyPolicy', { requestParameters: null, errorCode: 'AccessDenied' }, null],
    ["is AWS's default, not unknown, where CreateKey has none", 'CreateKey', { requestParameters: { origin: 'AWS_KMS' } }, null],
    ['is not unknown where a service made the key without a request', 'CreateKey', { requestParameters: null }, null],
    [
      'is unknown where the request of CreateKey was left out',
      'CreateKey',
      { requestParameters: { omitted: true } },
      { policyOmitted: true },
    ],
  ])('policy: %s', (_case, eventName, fields, expected) => {
    expect(detail(eventName, fields)).toEqual(expected);
  });

  it('reads selectors and names of trails', () => {
    const trail = (eventName: string, requestParameters: Fields): EventDetail | null =>
      eventOf(control(eventName, { eventSource: 'cloudtrail.amazonaws.com', requestParameters, resources: undefined })).detail;
    const eventSelectors = [{ readWriteType: 'All', includeManagementEvents: true, excludeManagementEventSources: ['kms.amazonaws.com'] }];
    const advancedEventSelectors = [{ fieldSelectors: [{ field: 'eventSource', notEquals: ['kms.amazonaws.com'] }] }];
    expect(trail('PutEventSelectors', { trailName: 't', eventSelectors, advancedEventSelectors })).toEqual({
      trailName: 't',
      eventSelectors,
      advancedEventSelectors,
    });
    expect(trail('StopLogging', { name: 'arn:aws:cloudtrail:eu-central-1:1:trail/t' })).toEqual({
      trailName: 'arn:aws:cloudtrail:eu-central-1:1:trail/t',
    });
  });

  it('loses selectors that are too deep rather than keeping half of them', () => {
    let deep: unknown = 'kms.amazonaws.com';
    for (let level = 0; level < 20; level++) deep = [deep];
    const event = eventOf(
      control('PutEventSelectors', {
        eventSource: 'cloudtrail.amazonaws.com',
        requestParameters: { trailName: 't', eventSelectors: [{ deep }] },
      }),
    );
    expect(event.detail).toEqual({ trailName: 't' });
    expect(event.lostFields).toEqual(['requestParameters.eventSelectors']);
  });

  it('loses numbers that are none', () => {
    const event = eventOf(
      control('ScheduleKeyDeletion', {
        requestParameters: { pendingWindowInDays: '7' },
        responseElements: { pendingWindowInDays: 7.5, deletionDate: 'soon' },
      }),
    );
    expect(event.detail).toEqual({ pendingWindowInDays: 7 });
    expect(event.lostFields.toSorted()).toEqual(['responseElements.deletionDate', 'responseElements.pendingWindowInDays']);
  });
});
