import { describe, expect, test } from 'vitest';
import type { EventDetail } from '../../../services/core/event.ts';
import { normalize } from '../../../services/normalize/normalize.ts';
import { record } from './records.ts';

const ALL = () => true;

function detailOf(service: string, eventName: string, requestParameters: unknown, responseElements: unknown = null): EventDetail | null {
  const fields = {
    ...record(),
    eventSource: `${service}.amazonaws.com`,
    eventName,
    readOnly: false,
    resources: undefined,
    requestParameters,
    responseElements,
  };
  const result = normalize(Buffer.from(JSON.stringify(fields)), ALL);
  if (result.outcome !== 'ok') throw new Error(JSON.stringify(result));
  expect(result.event.operationClass).toBe('control');
  return result.event.detail;
}

const lifecycle = (Rule: unknown) =>
  detailOf('s3', 'PutBucketLifecycle', { bucketName: 'logs', LifecycleConfiguration: { Rule } })?.expiryDays;

describe('what calls to other services say', () => {
  test.each([
    [
      'sqs',
      'PurgeQueue',
      { queueUrl: 'https://sqs.eu-west-1.amazonaws.com/111122223333/q' },
      { resource: 'https://sqs.eu-west-1.amazonaws.com/111122223333/q' },
    ],
    ['events', 'RemoveTargets', { rule: 'r', ids: ['1'] }, { resource: 'r' }],
    ['events', 'PutRule', { name: 'r', state: 'DISABLED' }, { resource: 'r', setTo: 'Disabled' }],
    [
      'iam',
      'AttachRolePolicy',
      { roleName: 'reader', policyArn: 'arn:aws:iam::aws:policy/X' },
      { resource: 'reader', part: 'arn:aws:iam::aws:policy/X' },
    ],
    ['s3', 'DeleteObject', { bucketName: 'logs', key: 'AWSLogs/x' }, { resource: 'logs', part: 'AWSLogs/x' }],
    [
      's3',
      'PutBucketVersioning',
      { bucketName: 'logs', VersioningConfiguration: { Status: 'Suspended' } },
      { resource: 'logs', setTo: 'Suspended' },
    ],
    [
      's3',
      'PutBucketReplication',
      { bucketName: 'logs', ReplicationConfiguration: { Rule: [{ Status: 'Disabled' }, { Status: 'Enabled' }] } },
      { resource: 'logs', setTo: 'Enabled' },
    ],
    [
      'ec2',
      'ModifySnapshotAttribute',
      { snapshotId: 'snap-1', createVolumePermission: { add: { items: [{ userId: '2' }, { userId: '1' }] } } },
      { resource: 'snap-1', sharedWith: ['1', '2'] },
    ],
    [
      'ec2',
      'ModifySnapshotAttribute',
      { snapshotId: 'snap-1', createVolumePermission: { add: { items: [{ group: 'all' }] } } },
      { resource: 'snap-1', sharedWith: ['all'] },
    ],
    [
      'ec2',
      'ModifySnapshotAttribute',
      { snapshotId: 'snap-1', createVolumePermission: { remove: { items: [{ userId: '2' }] } } },
      { resource: 'snap-1' },
    ],
    ['ec2', 'ModifyEbsDefaultKmsKeyId', { ModifyEbsDefaultKmsKeyIdRequest: { KmsKeyId: 'alias/x' } }, { kmsKeyId: 'alias/x' }],
    [
      'rds',
      'ModifyDBSnapshotAttribute',
      { dBSnapshotIdentifier: 's', attributeName: 'restore', valuesToAdd: ['1'] },
      { resource: 's', sharedWith: ['1'] },
    ],
    ['rds', 'ModifyDBSnapshotAttribute', { dBSnapshotIdentifier: 's', attributeName: 'other', valuesToAdd: ['1'] }, { resource: 's' }],
    ['lambda', 'UpdateFunctionCode', { functionName: 'f' }, null],
  ] as const)('%s %s %j', (service, operation, request, expected) => {
    expect(detailOf(service, operation, request)).toEqual(expected);
  });

  test('a lifecycle is as short as its shortest enabled rule; dates and aborted uploads are no days', () => {
    expect(lifecycle({ Status: 'Enabled', Expiration: { Days: 90 } })).toBe(90);
    expect(
      lifecycle([
        { Status: 'Enabled', Expiration: { Days: 90 } },
        { Status: 'Enabled', NoncurrentVersionExpiration: { NoncurrentDays: '7' } },
      ]),
    ).toBe(7);
    expect(
      lifecycle([
        { Status: 'Disabled', Expiration: { Days: 1 } },
        { Status: 'Enabled', Expiration: { Days: 90 } },
      ]),
    ).toBe(90);
    expect(
      lifecycle({ Status: 'Enabled', Expiration: { Date: '2026-01-01' }, AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } }),
    ).toBeUndefined();
    expect(lifecycle('nonsense')).toBeUndefined();
  });

  test('a policy is told from another one by its digest, whatever its whitespace; the policy itself is not kept', () => {
    const digest = (policy: unknown) => detailOf('s3', 'PutBucketPolicy', { bucketName: 'logs', bucketPolicy: policy })?.policyDigest;
    expect(digest({ Statement: [] })).toMatch(/^[0-9a-f]{32}$/);
    expect(digest('{ "Statement" : [] }')).toBe(digest({ Statement: [] }));
    expect(digest({ Statement: [{}] })).not.toBe(digest({ Statement: [] }));
    const role = detailOf('iam', 'PutRolePolicy', { roleName: 'r', policyName: 'p', policyDocument: '{"Statement":"secret"}' });
    expect(role).toMatchObject({ resource: 'r', part: 'p' });
    expect(JSON.stringify(role)).not.toContain('secret');
  });

  test('trails tell what they are set to; an answer without a key has none', () => {
    const answer = { s3BucketName: 'logs', isMultiRegionTrail: false, includeGlobalServiceEvents: true, logFileValidationEnabled: true };
    expect(detailOf('cloudtrail', 'UpdateTrail', { name: 'main' }, answer)?.trail).toEqual({
      bucket: 'logs',
      multiRegion: false,
      globalEvents: true,
      validation: true,
      kmsKeyId: '',
    });
    expect(detailOf('cloudtrail', 'UpdateTrail', { name: 'main', isMultiRegionTrail: true })?.trail).toEqual({ multiRegion: true });
    expect(detailOf('cloudtrail', 'StopLogging', { name: 'main' })?.trail).toBeUndefined();
  });

  test.each([
    [
      '__proto__ is a name like others',
      'sqs',
      'SetQueueAttributes',
      JSON.parse('{"queueUrl":"q","attributes":{"__proto__":"x"}}'),
      { resource: 'q', attributes: ['__proto__'] },
    ],
    ['fields of a wrong type are left out', 's3', 'PutBucketVersioning', { bucketName: ['x'], VersioningConfiguration: 7 }, null],
    ['texts are bounded', 'events', 'DisableRule', { name: 'x'.repeat(5000) }, { resource: 'x'.repeat(800) }],
  ] as const)('hostile: %s', (_what, service, operation, request, expected) => {
    expect(detailOf(service, operation, request)).toEqual(expected);
  });
});

describe('grants', () => {
  const classOf = (fields: object) => {
    const result = normalize(Buffer.from(JSON.stringify({ ...record(), eventName: 'CreateGrant', readOnly: false, ...fields })), ALL);
    return result.outcome === 'ok' ? result.event.operationClass : result;
  };
  test('that somebody makes directly are acts of control; those of AWS services, and through them, stay apart', () => {
    expect(classOf({})).toBe('control');
    expect(classOf({ userIdentity: { type: 'AWSService', invokedBy: 'ec2.amazonaws.com' } })).toBe('grant');
    expect(classOf({ sourceIPAddress: 'rds.amazonaws.com' })).toBe('grant');
  });
});
