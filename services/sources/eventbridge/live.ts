import type { LiveSource } from '../live.ts';
import { type EventBridgeSettings, eventBridgeSchema } from './config.ts';

/** Events of an EventBridge rule with a queue as its target: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html */
export const eventBridge: LiveSource<EventBridgeSettings> = {
  name: 'eventbridge',
  schema: eventBridgeSchema,
  async create(settings, context) {
    // The client takes long to load, and most commands need none.
    const [{ createEventBridgeSource }, { tellQueueEvents }] = await Promise.all([import('./source.ts'), import('../sqs.ts')]);
    return createEventBridgeSource(settings, { aws: context.aws, onEvent: tellQueueEvents('eventbridge', context) });
  },
};
