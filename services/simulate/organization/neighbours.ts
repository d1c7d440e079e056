import { AGENTS, serviceCaller } from '../callers.ts';
import type { Call, Caller } from '../record.ts';
import type { Stream } from '../stream.ts';
import type { Estate, Household } from './organization.ts';
import type { Rhythms } from './rhythms.ts';

/** Records of other services, as they lie in every log file beside those of KMS; none concerns a key. */
export function neighbourStreams(estate: Estate, rhythms: Rhythms): Stream[] {
  return estate.accounts.map((household) => ({
    name: `neighbours/${household.name}`,
    perDay: 0.5,
    rhythm: rhythms.steady,
    fixed: true,
    write: (time, scribe) => {
      const [caller, call] = neighbour(estate, household, { time, turn: scribe.random.int(0, 3), session: scribe.random.hex(17) });
      scribe.write({ time, region: household.regions[0] ?? 'us-east-1' }, caller, call);
    },
  }));
}

function neighbour(
  estate: Estate,
  { id, keys, plan }: Household,
  { time, turn, session }: { time: number; turn: number; session: string },
): readonly [Caller, Call] {
  const workload = keys[0]?.workloads[0];
  const caller = { ...(workload?.direct(time) ?? serviceCaller(id, 'ec2.amazonaws.com')), agent: AGENTS.boto };
  switch (turn) {
    case 0:
      return [
        serviceCaller(id, 'ec2.amazonaws.com'),
        {
          service: 'sts',
          operation: 'AssumeRole',
          readOnly: true,
          request: { roleArn: `arn:aws:iam::${id}:role/${workload?.role ?? 'app'}`, roleSessionName: session },
        },
      ];
    case 1:
      return [caller, { service: 'ec2', operation: 'DescribeInstances', readOnly: true, request: { maxResults: 100 } }];
    case 2:
      return [
        caller,
        {
          service: 's3',
          operation: 'GetBucketEncryption',
          readOnly: true,
          request: { bucketName: `${plan.team}-uploads`, encryption: '' },
        },
      ];
    default:
      return [caller, { service: 'cloudtrail', operation: 'GetTrailStatus', readOnly: true, request: { name: estate.trail.arn } }];
  }
}
