import { expect } from 'vitest';
import type { KmsEvent } from '../../../services/core/event.ts';
import type { Normalized } from '../../../services/normalize/contract.ts';
import { normalize } from '../../../services/normalize/normalize.ts';

export type Fields = Record<string, unknown>;

export const ACCOUNT = '210987654321';
export const REGION = 'eu-central-1';
export const KEY = `arn:aws:kms:${REGION}:${ACCOUNT}:key/5f0c2b1e-7a3d-4c7e-9b61-0d2f4e8a9c10`;
export const OTHER_KEY = `arn:aws:kms:${REGION}:${ACCOUNT}:key/9b1d7c44-2f0e-4a58-8c3e-6f5a1b2c3d4e`;
export const ALIAS = `arn:aws:kms:${REGION}:${ACCOUNT}:alias/payments`;

export function keyResource(arn: string): Fields {
  return { accountId: ACCOUNT, type: 'AWS::KMS::Key', ARN: arn };
}

export const ROLE_SESSION: Fields = {
  type: 'AssumedRole',
  principalId: 'AROAEXAMPLEROLEID:deploy-7',
  arn: `arn:aws:sts::${ACCOUNT}:assumed-role/payments-api/deploy-7`,
  accountId: ACCOUNT,
  accessKeyId: 'ASIAEXAMPLEKEYID',
  sessionContext: {
    sessionIssuer: {
      type: 'Role',
      principalId: 'AROAEXAMPLEROLEID',
      arn: `arn:aws:iam::${ACCOUNT}:role/service/payments-api`,
      accountId: ACCOUNT,
    },
    attributes: { creationDate: '2026-02-03T08:00:00Z', mfaAuthenticated: 'false' },
  },
};

/** A Decrypt by a role, with the given fields replaced; undefined takes a field away. */
export function record(fields: Fields = {}): Fields {
  return {
    eventVersion: '1.11',
    userIdentity: ROLE_SESSION,
    eventTime: '2026-02-03T09:15:42Z',
    eventSource: 'kms.amazonaws.com',
    eventName: 'Decrypt',
    awsRegion: REGION,
    sourceIPAddress: '198.51.100.23',
    userAgent: 'aws-cli/2.17.32 md/awscrt#0.21.2 ua/2.0 os/linux#6.1 lang/python#3.11.9',
    requestParameters: { encryptionAlgorithm: 'SYMMETRIC_DEFAULT', encryptionContext: { tenant: 'blue' } },
    responseElements: null,
    requestID: '3f1f0a52-64d1-4a55-9a26-1d1f6f0b7c11',
    eventID: '7c0a3d2e-11f4-4b9e-8a55-c2d3e4f5a6b7',
    readOnly: true,
    resources: [keyResource(KEY)],
    eventType: 'AwsApiCall',
    managementEvent: true,
    recipientAccountId: ACCOUNT,
    eventCategory: 'Management',
    ...fields,
  };
}

/** A control operation with nothing in it but what is given. */
export function control(eventName: string, fields: Fields = {}): Fields {
  return record({ eventName, readOnly: false, requestParameters: null, ...fields });
}

export function run(value: unknown): Normalized {
  return normalize(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)), everything);
}

/** The event of a record that must have one. */
export function eventOf(value: unknown): KmsEvent {
  const normalized = run(value);
  expect(normalized.outcome).toBe('ok');
  if (normalized.outcome !== 'ok') throw new Error(JSON.stringify(normalized));
  return normalized.event;
}

export function everything(): boolean {
  return true;
}
