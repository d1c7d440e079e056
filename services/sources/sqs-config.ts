import { z } from 'zod';

const URL_OF_QUEUE = /^https?:\/\/[A-Za-z0-9.:-]{1,255}\/\d{12}\/[A-Za-z0-9_-]{1,80}$/;
/** `sqs.REGION.amazonaws.com` and the other partitions' domains; https://docs.aws.amazon.com/general/latest/gr/sqs-service.html */
const REGION_IN_URL = /^https:\/\/(?:sqs|sqs-fips)\.([a-z0-9-]{1,64})\.(?:amazonaws|api\.aws|csp|c2s|sc2s)/;
const ROLE = /^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]{1,512}$/;

/** The fields of a queue; a source adds its own. */
export const queueShape = {
  url: z.string().regex(URL_OF_QUEUE, 'must be the URL of a standard SQS queue').meta({ description: 'URL of the queue.' }),
  region: z
    .string()
    .regex(/^[a-z0-9-]{1,64}$/)
    .optional()
    .meta({ description: "The queue's Region, where its URL does not tell." }),
  role_arn: z.string().regex(ROLE, 'must be the ARN of an IAM role').optional().meta({
    description: "Role to assume for this queue. Without it the process's own credentials are used.",
  }),
  external_id: z.string().min(2).max(1224).optional().meta({ description: 'External id that the role asks for.' }),
};

/** The fields that are the same for all queues of a source. */
export const consumeShape = {
  pollers: z.int().min(1).max(32).default(2).meta({ description: 'Requests for messages that are under way at a time, for each queue.' }),
  max_messages: z.int().min(1).max(10).default(10).meta({ description: 'Messages that one request asks for.' }),
  visibility_seconds: z.int().min(2).max(43_200).default(120).meta({
    description:
      'How long a message stays hidden from others unless that is extended, which happens at half of this time. After a crash it comes again as late as this.',
  }),
  quarantine_after: z.int().min(2).max(1000).default(10).meta({
    description:
      'A message received this often without success is kept in quarantine and left to the dead-letter policy of its queue. Set maxReceiveCount there to the same number.',
  }),
};

export interface QueueFields {
  readonly url: string;
  readonly region?: string | undefined;
  readonly role_arn?: string | undefined;
  readonly external_id?: string | undefined;
}

export interface ConsumeFields {
  readonly pollers: number;
  readonly max_messages: number;
  readonly visibility_seconds: number;
  readonly quarantine_after: number;
}

/** For `superRefine`: what the fields do not say alone. */
export function checkQueues(queues: readonly QueueFields[], context: z.core.$RefinementCtx): void {
  queues.forEach((queue, index) => {
    const path = ['queues', index];
    if (regionOf(queue) === null) {
      context.addIssue({ code: 'custom', path: [...path, 'region'], message: 'must be set, because the URL does not tell the Region' });
    }
    if (queues.findIndex((other) => queueName(other) === queueName(queue)) !== index) {
      context.addIssue({ code: 'custom', path: [...path, 'url'], message: 'names the same queue as an entry above' });
    }
  });
}

export function regionOf({ region, url }: QueueFields): string | null {
  return region ?? REGION_IN_URL.exec(url)?.[1] ?? null;
}

/** `ACCOUNT/NAME@REGION`: by this name locators and logs refer to a queue. */
export function queueName(queue: QueueFields): string {
  return `${queue.url.split('/').slice(-2).join('/')}@${regionOf(queue) ?? 'unknown'}`;
}
