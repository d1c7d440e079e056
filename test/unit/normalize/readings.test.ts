import { describe, expect, it } from 'vitest';
import { parseMoment } from '../../../services/normalize/dates.ts';
import { parseNetwork } from '../../../services/normalize/network.ts';
import { outcomeOf } from '../../../services/normalize/outcome.ts';
import { serviceName } from '../../../services/normalize/service-name.ts';
import { userAgentFamily } from '../../../services/normalize/user-agent.ts';
import { eventOf, record } from './records.ts';

describe('parseMoment', () => {
  it.each<[unknown, string]>([
    ['2026-02-03T09:15:42Z', '2026-02-03T09:15:42.000Z'],
    ['2026-02-03T09:15:42.123456Z', '2026-02-03T09:15:42.123Z'],
    ['2026-02-03 09:15:42', '2026-02-03T09:15:42.000Z'],
    ['2022-02-08 09:23:37+11:00', '2022-02-07T22:23:37.000Z'],
    ['2022-02-08T09:23:37-0330', '2022-02-08T12:53:37.000Z'],
    ['2016-12-31T23:59:60Z', '2017-01-01T00:00:00.000Z'],
    ['Aug 10, 2022, 10:38:27 PM', '2022-08-10T22:38:27.000Z'],
    ['Apr 12, 2021 18:58:30 PM', '2021-04-12T18:58:30.000Z'],
    ['May 21, 2025, 5:47:45 AM', '2025-05-21T05:47:45.000Z'],
    ['Jan 1, 2021 8:00:00 PM', '2021-01-01T20:00:00.000Z'],
    ['Jan 1, 2021, 12:00:01 AM', '2021-01-01T00:00:01.000Z'],
    ['Jan 1, 2021, 12:00:01 PM', '2021-01-01T12:00:01.000Z'],
    ['Mar 4, 2026, 5:06:07\u202fPM', '2026-03-04T17:06:07.000Z'],
    [1_770_110_142, '2026-02-03T09:15:42.000Z'],
    [1_770_110_142_500, '2026-02-03T09:15:42.500Z'],
    ['1770110142', '2026-02-03T09:15:42.000Z'],
    [1_770_110_142.25, '2026-02-03T09:15:42.250Z'],
  ])('reads %j as %s', (value, expected) => {
    expect(new Date(parseMoment(value) ?? Number.NaN).toISOString()).toBe(expected);
  });

  it.each<[unknown]>([
    ['2026-02-30T00:00:00Z'],
    ['2026-13-01T00:00:00Z'],
    ['2026-01-01T24:00:00Z'],
    ['2026-01-01T00:60:00Z'],
    ['2026-01-01T00:00:00+99:00'],
    ['0070-01-01T00:00:00Z'],
    ['Foo 1, 2021 8:00:00 PM'],
    ['Feb 29, 2021, 8:00:00 PM'],
    ['tomorrow'],
    [''],
    [-1],
    [0],
    [Number.NaN],
    [Number.POSITIVE_INFINITY],
    [1e300],
    [true],
    [null],
    [[2026]],
  ])('does not read %j', (value) => {
    expect(parseMoment(value)).toBeNull();
  });
});

describe('outcomeOf', () => {
  it.each<[string | null, string | null, string]>([
    [null, null, 'ok'],
    ['AccessDenied', null, 'denied'],
    ['AccessDeniedException', null, 'denied'],
    ['VpceAccessDenied', null, 'denied'],
    ['Client.UnauthorizedOperation', null, 'denied'],
    ['DisabledException', 'arn:aws:kms:eu-west-1:1:key/a is disabled.', 'disabled'],
    ['DisabledException', 'arn:aws:kms:eu-west-1:1:key/a is pending deletion.', 'pending-deletion'],
    ['KMSInvalidStateException', 'arn:aws:kms:eu-west-1:1:key/a is pending deletion.', 'pending-deletion'],
    ['KMSInvalidStateException', 'arn:aws:kms:eu-west-1:1:key/a is pending replica deletion.', 'pending-deletion'],
    ['KMSInvalidStateException', 'arn:aws:kms:eu-west-1:1:key/a is pending import.', 'invalid-state'],
    ['KMSInvalidStateException', null, 'invalid-state'],
    ['KeyUnavailableException', null, 'invalid-state'],
    ['NotFoundException', 'Key does not exist', 'not-found'],
    ['TrailNotFoundException', null, 'not-found'],
    ['ThrottlingException', 'Rate exceeded', 'throttled'],
    ['Throttling', null, 'throttled'],
    ['DryRunOperationException', null, 'dry-run'],
    ['InvalidCiphertextException', null, 'other'],
    ['LimitExceededException', null, 'other'],
    ['ValidationException', 'the description says: is pending deletion', 'other'],
    [null, 'User: x is not authorized to perform: kms:Decrypt', 'denied'],
    [null, 'Failed authentication', 'other'],
  ])('%s, %j is %s', (code, message, expected) => {
    expect(outcomeOf(code, message)).toBe(expected);
  });

  it('takes an error code of the wrong type for an error', () => {
    expect(eventOf(record({ errorCode: 500 }))).toMatchObject({ outcome: 'other', errorCode: '500', lostFields: ['errorCode'] });
    expect(eventOf(record({ errorCode: '' }))).toMatchObject({ outcome: 'ok', errorCode: null });
  });
});

