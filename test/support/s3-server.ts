import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished, vi } from 'vitest';
import { systemClock } from '../../services/platform/clock.ts';
import { createAws } from '../../services/platform/aws.ts';
import { type Buckets, createBuckets } from '../../services/sources/s3-trail/buckets.ts';
import type { TrailObject } from '../../services/sources/s3-trail/locator.ts';

/** How one request is answered. */
export type Answer =
  /** As S3 does, and breaks off after so many bytes where a number is given. */
  { readonly body: Buffer; readonly breakAfter?: number; readonly etag?: string } | { readonly status: number; readonly code: string };

export interface S3Server {
  readonly buckets: Buckets;
  readonly object: TrailObject;
  /** `Range` of each request; undefined = the whole object. */
  readonly ranges: (string | undefined)[];
}

/** S3 for one object, with faults: each request takes the next answer, the last one stays. */
export async function s3Server(answers: readonly Answer[]): Promise<S3Server> {
  const ranges: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    const answer = answers[Math.min(ranges.length, answers.length - 1)] as Answer;
    ranges.push(request.headers.range);
    if ('status' in answer) refuse(response, answer);
    else serve(request, response, answer);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  for (const [name, value] of Object.entries({ AWS_ENDPOINT_URL_S3: url, AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' }))
    vi.stubEnv(name, value);
  onTestFinished(() => void vi.unstubAllEnvs());
  const queue = { url: 'https://sqs.eu-west-1.amazonaws.com/111122223333/trail' };
  const buckets = createBuckets([queue], createAws({ clock: systemClock, version: 'test' }));
  onTestFinished(() => buckets.close());
  const object = {
    bucket: 'trail-logs',
    key: 'x.json.gz',
    region: 'eu-west-1',
    versionId: null,
    etag: null,
    size: null,
    queue: '111122223333/trail@eu-west-1',
  };
  return { buckets, object, ranges };
}

function refuse(response: ServerResponse, { status, code }: { status: number; code: string }): void {
  response.writeHead(status, { 'content-type': 'application/xml' });
  response.end(`<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>no</Message></Error>`);
}

function serve(
  { headers }: IncomingMessage,
  response: ServerResponse,
  { body, breakAfter, etag = '"one"' }: Extract<Answer, { body: Buffer }>,
): void {
  const [, from = '0'] = /^bytes=(\d+)-$/.exec(headers.range ?? '') ?? [];
  if (headers['if-match'] !== undefined && headers['if-match'] !== etag)
    return refuse(response, { status: 412, code: 'PreconditionFailed' });
  const rest = body.subarray(Number(from));
  response.writeHead(headers.range === undefined ? 200 : 206, { 'content-length': rest.length, etag });
  if (breakAfter === undefined) return void response.end(rest);
  response.write(rest.subarray(0, breakAfter), () => response.destroy());
}
