import { z } from 'zod';
import { checkQueues, consumeShape, queueShape } from '../sqs-config.ts';

export const eventBridgeSchema = z
  .strictObject({
    queues: z
      .array(z.strictObject(queueShape))
      .min(1)
      .meta({
        description: 'Queues that are targets of an EventBridge rule for CloudTrail and KMS events.',
        examples: [[{ url: 'https://sqs.eu-west-1.amazonaws.com/111122223333/kmswatch-events' }]],
      }),
    ...consumeShape,
  })
  .superRefine(({ queues }, context) => checkQueues(queues, context))
  .meta({ description: 'CloudTrail records as EventBridge delivers them: within a minute, but not all of them.' });

export type EventBridgeSettings = z.output<typeof eventBridgeSchema>;
