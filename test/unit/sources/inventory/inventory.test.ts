import { describe, expect, test } from 'vitest';
import { AwsFailure, type AwsFailureReason } from '../../../../services/platform/aws.ts';
import { inventorySchema } from '../../../../services/sources/inventory/config.ts';
import { placesOf } from '../../../../services/sources/inventory/place.ts';
import { refusalOf } from '../../../../services/sources/inventory/refusal.ts';

function failure(reason: AwsFailureReason, code: string, message = ''): AwsFailure {
  return new AwsFailure(reason, { code, message });
}

describe('configuration', () => {
  test('names each account in each of its Regions, with the role of its partition', () => {
    const config = inventorySchema.parse({
      accounts: [{ account: '111122223333' }, { account: '444455556666', regions: ['cn-north-1', 'cn-north-1'], external_id: 'own' }],
      regions: ['eu-west-1', 'us-east-1'],
      role_name: 'audit/reader',
      external_id: 'ours',
    });
    expect(placesOf(config)).toEqual([
      { account: '111122223333', region: 'eu-west-1', role: { arn: 'arn:aws:iam::111122223333:role/audit/reader', externalId: 'ours' } },
      { account: '111122223333', region: 'us-east-1', role: { arn: 'arn:aws:iam::111122223333:role/audit/reader', externalId: 'ours' } },
      { account: '444455556666', region: 'cn-north-1', role: { arn: 'arn:aws-cn:iam::444455556666:role/audit/reader', externalId: 'own' } },
    ]);
    expect(config).toMatchObject({ every_hours: 24, requests_per_second: 50, places: 4, drift_grace_minutes: 30 });
  });

  test.each([
    ['no account', { accounts: [] }],
    ['an account without Regions', { accounts: [{ account: '111122223333' }] }],
    ['an account twice', { accounts: [{ account: '111122223333' }, { account: '111122223333' }], regions: ['eu-west-1'] }],
    [
      'a role of another account',
      { accounts: [{ account: '111122223333', role_arn: 'arn:aws:iam::444455556666:role/a' }], regions: ['eu-west-1'] },
    ],
    [
      'more requests than the least quota allows',
      { accounts: [{ account: '111122223333' }], regions: ['eu-west-1'], requests_per_second: 101 },
    ],
    ['a setting that is none', { accounts: [{ account: '111122223333', mode: 'all' }], regions: ['eu-west-1'] }],
  ])('is refused with %s', (_, config) => expect(inventorySchema.safeParse(config).success).toBe(false));
});

describe('a failure', () => {
  test.each([
    [
      'access-denied',
      'AccessDeniedException',
      'because no resource-based policy allows the kms:DescribeKey action',
      'denied-by-key-policy',
    ],
    [
      'access-denied',
      'AccessDeniedException',
      'because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access',
      'denied-by-key-policy',
    ],
    [
      'access-denied',
      'AccessDeniedException',
      'because no identity-based policy allows the kms:ListGrants action',
      'denied-by-identity-policy',
    ],
    ['access-denied', 'AccessDeniedException', 'with an explicit deny in a service control policy', 'denied-by-organization-policy'],
    ['access-denied', 'AccessDeniedException', 'no', 'access-denied'],
    ['service-error', 'KMSInternalException', '', 'service-error'],
    ['request-invalid', 'KMSInvalidStateException', '', 'refused'],
  ] as const)('%s %s "%s" is a refusal of one call: %s', (reason, code, message, expected) =>
    expect(refusalOf(failure(reason, code, message))).toBe(expected),
  );

  test.each([
    ['access-denied', 'UnrecognizedClientException'],
    ['access-denied', 'WrongAccount'],
    ['credentials-missing', 'CredentialsProviderError'],
    ['network', 'ECONNRESET'],
    ['throttled', 'ThrottlingException'],
    ['unknown', 'Error'],
  ] as const)('%s %s is about more than one key', (reason, code) => expect(refusalOf(failure(reason, code))).toBeNull());
});
