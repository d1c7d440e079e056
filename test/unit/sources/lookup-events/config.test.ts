import { expect, test } from 'vitest';
import { type LookupEventsConfig, lookupEventsSchema } from '../../../../services/sources/lookup-events/config.ts';
import { filterName } from '../../../../services/sources/lookup-events/filter.ts';
import { targetsOf } from '../../../../services/sources/lookup-events/target.ts';

const SERVICES = ['kms', 'cloudtrail', 's3'];

function parse(settings: object): LookupEventsConfig {
  return lookupEventsSchema.parse(settings);
}

test('each account is polled in its own or the common Regions, by its own or the common role of the right partition', () => {
  const targets = targetsOf(
    parse({
      role_name: 'reader',
      external_id: 'ours',
      regions: ['eu-west-1', 'eu-west-1', 'us-east-1'],
      accounts: [
        { account: '111122223333' },
        { account: '444455556666', regions: ['cn-north-1'] },
        { account: '777788889999', regions: ['eu-west-1'], role_arn: 'arn:aws:iam::777788889999:role/x/own', external_id: 'theirs' },
      ],
    }),
    SERVICES,
  );
  expect(targets.map(({ account, region, role }) => [account, region, role?.arn, role?.externalId])).toEqual([
    ['111122223333', 'eu-west-1', 'arn:aws:iam::111122223333:role/reader', 'ours'],
    ['111122223333', 'us-east-1', 'arn:aws:iam::111122223333:role/reader', 'ours'],
    ['444455556666', 'cn-north-1', 'arn:aws-cn:iam::444455556666:role/reader', 'ours'],
    ['777788889999', 'eu-west-1', 'arn:aws:iam::777788889999:role/x/own', 'theirs'],
  ]);
  expect(targetsOf(parse({ accounts: [{ account: '111122223333', regions: ['eu-west-1'] }] }), SERVICES)[0]?.role).toBeNull();
});

test('each mode asks for what it needs and no more, each question on its own', () => {
  const filters = (account: object): string[] => {
    const targets = targetsOf(parse({ regions: ['eu-west-1'], accounts: [{ account: '111122223333', ...account }] }), SERVICES);
    return targets[0]!.filters.map(filterName);
  };
  expect(filters({})).toEqual(['EventSource=kms.amazonaws.com', 'ReadOnly=false']);
  expect(
    targetsOf(parse({ regions: ['eu-west-1'], accounts: [{ account: '111122223333' }] }), ['kms'])[0]?.filters.map(filterName),
  ).toEqual(['EventSource=kms.amazonaws.com']);
  expect(filters({ mode: 'write-only' })).toEqual(['ReadOnly=false']);
  expect(filters({ mode: 'operations', operations: ['PutKeyPolicy', 'DisableKey'] })).toEqual([
    'EventName=PutKeyPolicy',
    'EventName=DisableKey',
    'ReadOnly=false',
  ]);
});

test.each([
  [{ accounts: [] }, 'accounts'],
  [{ accounts: [{ account: '1111' }], regions: ['eu-west-1'] }, 'accounts.0.account'],
  [{ accounts: [{ account: '111122223333' }] }, 'accounts.0.regions'],
  [{ accounts: [{ account: '111122223333' }, { account: '111122223333' }], regions: ['eu-west-1'] }, 'accounts.1.account'],
  [
    { accounts: [{ account: '111122223333', role_arn: 'arn:aws:iam::444455556666:role/x' }], regions: ['eu-west-1'] },
    'accounts.0.role_arn',
  ],
  [{ accounts: [{ account: '111122223333', mode: 'operations' }], regions: ['eu-west-1'] }, 'accounts.0.operations'],
  [{ accounts: [{ account: '111122223333', operations: ['DisableKey'] }], regions: ['eu-west-1'] }, 'accounts.0.operations'],
  [{ accounts: [{ account: '111122223333' }], regions: ['europe'] }, 'regions.0'],
  [{ accounts: [{ account: '111122223333' }], regions: ['eu-west-1'], lookback_days: 91 }, 'lookback_days'],
  [{ accounts: [{ account: '111122223333' }], regions: ['eu-west-1'], lookbackDays: 9 }, ''],
])('%j is refused at %s', (settings, path) => {
  const parsed = lookupEventsSchema.safeParse(settings);
  expect(parsed.error?.issues.map((issue) => issue.path.join('.'))).toContain(path);
});
