/** A topic with a queue behind it, in an emulator. */
import { CreateTopicCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import { ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { expect, onTestFinished, test } from 'vitest';
import { fakeAws, REGION } from '../../support/fauxqs.ts';
import { notification } from '../../support/notifiers/notifications.ts';
import { createTools, deliver, receiverOf } from '../../support/notifiers/tools.ts';

test('what is published to a topic reaches the queue behind it, with attributes to filter by', async () => {
  const { createQueue } = await fakeAws();
  const queue = createQueue('findings');
  const sns = new SNSClient({ region: REGION });
  const sqs = new SQSClient({ region: REGION });
  onTestFinished(() => [sns, sqs].forEach((client) => client.destroy()));
  const { TopicArn } = await sns.send(new CreateTopicCommand({ Name: 'kmswatch' }));
  const [account, name] = queue.split('/').slice(-2);
  await sns.send(new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint: `arn:aws:sqs:${REGION}:${account}:${name}` }));
  expect(await deliver(receiverOf({ sns: { topic_arn: TopicArn } }, createTools()), notification())).toEqual({ ok: true });
  const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: queue }));
  const envelope = JSON.parse(Messages[0]?.Body ?? '') as { Message: string; MessageAttributes: Record<string, { Value: string }> };
  // The emulator leaves it to us to choose the protocol's part of the message, which SNS does.
  const { default: json = '' } = JSON.parse(envelope.Message) as Record<string, string>;
  expect(JSON.parse(json)).toMatchObject({ type: 'findings.firing', data: { findings: [{ id: '1f3a5b7c9d1e2f30' }] } });
  expect(envelope.MessageAttributes).toMatchObject({ severity: { Value: 'high' }, account: { Value: '111122223333' } });
});
