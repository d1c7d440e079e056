/** How many messages lie in the dead-letter queues of what is read here: nobody else would tell. */
import type { Aws } from '../platform/aws.ts';
import type { Logger } from '../platform/logger.ts';
import type { SourceName } from '../sources/contract.ts';
import type { QueueFields } from '../sources/sqs-config.ts';
import type { Config } from './config.ts';

export interface SourceQueues {
  readonly source: SourceName;
  readonly queues: readonly QueueFields[];
}

/** Sources that read queues, as configured. */
export function sourceQueues({ sources: { s3_trail: s3Trail, eventbridge } }: Pick<Config, 'sources'>): SourceQueues[] {
  return [
    ...(s3Trail ? [{ source: 's3-trail' as const, queues: s3Trail.queues }] : []),
    ...(eventbridge ? [{ source: 'eventbridge' as const, queues: eventbridge.queues }] : []),
  ];
}

export interface DeadLetterParts {
  readonly aws: Aws;
  readonly logger: Logger;
  /** Sum over the queues of a source that have a dead-letter queue which may be asked. */
  readonly told: (source: SourceName, messages: number) => void;
}

/** @returns what is to be done every minute or so */
export function watchDeadLetters(sources: readonly SourceQueues[], { aws, logger, told }: DeadLetterParts): () => Promise<void> {
  return async () => {
    const { connectQueue, inspectQueue } = await import('../sources/sqs.ts');
    for (const { source, queues } of sources) {
      let sum: number | null = null;
      for (const fields of queues) {
        const queue = connectQueue(fields, aws);
        try {
          const { deadLetters } = await inspectQueue(queue);
          if (deadLetters?.messages !== null && deadLetters?.messages !== undefined) sum = (sum ?? 0) + deadLetters.messages;
        } catch (err) {
          // That the queue cannot be reached is told by those who read it.
          logger.debug({ err, source, queue: queue.name }, 'the dead-letter queue cannot be asked for');
        } finally {
          queue.close();
        }
      }
      if (sum !== null) told(source, sum);
    }
  };
}
