import { HOUR } from '../../core/clock.ts';
import { AGENTS, roleCaller, via } from '../callers.ts';
import { list, read } from '../operations.ts';
import type { Stream } from '../stream.ts';
import type { Estate, Household } from './organization.ts';
import type { Rhythms } from './rhythms.ts';

/** Two read everything each night: AWS Config, and the security team's scanner with a role in every account. */
export function auditStreams(estate: Estate, rhythms: Rhythms): Stream[] {
  return estate.accounts.flatMap((household) => [config(estate, household, rhythms), scanner(estate, household, rhythms)]);
}

function config(estate: Estate, household: Household, rhythms: Rhythms): Stream {
  const role = { account: household.id, name: 'AWSServiceRoleForConfig', path: '/aws-service-role/config.amazonaws.com/' };
  return {
    name: `config/${household.name}`,
    perDay: 1,
    rhythm: rhythms.nightly(3),
    fixed: true,
    punctual: true,
    weight: household.keys.length + household.regions.length,
    write: (time, scribe) => {
      const session = { session: 'configLambdaExecution', since: time - 1_000, from: '', agent: '' };
      const caller = via(roleCaller(estate.world, role, session), 'config.amazonaws.com');
      for (const region of household.regions) scribe.write({ time, region }, caller, list('ListKeys'));
      for (const [at, { key }] of household.keys.entries())
        scribe.write({ time: time + (at + 1) * 2_000, region: key.region }, caller, read('DescribeKey', key, 'arn'));
    },
  };
}

function scanner(estate: Estate, household: Household, rhythms: Rhythms): Stream {
  const role = { account: household.id, name: 'security-scanner' };
  return {
    name: `scanner/${household.name}`,
    perDay: 1,
    rhythm: rhythms.nightly(2),
    fixed: true,
    punctual: true,
    weight: 3 * household.keys.length + household.regions.length,
    write: (time, scribe) => {
      const since = Math.floor(time / HOUR) * HOUR;
      const caller = roleCaller(estate.world, role, { session: 'nightly-scan', since, from: '198.51.100.99', agent: AGENTS.boto });
      for (const region of household.regions) scribe.write({ time, region }, caller, list('ListAliases'));
      for (const [at, { key }] of household.keys.entries()) {
        for (const [step, operation] of ['GetKeyPolicy', 'ListGrants', 'GetKeyRotationStatus'].entries())
          scribe.write({ time: time + (at * 3 + step + 1) * 1_000, region: key.region }, caller, read(operation, key));
      }
    },
  };
}
