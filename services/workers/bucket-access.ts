/** The buckets that the configuration speaks of, and on whose behalf they are read. */
import type { BucketAccess } from '../sources/trail-objects.ts';
import type { Config } from './config.ts';

export interface TrailBucket {
  readonly bucket: string;
  readonly region: string | null;
  /** Before `AWSLogs`; empty = none. */
  readonly prefix: string;
  /** `o-…`; null = not said. */
  readonly organization: string | null;
}

/** For objects of which no queue tells: as the trail of `integrity` says, else with the process's own credentials. */
export function bucketAccess(config: Config): BucketAccess {
  return (bucket) => {
    const trail = config.integrity?.trails.find((each) => each.bucket === bucket);
    if (!trail) return { region: 'us-east-1', role: null };
    const { bucket_region: region, role_arn: arn, external_id: externalId = null } = trail;
    return { region, role: arn === undefined ? null : { arn, externalId } };
  };
}

/** What the configuration says of trails' buckets, `integrity` before queues; a bucket with several prefixes is several. */
export function trailBuckets(config: Config): TrailBucket[] {
  const trails = (config.integrity?.trails ?? []).map(
    ({ bucket, bucket_region: region, prefix = '', organization_id: organization = null }) => {
      return { bucket, region, prefix, organization };
    },
  );
  const ofQueues = config.sources.s3_trail?.queues.flatMap(({ buckets = [] }) => buckets) ?? [];
  const others = [...new Set(ofQueues)].filter((name) => trails.every(({ bucket }) => bucket !== name));
  return [...trails, ...others.map((bucket) => ({ bucket, region: null, prefix: '', organization: null }))];
}
