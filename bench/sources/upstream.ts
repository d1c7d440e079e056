/**
 * S3 and SQS in a process of their own. Says first by which environment the SDK finds them; then puts the files that it is asked to put,
 * and sends one message for each.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { startFauxqs } from 'fauxqs';

export interface Ask {
  readonly files: readonly { readonly path: string; readonly key: string }[];
  /** One file in so many milliseconds; 0 = as fast as it goes. */
  readonly everyMs: number;
  /** URL; without it a new queue is made. */
  readonly queue?: string;
}

export interface Sent {
  readonly queue: string;
  /** Key and time of the message, epoch milliseconds. */
  readonly sent: readonly (readonly [key: string, at: number])[];
}

const BUCKET = 'trail-logs';
const REGION = 'eu-west-1';

const server = await startFauxqs({ port: 0, logger: false, defaultRegion: REGION });
const url = `http://127.0.0.1:${server.port}`;
const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
const s3 = new S3Client({ endpoint: url, region: REGION, credentials, forcePathStyle: true });
await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
let queues = 0;

process.on('message', (ask: Ask) => void put(ask).then((sent) => process.send?.(sent)));
process.on('disconnect', () => process.exit());
process.send?.({
  AWS_ENDPOINT_URL: url,
  AWS_REGION: REGION,
  AWS_ACCESS_KEY_ID: credentials.accessKeyId,
  AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  AWS_EC2_METADATA_DISABLED: 'true',
});

async function put({ files, everyMs, queue = newQueue() }: Ask): Promise<Sent> {
  const sent: [string, number][] = [];
  const began = performance.now();
  for (const [number, { path, key }] of files.entries()) {
    const wait = began + number * everyMs - performance.now();
    if (wait > 0) await pause(wait);
    const body = readFileSync(path);
    await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: key, Body: body }));
    sent.push([key, Date.now()]);
    server.sendMessage(queue.split('/').at(-1) ?? '', JSON.stringify(notification(key, body.length)), { region: REGION });
  }
  return { queue, sent };
}

function newQueue(): string {
  const name = `trail-${++queues}`;
  server.createQueue(name, { region: REGION });
  return `${url}/000000000000/${name}`;
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html */
function notification(key: string, size: number): object {
  const s3Part = { bucket: { name: BUCKET }, object: { key, size } };
  return { Records: [{ eventVersion: '2.1', eventSource: 'aws:s3', awsRegion: REGION, eventName: 'ObjectCreated:Put', s3: s3Part }] };
}
