import { type AwsPlace, roleArn } from '../../platform/aws.ts';
import type { LookupEventsConfig } from './config.ts';
import { type Filter, filtersOf } from './filter.ts';

/** One account in one Region: what is polled by one process at a time. */
export interface Target extends AwsPlace {
  readonly account: string;
  readonly filters: readonly Filter[];
}

export function nameOf({ account, region }: Pick<Target, 'account' | 'region'>): string {
  return `lookup-events/${account}/${region}`;
}

/** @param services that enabled detectors need records of, `kms` among them */
export function targetsOf(config: LookupEventsConfig, services: readonly string[]): Target[] {
  return config.accounts.flatMap((each) => {
    const filters = filtersOf({ mode: each.mode ?? config.mode, operations: each.operations ?? [], services });
    const externalId = each.external_id ?? config.external_id ?? null;
    return [...new Set(each.regions ?? config.regions)].map((region) => {
      const arn = each.role_arn ?? (config.role_name === undefined ? null : roleArn(config.role_name, { account: each.account, region }));
      return { account: each.account, region, role: arn === null ? null : { arn, externalId }, filters };
    });
  });
}
