/** What a fixture says of the organization that its records are about. */
import { z } from 'zod';
import type { Organization } from '../../services/detectors/contract.ts';
import { resourceId } from '../../services/detectors/organization.ts';

const names = z.array(z.string()).default([]);

export const organizationSchema = z
  .strictObject({
    own_accounts: names,
    trusted_accounts: names,
    organization_ids: names,
    allowed_regions: names,
    pipeline_roles: names,
    log_keys: names,
    log_buckets: names,
    monitor: names,
  })
  .prefault({});

export function organizationOf(said: z.infer<typeof organizationSchema>): Organization {
  return {
    ownAccounts: new Set(said.own_accounts),
    trustedAccounts: new Set(said.trusted_accounts),
    organizationIds: new Set(said.organization_ids),
    allowedRegions: new Set(said.allowed_regions),
    pipelineRoles: new Set(said.pipeline_roles),
    logKeys: new Set(said.log_keys),
    logBuckets: new Set(said.log_buckets),
    monitor: new Set(said.monitor.flatMap((arn) => resourceId(arn, { service: '', account: '', region: '' }) ?? [])),
  };
}
