/** Region prefixes of the partitions besides `aws` (https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html). */
const PARTITIONS: readonly (readonly [prefix: string, partition: string])[] = [
  ['cn-', 'aws-cn'],
  ['us-gov-', 'aws-us-gov'],
  ['us-iso-', 'aws-iso'],
  ['us-isob-', 'aws-iso-b'],
  ['eu-isoe-', 'aws-iso-e'],
  ['us-isof-', 'aws-iso-f'],
  ['eusc-', 'aws-eusc'],
];

/** The second part of an ARN for resources that are reached from a Region: `aws`, `aws-cn`, `aws-us-gov` … */
export function partitionOf(region: string): string {
  return PARTITIONS.find(([prefix]) => region.startsWith(prefix))?.[1] ?? 'aws';
}

/** @param name role name, with its path where it has one: `audit/kmswatch` */
export function roleArn(name: string, { account, region }: { readonly account: string; readonly region: string }): string {
  return `arn:${partitionOf(region)}:iam::${account}:role/${name.replace(/^\//, '')}`;
}
