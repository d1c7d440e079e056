import { describe, expect, test } from 'vitest';
import type { CallProfile, Habit } from '../../../services/core/habit.ts';
import { atStake } from '../../../services/detectors/at-stake.ts';
import type { AliasSubject, KeySubject, Organization } from '../../../services/detectors/contract.ts';
import { ADMIN, KEY, OTHER_KEY } from '../keys/fabricate.ts';

const NOBODY: Organization = { ownAccounts: new Set(), logKeys: new Set() };

function habit(profile: Partial<CallProfile>): Habit {
  return {
    actor: ADMIN,
    profile: {
      account: '111122223333',
      region: 'eu-west-1',
      operation: 'kms:Decrypt',
      operationClass: 'use',
      callingService: null,
      network: null,
      userAgent: null,
      vpcEndpoint: null,
      contextShape: null,
      material: null,
      console: false,
      mfa: null,
      ...profile,
    },
    count: 1,
    days: 1,
    firstAt: 0,
    firstEventId: 'a',
    lastAt: 0,
    lastEventId: 'a',
  };
}

function key(profiles: readonly Partial<CallProfile>[], more: Partial<KeySubject> = {}): KeySubject {
  return {
    kind: 'key',
    arn: KEY,
    account: '111122223333',
    region: 'eu-west-1',
    facts: {},
    timeline: [],
    uses: [],
    failures: [],
    aliases: [],
    protectsLogs: false,
    habits: profiles.map(habit),
    ...more,
  };
}

describe('what a key protects', () => {
  const WHAT = 'What the key protects, as its records show:';

  test.each([
    [[{ contextShape: 'aws:s3:arn', callingService: 's3' }], `${WHAT} S3 objects.`],
    [
      [{ contextShape: 'SecretARN,SecretVersionId' }, { contextShape: 'aws:ebs:id' }],
      `${WHAT} EBS volumes and snapshots, secrets of Secrets Manager.`,
    ],
    [[{ contextShape: 'aws:cloudtrail:arn,aws:s3:arn' }], `${WHAT} CloudTrail logs.`],
    [[{ contextShape: 'customer,tenant' }], `${WHAT} data with customer, tenant in the encryption context.`],
    [[{ callingService: 'glue' }], `${WHAT} data of glue.`],
    [[{ operation: 'kms:Sign' }, { operation: 'kms:GenerateMac' }], `${WHAT} message authentication codes, signatures.`],
    [[{ contextShape: 'a\u0007\u202eb' }], `${WHAT} data with a  b in the encryption context.`],
    // Nothing is known of it: nothing is said.
    [[{}], ''],
    [[{ callingService: 'aws-internal' }], ''],
    [[{ operation: 'kms:DescribeKey', operationClass: 'read', callingService: 's3' }], ''],
    [[], ''],
  ] as const)('%j', (profiles, expected) => {
    expect(atStake(key(profiles), KEY, NOBODY)).toBe(expected);
  });

  test('names logs that the key is known to protect, and clips what is long', () => {
    expect(atStake(key([], { protectsLogs: true }), KEY, NOBODY)).toBe(`${WHAT} CloudTrail logs.`);
    const many = Array.from({ length: 9 }, (_, n) => ({ callingService: `service${n}` }));
    expect(atStake(key(many), KEY, NOBODY)).toMatch(/data of service5 and 3 more\.$/);
  });

  test('is not told of another key', () => {
    expect(atStake(key([{ contextShape: 'aws:s3:arn' }]), OTHER_KEY, NOBODY)).toBe('');
  });
});

describe('what the configuration says of a key', () => {
  const said = (one: Partial<NonNullable<Organization['keys']>[number]>): Organization => ({
    ...NOBODY,
    keys: [{ arn: null, tag: null, criticality: null, owner: null, ...one }],
  });
  const tags = { data: { value: 'customer', at: 1, origin: 'x' } };

  test.each([
    [
      { arn: KEY, criticality: 'critical', owner: 'team-crm' },
      'By the configuration the key is of critical criticality and belongs to team-crm.',
    ],
    [{ arn: KEY, criticality: 'low' }, 'By the configuration the key is of low criticality.'],
    [{ arn: KEY, owner: 'team-crm' }, 'By the configuration the key belongs to team-crm.'],
    [{ tag: { key: 'data', value: 'customer' }, criticality: 'high' }, 'By the configuration the key is of high criticality.'],
    [{ arn: OTHER_KEY, criticality: 'critical' }, ''],
    [{ tag: { key: 'data', value: 'other' }, criticality: 'critical' }, ''],
  ] as const)('%j', (one, expected) => {
    expect(atStake(key([], { facts: { tags } }), KEY, said(one))).toBe(expected);
  });

  test('is told in findings of aliases and accounts too, by tags as far as they are known there', () => {
    const alias: AliasSubject = {
      kind: 'alias',
      arn: 'arn:aws:kms:eu-west-1:111122223333:alias/orders',
      account: '111122223333',
      region: 'eu-west-1',
      timeline: [],
      lastUsed: {},
      targets: { [KEY]: { tags } },
    };
    const byTag = said({ tag: { key: 'data', value: 'customer' }, owner: 'team-crm' });
    expect(atStake(alias, KEY, byTag)).toBe('By the configuration the key belongs to team-crm.');
    expect(atStake(alias, OTHER_KEY, byTag)).toBe('');
    const account = { kind: 'account', account: '111122223333', timeline: [], conflicts: [] } as const;
    expect(atStake(account, KEY, byTag)).toBe('');
    expect(atStake(account, KEY, said({ arn: KEY, owner: 'team-crm' }))).toBe('By the configuration the key belongs to team-crm.');
  });
});
