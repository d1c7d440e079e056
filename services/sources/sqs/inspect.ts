/** How a queue stands, asked without touching a message: GetQueueAttributes of it and of its dead-letter queue. */
import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { awsFailure } from '../../platform/aws.ts';
import type { QueueConnection } from './connection.ts';

export interface QueueStanding {
  /** About so many messages can be received, and are being worked on. */
  readonly ready: number;
  readonly inFlight: number;
  readonly deadLetters: DeadLetters | null;
}

export interface DeadLetters {
  readonly name: string;
  readonly maxReceiveCount: number;
  /** Messages in it, about; null where we may not ask. */
  readonly messages: number | null;
}

/** @throws AwsFailure when the queue cannot be asked */
export async function inspectQueue(queue: QueueConnection): Promise<QueueStanding> {
  const attributes = await attributesOf(queue, queue.url);
  const policy = redrivePolicy(attributes['RedrivePolicy']);
  return {
    ready: count(attributes['ApproximateNumberOfMessages']) + count(attributes['ApproximateNumberOfMessagesDelayed']),
    inFlight: count(attributes['ApproximateNumberOfMessagesNotVisible']),
    deadLetters: policy && { ...policy, messages: await messagesIn(queue, policy.name) },
  };
}

/** A dead-letter queue is of the same account and Region: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html */
async function messagesIn(queue: QueueConnection, name: string): Promise<number | null> {
  try {
    const attributes = await attributesOf(queue, queue.url.replace(/[^/]+$/, name));
    return count(attributes['ApproximateNumberOfMessages']);
  } catch {
    return null;
  }
}

async function attributesOf(queue: QueueConnection, url: string): Promise<Readonly<Record<string, string>>> {
  try {
    const { Attributes } = await queue.client.send(new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['All'] }));
    return Attributes ?? {};
  } catch (error) {
    queue.failed(error);
    throw awsFailure(error);
  }
}

function redrivePolicy(text: string | undefined): Pick<DeadLetters, 'name' | 'maxReceiveCount'> | null {
  if (text === undefined || text === '') return null;
  try {
    const { deadLetterTargetArn, maxReceiveCount } = JSON.parse(text) as { deadLetterTargetArn?: unknown; maxReceiveCount?: unknown };
    const name = typeof deadLetterTargetArn === 'string' ? (deadLetterTargetArn.split(':').at(-1) ?? '') : '';
    return /^[A-Za-z0-9_-]{1,80}$/.test(name) ? { name, maxReceiveCount: Number(maxReceiveCount) } : null;
  } catch {
    return null;
  }
}

function count(text: string | undefined): number {
  const value = Number(text ?? 0);
  return Number.isFinite(value) ? value : 0;
}
