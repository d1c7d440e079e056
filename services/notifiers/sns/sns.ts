import { z } from 'zod';
import { awsNotDelivered, placeOf } from '../aws-call.ts';
import type { Notifier } from '../contract.ts';
import { roleShape } from '../target.ts';
import { publishInput } from './message.ts';

const TOPIC = /^arn:aws[a-z-]*:sns:([a-z0-9-]{1,64}):\d{12}:[A-Za-z0-9_-]{1,256}(\.fifo)?$/;

const settings = z.strictObject({
  topic_arn: z
    .string()
    .regex(TOPIC, 'must be the ARN of an SNS topic')
    .meta({
      description: 'Topic to publish to.',
      examples: ['arn:aws:sns:eu-west-1:111122223333:kmswatch'],
    }),
  ...roleShape,
});

/** Topics take more than a hundred messages a second. FIFO topics know repetitions by themselves. */
export const sns: Notifier<z.output<typeof settings>> = {
  kind: 'sns',
  settings,
  paceMs: 0,
  async send(notification, { topic_arn, ...role }, context) {
    const place = placeOf(TOPIC.exec(topic_arn)?.[1] ?? '', role);
    const { PublishCommand, SNSClient } = await import('@aws-sdk/client-sns');
    const client = new SNSClient(context.aws.settings(place));
    try {
      await client.send(new PublishCommand(publishInput(notification, topic_arn)), { abortSignal: context.signal });
      return { ok: true };
    } catch (error) {
      return awsNotDelivered(error, place, context);
    } finally {
      client.destroy();
    }
  },
};
