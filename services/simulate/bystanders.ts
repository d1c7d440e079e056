import { DAY } from '../core/clock.ts';
import { AGENTS, serviceCaller, workload } from './callers.ts';
import { ACCOUNTS } from './keyring.ts';
import { Random } from './random.ts';
import type { Call, Caller, Entry } from './record.ts';
import { Scribe } from './scribe.ts';
import { signedIn, STAFF } from './staff.ts';
import type { World } from './world.ts';

/** Records of other services, as they lie in every log file beside those of KMS. About one a day; none concerns a key. */
export function tellBystanders(world: World): Entry[] {
  const scribe = new Scribe(new Random(`${world.seed}/bystanders`));
  const days = Math.round((world.end - world.start) / DAY);
  for (let day = 0; day < days; day += 1) {
    const time = world.start + day * DAY + scribe.random.int(0, DAY / 1000 - 1) * 1000;
    const [caller, call] = bystander(world, time, day);
    scribe.write({ time, region: 'us-east-1' }, caller, call);
  }
  return scribe.entries;
}

function bystander(world: World, time: number, turn: number): readonly [Caller, Call] {
  switch (turn % 5) {
    case 0:
      return [
        serviceCaller(ACCOUNTS.prod, 'ec2.amazonaws.com'),
        {
          service: 'sts',
          operation: 'AssumeRole',
          readOnly: true,
          request: { roleArn: `arn:aws:iam::${ACCOUNTS.prod}:role/shop-api`, roleSessionName: world.stableHex(17, `sts/${turn}`) },
          response: null,
        },
      ];
    case 1:
      return [
        workload(world, { account: ACCOUNTS.prod, name: 'shop-api', agent: AGENTS.java }, time),
        { service: 'ec2', operation: 'DescribeInstances', readOnly: true, request: { maxResults: 100 } },
      ];
    case 2:
      return [
        signedIn(world, STAFF.elena, { account: 'data', time }),
        { service: 's3', operation: 'GetBucketEncryption', readOnly: true, request: { bucketName: 'larkspur-lake-raw', encryption: '' } },
      ];
    case 3:
      return [
        signedIn(world, STAFF.ines, { account: 'security', time, tool: 'cli' }),
        { service: 'iam', operation: 'ListRoles', readOnly: true, request: { maxItems: 100 } },
      ];
    default:
      return [
        signedIn(world, STAFF.mara, { account: 'security', time, tool: 'cli' }),
        { service: 'cloudtrail', operation: 'GetTrailStatus', readOnly: true, request: { name: 'larkspur-org' } },
      ];
  }
}
