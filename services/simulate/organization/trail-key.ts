import { trailPolicy } from '../policies.ts';
import type { World } from '../world.ts';
import type { AccountPlan } from './accounts.ts';
import { AGENTS } from '../callers.ts';
import type { LivingKey } from './keys.ts';
import { livingKey } from './keys.ts';
import { workloadOf } from './workload.ts';

/** The security account's first key: CloudTrail encrypts the organization's log files with it, the forwarder reads them. */
export function trailKey(world: World, security: AccountPlan, accounts: readonly AccountPlan[]): LivingKey {
  const reader = { account: security.id, role: 'siem-forwarder' };
  const key = livingKey(world, { account: security, purpose: 's3', noun: 'cloudtrail', nat: '198.51.100.99' }, () =>
    trailPolicy(
      security.id,
      accounts.map(({ id }) => id),
      [`arn:aws:iam::${security.id}:role/${reader.role}`],
    ),
  );
  const context = {
    'aws:cloudtrail:arn': `arn:aws:cloudtrail:us-east-1:${security.id}:trail/larkspur-org`,
    'aws:s3:arn': 'arn:aws:s3:::larkspur-org-trail',
  };
  return {
    ...key,
    workloads: [
      workloadOf(world, {
        ...reader,
        through: 's3.amazonaws.com',
        agent: AGENTS.boto,
        runsOn: { session: 'siem-forwarder' },
        endpoint: null,
        nat: '198.51.100.99',
      }),
    ],
    context: () => context,
  };
}
