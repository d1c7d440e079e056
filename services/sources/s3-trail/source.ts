import type { Aws } from '../../platform/aws.ts';
import type { Source } from '../contract.ts';
import type { ReadLimits } from '../limits.ts';
import type { Opener } from '../registry.ts';
import { connectQueue, Consumer, type OnQueueEvent, queueName, runQueues } from '../sqs.ts';
import { createBuckets } from './buckets.ts';
import type { S3TrailSettings } from './config.ts';
import { Deliverer } from './deliver.ts';
import { openTrailObject } from './open.ts';

export interface S3TrailOptions {
  readonly aws: Aws;
  readonly limits: ReadLimits;
  readonly onEvent: OnQueueEvent;
}

/**
 * An object is a delivery by locator, opened by the worker; a large one is streamed here and delivered in chunks that bring their records
 * along. A message is deleted when everything that it names is committed.
 */
export function createS3TrailSource(settings: S3TrailSettings, { aws, limits, onEvent }: S3TrailOptions): Source {
  const { queues, pollers, max_messages: maxMessages, visibility_seconds: visibility, quarantine_after: quarantineAfter } = settings;
  return {
    name: 's3-trail',
    async *run(signal) {
      const buckets = createBuckets(queues, aws);
      const allowed = new Map(queues.flatMap((queue) => (queue.buckets ? [[queueName(queue), new Set(queue.buckets)] as const] : [])));
      const deliverer = new Deliverer({ buckets, limits, allowed, quarantineAfter, onEvent });
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

/** How workers open what this source delivers: with the credentials of the queue that told of it. */
export function createS3TrailOpener(settings: S3TrailSettings, aws: Aws): Opener {
  const buckets = createBuckets(settings.queues, aws);
  return (locator, limits) => openTrailObject(buckets, locator, limits);
}
