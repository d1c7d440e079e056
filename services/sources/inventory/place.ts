import { type AwsPlace, roleArn } from '../../platform/aws.ts';
import type { InventoryConfig } from './config.ts';

/** One account in one Region: what is read by one process at a time. */
export interface InventoryPlace extends AwsPlace {
  readonly account: string;
}

export function placeName({ account, region }: Pick<InventoryPlace, 'account' | 'region'>): string {
  return `inventory/${account}/${region}`;
}

export function placesOf(config: InventoryConfig): InventoryPlace[] {
  return config.accounts.flatMap((each) => {
    const externalId = each.external_id ?? config.external_id ?? null;
    return [...new Set(each.regions ?? config.regions)].map((region) => {
      const arn = each.role_arn ?? (config.role_name === undefined ? null : roleArn(config.role_name, { account: each.account, region }));
      return { account: each.account, region, role: arn === null ? null : { arn, externalId } };
    });
  });
}
