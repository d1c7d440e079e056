import { z } from 'zod';
import { checkQueues, consumeShape, queueShape } from '../sqs-config.ts';

export const s3TrailSchema = z
  .strictObject({
    queues: z
      .array(
        z.strictObject({
          ...queueShape,
          buckets: z.array(z.string().min(3).max(255)).optional().meta({
            description: 'Buckets that messages of this queue may name; without it, any that the role can read.',
          }),
        }),
      )
      .min(1)
      .meta({
        description:
          "Queues that are told of new objects in a trail's bucket: by S3, through SNS or EventBridge, or by CloudTrail's own topic.",
        examples: [[{ url: 'https://sqs.eu-west-1.amazonaws.com/111122223333/kmswatch-trail', buckets: ['org-cloudtrail-logs'] }]],
      }),
    ...consumeShape,
  })
  .superRefine(({ queues }, context) => checkQueues(queues, context))
  .meta({ description: 'CloudTrail log files in S3, as a queue tells of them.' });

export type S3TrailSettings = z.output<typeof s3TrailSchema>;
export type S3TrailQueue = S3TrailSettings['queues'][number];