describe('parseNetwork', () => {
  it.each<[string, string, string]>([
    ['203.0.113.7', 'ip', '203.0.0.0/16'],
    ['172.01.01.001', 'ip', '172.1.0.0/16'],
    ['::ffff:203.0.113.7', 'ip', '203.0.0.0/16'],
    ['10.1.2.3', 'ip', 'private'],
    ['172.16.0.1', 'ip', 'private'],
    ['172.32.0.1', 'ip', '172.32.0.0/16'],
    ['192.168.3.4', 'ip', 'private'],
    ['192.169.3.4', 'ip', '192.169.0.0/16'],
    ['100.64.0.1', 'ip', 'private'],
    ['100.128.0.1', 'ip', '100.128.0.0/16'],
    ['127.0.0.1', 'ip', 'private'],
    ['169.254.169.254', 'ip', 'private'],
    ['2001:DB8:1::7', 'ip', '2001:db8::/32'],
    ['2001:0db8:0000:0000:0000:0000:0000:0007', 'ip', '2001:db8::/32'],
    ['fd00::1', 'ip', 'private'],
    ['fe80::1', 'ip', 'private'],
    ['::1', 'ip', 'private'],
    ['secretsmanager.amazonaws.com', 'service', 'secretsmanager'],
    ['workmail.eu-west-1.amazonaws.com', 'service', 'workmail'],
    ['AWS Internal', 'aws-internal', 'aws-internal'],
    ['AWS Internal/#', 'aws-internal', 'aws-internal'],
    ['&AWS; Internal', 'aws-internal', 'aws-internal'],
    ['internal.amazonaws.com', 'aws-internal', 'aws-internal'],
  ])('%s is of kind %s and counts as %s', (address, kind, prefix) => {
    expect(parseNetwork(address)).toEqual({ kind, address, prefix });
  });

  it.each(['...', '256.1.1.1', '1.2.3', '1:2:3', '::1::', ':::', '12345::', 'AWS Internal\u0000x', 'x'.repeat(200)])(
    'knows no network in %j',
    (text) => {
      expect(parseNetwork(text)).toBeNull();
    },
  );
});

describe('serviceName', () => {
  it.each([
    ['dynamodb.us-west-2.amazonaws.com', 'dynamodb'],
    ['delivery.logs.amazonaws.com', 'delivery.logs'],
    ['us-east-1.signin.amazonaws.com', 'signin'],
    ['ec2-frontend-api.amazonaws.com', 'ec2-frontend-api'],
    ['kms.cn-north-1.amazonaws.com.cn', 'kms'],
    ['amazonaws.com', null],
    ['kms.amazonaws.com.example.org', null],
  ])('%s is %s', (text, name) => {
    expect(serviceName(text)).toBe(name);
  });
});

describe('userAgentFamily', () => {
  it.each([
    ['aws-cli/2.17.32 md/awscrt#0.21.2 ua/2.0 os/linux#6.1 md/command#kms.decrypt', 'aws-cli'],
    ['[aws-cli/1.18.136 Python/3.8.5 Darwin/19.5.0 botocore/1.17.59]', 'aws-cli'],
    ['Boto3/1.34.0 md/Botocore#1.34.0 ua/2.0 os/linux#5.10', 'boto3'],
    ['Botocore/1.34.0', 'botocore'],
    ['aws-sdk-go-v2/1.32.3 os/linux lang/go#1.23.1', 'aws-sdk-go'],
    ['aws-sdk-java/2.20.1 Linux/5.10', 'aws-sdk-java'],
    ['aws-sdk-nodejs/2.1.0 linux/v18', 'aws-sdk-js'],
    ['aws-sdk-ruby3/3.190.0', 'aws-sdk-ruby'],
    ['APN/1.0 HashiCorp/1.0 Terraform/1.11.0 (+https://www.terraform.io) terraform-provider-aws/5.0 aws-sdk-go-v2/1.1', 'terraform'],
    ['Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36', 'console'],
    ['console.ec2.amazonaws.com', 'console'],
    ['[S3Console/0.4]', 'console'],
    ['EC2ConsoleFrontend, aws-internal/3 aws-sdk-java/1.11.848', 'aws-internal'],
    ['AWS Internal', 'aws-internal'],
    ['secretsmanager.amazonaws.com', 'secretsmanager'],
    ['aws-cli/2.1 Python/3.9 Linux/5.18.0-kali5-amd64', 'kali-linux'],
    ['Coral/Netty4', 'coral'],
    ['mytool_ea782787-a65d-4fc4-9fca-1c97869a9a25', 'mytool'],
    ['...', '...'],
    ['\u0000\u0001', null],
  ])('%s is %s', (userAgent, family) => {
    expect(userAgentFamily(userAgent)).toBe(family);
  });
});
