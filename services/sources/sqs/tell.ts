import type { LiveContext } from '../live.ts';
import type { SourceName } from '../contract.ts';
import type { OnQueueEvent } from './events.ts';

/** Counts what happens to messages and says it. Warnings are what a person may want to look at; no record is lost by any of it. */
export function tellQueueEvents(
  source: SourceName,
  { logger, countMessages }: Pick<LiveContext, 'logger' | 'countMessages'>,
): OnQueueEvent {
  return (queue, event) => {
    countMessages?.(source, event.kind, 'messages' in event ? event.messages : 1);
    switch (event.kind) {
      case 'failed':
        return logger.warn({ queue, call: event.call, detail: event.message }, 'a call to SQS failed and will be made again');
      case 'returned':
        return logger.warn({ queue, message: event.id, detail: event.reason }, 'a message was left in its queue and comes again');
      case 'quarantined':
        return logger.warn({ queue, message: event.id, detail: event.reason }, 'a message was kept in quarantine');
      case 'lost':
        return logger.info({ queue, message: event.id }, 'the time of a message ran out: it comes again');
      default: {
        const { kind, ...rest } = event;
        return logger.debug({ queue, ...rest }, `messages ${kind}`);
      }
    }
  };
}
