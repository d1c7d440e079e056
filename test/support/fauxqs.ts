/**
 * S3 and SQS over real HTTP for the unmodified SDK: an emulator in this process, on a port of its own. It sends no notifications, so
 * tests do.
 */
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { ChangeMessageVisibilityCommand, SQSClient } from '@aws-sdk/client-sqs';
import { startFauxqs } from 'fauxqs';
import { onTestFinished, vi } from 'vitest';
import { sleep } from '../../services/platform/clock.ts';

export const REGION = 'eu-west-1';
export const BUCKET = 'trail-logs';
const ACCOUNT = '000000000000';

export interface FakeAws {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** What the SDK of a process needs to find it. */
  readonly environment: Readonly<Record<string, string>>;
  createQueue(name: string, attributes?: Record<string, string>): string;
  putObject(key: string, body: Uint8Array): Promise<void>;
  send(queue: string, message: unknown): string;
  /** Messages that can be received, and that somebody works on. */
  depth(queue: string): { readonly ready: number; readonly inFlight: number };
  /** How often each message that is in the queue was received. */
  receives(queue: string): number[];
  /** Ends the time for which messages are hidden. */
  reveal(queue: string): Promise<void>;
  until(condition: () => boolean | Promise<boolean>, timeoutMs?: number): Promise<void>;
}

/** The SDK in this process finds it too, until the test has finished. */
export async function fakeAws(): Promise<FakeAws> {
  const server = await startFauxqs({ port: 0, logger: false, defaultRegion: REGION });
  onTestFinished(() => server.stop());
  const url = `http://127.0.0.1:${server.port}`;
  const environment = {
    AWS_ENDPOINT_URL: url,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_REGION: REGION,
    AWS_EC2_METADATA_DISABLED: 'true',
  };
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  onTestFinished(() => void vi.unstubAllEnvs());
  const s3 = new S3Client({
    endpoint: url,
    region: REGION,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    forcePathStyle: true,
  });
  onTestFinished(() => s3.destroy());
  const sqs = new SQSClient({ endpoint: url, region: REGION, credentials: { accessKeyId: 'test', secretAccessKey: 'test' } });
  onTestFinished(() => sqs.destroy());
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  const messages = (queue: string): NonNullable<ReturnType<typeof server.inspectQueue>>['messages'] => {
    const inspected = server.inspectQueue(queue);
    if (!inspected) throw new Error(`there is no queue ${queue}`);
    return inspected.messages;
  };
  return {
    url,
    environment,
    createQueue(name, attributes = {}) {
      server.createQueue(name, { region: REGION, attributes });
      return `${url}/${ACCOUNT}/${name}`;
    },
    async putObject(key, body) {
      await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: key, Body: body }));
    },
    send: (queue, message) =>
      server.sendMessage(queue, typeof message === 'string' ? message : JSON.stringify(message), { region: REGION }).messageId,
    depth(queue) {
      const { ready, delayed, inflight } = messages(queue);
      return { ready: ready.length + delayed.length, inFlight: inflight.length };
    },
    receives(queue) {
      const { ready, inflight } = messages(queue);
      return [...ready, ...inflight.map(({ message }) => message)].map((message) => message.approximateReceiveCount);
    },
    async reveal(queue) {
      for (const { receiptHandle: ReceiptHandle } of messages(queue).inflight) {
        await sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl: `${url}/${ACCOUNT}/${queue}`, ReceiptHandle, VisibilityTimeout: 0 }));
      }
    },
    async until(condition, timeoutMs = 30_000) {
      const end = performance.now() + timeoutMs;
      while (!(await condition())) {
        if (performance.now() > end) throw new Error(`it has not come about within ${timeoutMs} ms`);
        await sleep(20);
      }
    },
  };
}

/** A key in the layout of CloudTrail's buckets. */
export function logKey(name: string, folder = 'CloudTrail', account = '111122223333'): string {
  return `AWSLogs/${account}/${folder}/${REGION}/2026/02/01/${account}_${folder}_${REGION}_20260201T0000Z_${name}.json.gz`;
}

/** An S3 notification as S3 itself sends it. */
export function notification(key: string, size?: number): object {
  const object = { key: encodeURIComponent(key).replaceAll('%2F', '/').replaceAll('%20', '+'), ...(size !== undefined && { size }) };
  return {
    Records: [
      {
        eventVersion: '2.1',
        eventSource: 'aws:s3',
        awsRegion: REGION,
        eventName: 'ObjectCreated:Put',
        s3: { bucket: { name: BUCKET }, object },
      },
    ],
  };
}

export function withinSns(message: unknown): object {
  return { Type: 'Notification', TopicArn: `arn:aws:sns:${REGION}:${ACCOUNT}:trail`, Message: JSON.stringify(message) };
}

export function bridged(key: string, size: number): object {
  return { source: 'aws.s3', 'detail-type': 'Object Created', region: REGION, detail: { bucket: { name: BUCKET }, object: { key, size } } };
}

export function ofCloudTrail(...keys: string[]): object {
  return { s3Bucket: BUCKET, s3ObjectKey: keys };
}
