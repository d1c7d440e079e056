import type { Aws } from '../../platform/aws.ts';
import type { Source } from '../contract.ts';
import type { ReadLimits } from '../limits.ts';
import type { LiveContext } from '../live.ts';
import type { Opener } from '../registry.ts';
import { connectQueue, Consumer, type OnQueueEvent, queueName, runQueues } from '../sqs.ts';
import { type BucketAccess, createBuckets } from './buckets.ts';
import type { S3TrailSettings } from './config.ts';
import { Deliverer } from './deliver.ts';
import { openTrailObject } from './open.ts';

export interface S3TrailOptions {
  readonly aws: Aws;
  readonly limits: ReadLimits;
  readonly onEvent: OnQueueEvent;
  readonly keepDigest?: LiveContext['keepDigest'];
}

/**
 * An object is a delivery by locator, opened by the worker; a large one is streamed here and delivered in chunks that bring their records
 * along. A message is deleted when everything that it names is committed.
 */
export function createS3TrailSource(settings: S3TrailSettings, { aws, limits, onEvent, keepDigest }: S3TrailOptions): Source {
  const { queues, pollers, max_messages: maxMessages, visibility_seconds: visibility, quarantine_after: quarantineAfter } = settings;
  return {
    name: 's3-trail',
    async *run(signal) {
      const buckets = createBuckets(queues, aws);
      const allowed = new Map(queues.flatMap((queue) => (queue.buckets ? [[queueName(queue), new Set(queue.buckets)] as const] : [])));
      const deliverer = new Deliverer({ buckets, limits, allowed, quarantineAfter, onEvent, keepDigest });
      const consumers = queues.map(
        (queue) => new Consumer({ queue: connectQueue(queue, aws), pollers, maxMessages, visibilityMs: visibility * 1000, onEvent }),
      );
      try {
        yield* runQueues(consumers, (claims, context) => deliverer.deliver(claims, context), signal);
      } finally {
        buckets.close();
      }
    },
  };
}

/**
 * How workers open what this source and `backfill` deliver: with the credentials of the queue that told of it, or as `access` says.
 * @param settings null = no queue is configured
 */
export function createS3TrailOpener(settings: S3TrailSettings | null, aws: Aws, access?: BucketAccess): Opener {
  const buckets = createBuckets(settings?.queues ?? [], aws, access);
  return (locator, limits) => openTrailObject(buckets, locator, limits);
}
