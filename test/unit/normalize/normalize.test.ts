import { describe, expect, it } from 'vitest';
import { normalize } from '../../../services/normalize/normalize.ts';
import { ACCOUNT, control, eventOf, KEY, OTHER_KEY, record, REGION, run } from './records.ts';

describe('normalize', () => {
  it('reads every fact of an ordinary record', () => {
    expect(eventOf(record({ tlsDetails: { tlsVersion: 'TLSv1.3' }, vpcEndpointId: 'vpce-0a1b2c3d', sharedEventID: 'e1d2' }))).toMatchObject(
      {
        eventId: '7c0a3d2e-11f4-4b9e-8a55-c2d3e4f5a6b7',
        eventTime: Date.UTC(2026, 1, 3, 9, 15, 42),
        account: ACCOUNT,
        region: REGION,
        eventVersion: '1.11',
        eventType: 'AwsApiCall',
        service: 'kms',
        operation: 'Decrypt',
        operationClass: 'use',
        readOnly: true,
        key: { arn: KEY, kind: 'key', account: ACCOUNT, region: REGION },
        otherKey: null,
        actor: { type: 'role', id: `arn:aws:iam::${ACCOUNT}:role/service/payments-api`, account: ACCOUNT, name: 'payments-api' },
        session: { name: 'deploy-7', accessKeyId: 'ASIAEXAMPLEKEYID', mfa: false, console: false },
        callingService: null,
        network: { kind: 'ip', address: '198.51.100.23', prefix: '198.51.0.0/16' },
        userAgentFamily: 'aws-cli',
        vpcEndpoint: 'vpce-0a1b2c3d',
        tlsVersion: 'TLSv1.3',
        outcome: 'ok',
        errorCode: null,
        encryptionContext: { shape: 'tenant', values: { tenant: 'blue' } },
        sharedEventId: 'e1d2',
        requestId: '3f1f0a52-64d1-4a55-9a26-1d1f6f0b7c11',
        correctsEventId: null,
        dryRun: false,
        detail: null,
        protectsLogs: false,
        lostFields: [],
      },
    );
  });

  it('drops what the filter does not want, however broken it is', () => {
    const onlyKms = (service: string): boolean => service === 'kms';
    const dropped = (value: unknown): unknown => normalize(Buffer.from(JSON.stringify(value)), onlyKms);
    expect(dropped(record({ eventSource: 'ec2.amazonaws.com', eventID: undefined, eventVersion: '9.0' }))).toEqual({ outcome: 'drop' });
    expect(dropped({ eventVersion: '1.07', eventType: 'AwsCloudTrailInsight', eventCategory: 'Insight' })).toEqual({ outcome: 'drop' });
  });

  it('asks the filter with the short service name and the operation, `(none)` where a record has none', () => {
    const asked: string[] = [];
    const ask = (service: string, operation: string): boolean => asked.push(`${service}:${operation}`) < 0;
    for (const fields of [{}, { eventName: undefined, eventType: 'AwsAggregatedEvent' }, { eventSource: 'cloudtrail.amazonaws.com' }]) {
      normalize(Buffer.from(JSON.stringify(record(fields))), ask);
    }
    expect(asked).toEqual(['kms:Decrypt', 'kms:(none)', 'cloudtrail:Decrypt']);
  });

  it.each([
    [{ eventID: undefined }, 'no-event-id'],
    [{ eventID: '' }, 'no-event-id'],
    [{ eventID: '  ' }, 'no-event-id'],
    [{ eventID: 17 }, 'no-event-id'],
    [{ eventID: 'x'.repeat(513) }, 'no-event-id'],
    [{ eventTime: undefined }, 'no-event-time'],
    [{ eventTime: '...' }, 'no-event-time'],
    [{ eventTime: '2026-02-30T00:00:00Z' }, 'no-event-time'],
    [{ eventTime: '1999-12-31T23:59:59Z' }, 'no-event-time'],
    [{ eventTime: '2100-01-01T00:00:00Z' }, 'no-event-time'],
    [{ eventTime: { at: 1 } }, 'no-event-time'],
    [{ eventVersion: '2.0' }, 'unsupported-version'],
    [{ eventVersion: '0.9' }, 'unsupported-version'],
    [{ eventVersion: '11.0' }, 'unsupported-version'],
    [{ eventVersion: 2 }, 'unsupported-version'],
    [{ eventSource: 5 }, 'not-a-record'],
  ])('puts a relevant record with %j aside as %s', (fields, reason) => {
    expect(run(record(fields))).toMatchObject({ outcome: 'quarantine', reason });
  });

  it.each([
    '1.0',
    '1.00',
    '1.01',
    '1.02',
    '1.03',
    '1.04',
    '1.05',
    '1.06',
    '1.07',
    '1.08',
    '1.09',
    '1.10',
    '1.11',
    '1.99',
    '1',
    1.08,
    undefined,
    null,
  ])('accepts eventVersion %j: same major version, any minor', (eventVersion) => {
    expect(run(record({ eventVersion })).outcome).toBe('ok');
  });

  it('takes an unreadable version as lost and reads the record', () => {
    expect(eventOf(record({ eventVersion: '...' }))).toMatchObject({ eventVersion: 'unknown', lostFields: ['eventVersion'] });
  });

  it('reads the spellings of exports: `eventId` and `@timestamp`', () => {
    const spelled = record({
      eventID: undefined,
      eventTime: undefined,
      eventId: record().eventID,
      '@timestamp': '2026-02-03T09:15:42.000Z',
    });
    expect(eventOf(spelled)).toEqual(eventOf(record()));
  });

  it('finds the account of records that do not tell the recipient', () => {
    expect(eventOf(record({ recipientAccountId: undefined })).account).toBe(ACCOUNT);
    const service = { recipientAccountId: undefined, userIdentity: { invokedBy: 'AWS Internal' } };
    expect(eventOf(record(service)).account).toBe(ACCOUNT);
    expect(eventOf(record({ ...service, resources: [{ ARN: KEY, accountId: 'AWS Internal' }] })).account).toBe('unknown');
    expect(eventOf(record({ recipientAccountId: 12345678901 })).account).toBe('012345678901');
  });

  it('finds the Region of records that do not tell it, and never one that would break an ARN', () => {
    expect(eventOf(record({ awsRegion: undefined })).region).toBe(REGION);
    expect(eventOf(record({ awsRegion: undefined, resources: undefined })).region).toBe('unknown');
    expect(eventOf(record({ awsRegion: 'a:b/c' }))).toMatchObject({ region: REGION, lostFields: ['awsRegion'] });
  });

  it('reads truth values that are written as words', () => {
    expect(eventOf(record({ readOnly: 'true' })).readOnly).toBe(true);
    expect(eventOf(record({ readOnly: 'false', sessionCredentialFromConsole: 'true' }))).toMatchObject({
      readOnly: false,
      session: { console: true },
    });
    expect(eventOf(record({ readOnly: undefined })).readOnly).toBeNull();
  });

  it('loses a field of the wrong type, names it, and keeps the record', () => {
    const event = eventOf(
      record({
        userAgent: 7,
        requestParameters: 'text',
        tlsDetails: [],
        resources: [null, { ARN: 4 }],
        readOnly: 'maybe',
        userIdentity: [],
      }),
    );
    expect(event.lostFields.toSorted()).toEqual(
      ['readOnly', 'requestParameters', 'resources[]', 'resources[].ARN', 'tlsDetails', 'userAgent', 'userIdentity'].toSorted(),
    );
    expect(event).toMatchObject({ key: null, readOnly: null, actor: { type: 'unknown' }, encryptionContext: null });
  });

  it('replaces what Postgres refuses and cuts what no index holds', () => {
    const event = eventOf(record({ eventName: 'De\u0000crypt\ud800', vpcEndpointId: '\u20ac'.repeat(5000) }));
    expect(event.operation).toBe('De\ufffdcrypt\ufffd');
    expect(Buffer.byteLength(event.vpcEndpoint ?? '')).toBeLessThan(2704);
  });

  it.each([
    [{ userIdentity: { type: 'AWSService', invokedBy: 'cloudfront.amazonaws.com' } }, 'cloudfront'],
    [{ sourceIPAddress: 'workmail.eu-west-1.amazonaws.com' }, 'workmail'],
    [{ userIdentity: { type: 'IAMUser', invokedBy: 'AWS Internal' }, sourceIPAddress: 'secretsmanager.amazonaws.com' }, 'secretsmanager'],
    [{ sourceIPAddress: 'AWS Internal' }, 'aws-internal'],
    [{ eventContext: { requestContext: { 'kms:ViaService': 's3.eu-west-1.amazonaws.com' } } }, 's3'],
    [{ userAgent: 'AWS Internal' }, null],
  ])('tells through which service a call with %j came: %s', (fields, service) => {
    expect(eventOf(record(fields)).callingService).toBe(service);
  });

  it('tells the key material of use, of imports and of rotations', () => {
    expect(eventOf(record({ additionalEventData: { keyMaterialId: 'aa11' } })).keyMaterialId).toBe('aa11');
    expect(eventOf(record({ additionalEventData: { sourceKeyMaterialId: 'bb22', destinationKeyMaterialId: 'cc33' } })).keyMaterialId).toBe(
      'bb22',
    );
    expect(eventOf(control('RotateKey', { serviceEventDetails: { currentKeyMaterialId: 'dd44' } })).keyMaterialId).toBe('dd44');
    expect(eventOf(control('ImportKeyMaterial', { responseElements: { keyMaterialId: 'ee55' } })).keyMaterialId).toBe('ee55');
  });

  it('links a correction to the event that it corrects', () => {
    expect(eventOf(record({ addendum: { reason: 'UPDATED_DATA', originalEventID: 'old-1' } })).correctsEventId).toBe('old-1');
  });

  it('knows a dry run by its error and by its parameter', () => {
    expect(eventOf(record({ errorCode: 'DryRunOperationException' }))).toMatchObject({ dryRun: true, outcome: 'dry-run' });
    expect(eventOf(record({ requestParameters: { dryRun: true }, errorCode: 'AccessDenied' }))).toMatchObject({
      dryRun: true,
      outcome: 'denied',
    });
  });

  it('sees that a key protects logs only where CloudTrail itself uses it or a trail is given it', () => {
    const context = { requestParameters: { encryptionContext: { 'aws:cloudtrail:arn': 'arn:aws:cloudtrail:eu-central-1:1:trail/t' } } };
    const cloudtrail = { userIdentity: { type: 'AWSService', invokedBy: 'cloudtrail.amazonaws.com' } };
    expect(eventOf(record({ eventName: 'GenerateDataKey', ...context, ...cloudtrail })).protectsLogs).toBe(true);
    expect(eventOf(record({ eventName: 'GenerateDataKey', ...context })).protectsLogs).toBe(false);
    expect(eventOf(record({ eventName: 'GenerateDataKey', ...context, ...cloudtrail, errorCode: 'AccessDenied' })).protectsLogs).toBe(
      false,
    );
    const trail = { eventSource: 'cloudtrail.amazonaws.com', requestParameters: { name: 't', kmsKeyId: OTHER_KEY }, resources: undefined };
    expect(eventOf(control('UpdateTrail', trail))).toMatchObject({ key: { arn: OTHER_KEY }, protectsLogs: true });
    expect(eventOf(control('UpdateTrail', { ...trail, errorCode: 'TrailNotFoundException' })).protectsLogs).toBe(false);
    expect(eventOf(control('UpdateTrail', { ...trail, requestParameters: { name: 't', kmsKeyId: '' } }))).toMatchObject({
      key: null,
      protectsLogs: false,
    });
  });

  it('never quotes the input in the reason for putting it aside', () => {
    const secret = 'account-number-4711';
    const inputs = [
      `{"encryptionContext":{"a":"${secret}"}`,
      record({ eventTime: secret }),
      record({ eventID: undefined, x: secret }),
      `"${secret}"`,
    ];
    for (const input of inputs) expect(JSON.stringify(run(input))).not.toContain(secret);
  });
});
