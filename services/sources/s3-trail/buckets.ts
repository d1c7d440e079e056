import { S3Client } from '@aws-sdk/client-s3';
import type { Aws, AwsPlace } from '../../platform/aws.ts';
import { placeOf, queueName } from '../sqs.ts';
import type { S3TrailQueue } from './config.ts';
import type { TrailObject } from './locator.ts';

/** What tells by whose credentials an object is read. */
export type ObjectPlace = Pick<TrailObject, 'bucket' | 'queue' | 'region'>;

/** Clients for buckets: one for each queue's credentials and each Region that its messages name. */
export interface Buckets {
  /** Null when no queue of this name is configured any more. */
  clientFor(object: ObjectPlace): Pick<S3Client, 'send'> | null;
  /** Credentials ran out: the next client asks for new ones. */
  forget(object: ObjectPlace): void;
  close(): void;
}

/** On whose behalf, and in which Region unless it is known, a bucket is read of which no queue tells. */
export type BucketAccess = (bucket: string) => AwsPlace;

/** With the process's own credentials; where the bucket lies elsewhere, S3 says so. */
export const OWN_ACCESS: BucketAccess = () => ({ region: 'us-east-1', role: null });

/** Regions that messages may make us connect to for a queue; AWS has fewer. */
const REGION_LIMIT = 64;

export function createBuckets(queues: readonly S3TrailQueue[], aws: Aws, access: BucketAccess = OWN_ACCESS): Buckets {
  const byName = new Map(queues.map((queue) => [queueName(queue), queue]));
  const clients = new Map<string, S3Client>();
  const placeFor = ({ bucket, queue: told, region }: ObjectPlace): { place: AwsPlace; name: string } | null => {
    const queue = told === null ? null : byName.get(told);
    if (queue === undefined) return null;
    const place = queue === null ? access(bucket) : placeOf(queue);
    const at = region ?? place.region;
    return { place: { ...place, region: at }, name: JSON.stringify([told ?? place.role, at]) };
  };
  const close = (): void => {
    for (const client of clients.values()) client.destroy();
    clients.clear();
  };
  return {
    clientFor(object) {
      const found = placeFor(object);
      if (!found) return null;
      let client = clients.get(found.name);
      if (!client) {
        if (clients.size >= REGION_LIMIT * (byName.size + 1)) close();
        // CloudTrail's own messages do not tell the bucket's Region.
        client = new S3Client({ ...aws.settings(found.place), followRegionRedirects: true });
        clients.set(found.name, client);
      }
      return client;
    },
    forget(object) {
      const found = placeFor(object);
      if (!found) return;
      aws.forget(found.place);
      clients.get(found.name)?.destroy();
      clients.delete(found.name);
    },
    close,
  };
}
