/** What the organization has told: its own section of the configuration, and what the sources' settings say besides. */
import { DAY, MINUTE } from '../core/clock.ts';
import { partitionOf } from '../core/arn.ts';
import type { ChangeWindow, Organization } from '../detectors/contract.ts';
import { resourceId } from '../detectors/organization.ts';
import { regionOf } from '../sources/sqs-config.ts';
import type { Config } from './config.ts';
import { WEEKDAYS } from './organization-config.ts';

export function organizationOf({ organization: said, sources }: Pick<Config, 'organization' | 'sources'>): Organization {
  return {
    ownAccounts: new Set(said.accounts),
    trustedAccounts: new Set(said.trusted_accounts),
    organizationIds: new Set(said.organization_ids),
    allowedRegions: new Set(said.allowed_regions),
    breakGlassRoles: new Set(said.break_glass_roles),
    pipelineRoles: new Set(said.pipeline_roles),
    keys: said.keys.map(({ arn = null, tag = null, criticality = null, owner = null }) => ({ arn, tag, criticality, owner })),
    changeWindows: said.change_windows.flatMap(windowsOf),
    logKeys: new Set(said.log_keys),
    logBuckets: new Set([...said.log_buckets, ...(sources.s3_trail?.queues ?? []).flatMap(({ buckets }) => buckets ?? [])]),
    monitor: new Set([...said.monitor, ...arnsIn(sources)].flatMap((arn) => resourceId(arn, NOWHERE) ?? [])),
  };
}

/** ARNs tell their own place. */
const NOWHERE = { service: '', account: '', region: '' };

/** The queues that sources read, and the roles that they take on for it. */
function arnsIn({ s3_trail, eventbridge, lookup_events }: Config['sources']): string[] {
  const queues = [...(s3_trail?.queues ?? []), ...(eventbridge?.queues ?? [])];
  const named = queues.flatMap((queue) => {
    const [account, name] = queue.url.split('/').slice(-2);
    const region = regionOf(queue) ?? '';
    return [`arn:${partitionOf(region)}:sqs:${region}:${account}:${name}`, ...(queue.role_arn === undefined ? [] : [queue.role_arn])];
  });
  const roles = (lookup_events?.accounts ?? []).flatMap(({ account, role_arn }) => {
    if (role_arn !== undefined) return [role_arn];
    return lookup_events?.role_name === undefined ? [] : [`arn:aws:iam::${account}:role/${lookup_events.role_name}`];
  });
  return [...named, ...roles];
}

function windowsOf(window: Config['organization']['change_windows'][number]): ChangeWindow[] {
  if ('begins' in window) return [{ name: window.name, weekly: false, from: Date.parse(window.begins), to: Date.parse(window.ends) }];
  const [from, to] = [minutesOf(window.from), minutesOf(window.to)];
  return window.weekdays.map((weekday) => {
    const begin = (WEEKDAYS.indexOf(weekday) * DAY) / MINUTE;
    // One that ends before it begins reaches into the next day; on Sunday it wraps into the next week.
    const end = begin + to + (to <= from ? DAY / MINUTE : 0);
    return { name: window.name, weekly: true, from: begin + from, to: end % ((7 * DAY) / MINUTE) };
  });
}

function minutesOf(clock: string): number {
  const [hours = 0, minutes = 0] = clock.split(':').map(Number);
  return hours * 60 + minutes;
}
