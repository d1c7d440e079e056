import { S3Client } from '@aws-sdk/client-s3';
import type { Aws } from '../../platform/aws.ts';
import { placeOf, queueName } from '../sqs.ts';
import type { S3TrailQueue } from './config.ts';
import type { TrailObject } from './locator.ts';

/** Clients for buckets: one for each queue's credentials and each Region that its messages name. */
export interface Buckets {
  /** Null when no queue of this name is configured any more. */
  clientFor(object: Pick<TrailObject, 'queue' | 'region'>): Pick<S3Client, 'send'> | null;
  /** Credentials ran out: the next client asks for new ones. */
  forget(object: Pick<TrailObject, 'queue' | 'region'>): void;
  close(): void;
}

/** Regions that messages may make us connect to for a queue; AWS has fewer. */
const REGION_LIMIT = 64;

export function createBuckets(queues: readonly S3TrailQueue[], aws: Aws): Buckets {
  const byName = new Map(queues.map((queue) => [queueName(queue), queue]));
  const clients = new Map<string, S3Client>();
  const placeFor = (queue: S3TrailQueue, region: string | null): { place: ReturnType<typeof placeOf>; name: string } => {
    const place = placeOf(queue);
    const at = region ?? place.region;
    return { place: { ...place, region: at }, name: `${queueName(queue)} ${at}` };
  };
  const close = (): void => {
    for (const client of clients.values()) client.destroy();
    clients.clear();
  };
  return {
    clientFor({ queue: name, region }) {
      const queue = byName.get(name);
      if (!queue) return null;
      const found = placeFor(queue, region);
      let client = clients.get(found.name);
      if (!client) {
        if (clients.size >= REGION_LIMIT * byName.size) close();
        // CloudTrail's own messages do not tell the bucket's Region.
        client = new S3Client({ ...aws.settings(found.place), followRegionRedirects: true });
        clients.set(found.name, client);
      }
      return client;
    },
    forget({ queue: name, region }) {
      const queue = byName.get(name);
      if (!queue) return;
      const found = placeFor(queue, region);
      aws.forget(found.place);
      clients.get(found.name)?.destroy();
      clients.delete(found.name);
    },
    close,
  };
}
