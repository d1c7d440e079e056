/** In front of an S3 that works: writes down what is asked of it, refuses some of it, and takes its time. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, request as send, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { sleep } from '../../services/platform/clock.ts';

export interface S3Request {
  readonly kind: 'list' | 'get' | 'other';
  /** Of a listing. */
  readonly prefix: string;
  /** Of an object. */
  readonly key: string;
}

export interface S3Front {
  readonly url: string;
  readonly requests: S3Request[];
  /** What `true` is returned for is answered with AccessDenied. */
  denies: (request: S3Request) => boolean;
  /** Milliseconds before an answer. */
  delay: (request: S3Request) => number;
}

export async function s3Front(target: string): Promise<S3Front> {
  const requests: S3Request[] = [];
  const server = createServer((request, response) => void answer(request, response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const front: S3Front = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    denies: () => false,
    delay: () => 0,
  };
  return front;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = understood(request);
    requests.push(asked);
    const delay = front.delay(asked);
    if (delay > 0) await sleep(delay);
    if (front.denies(asked)) {
      response.writeHead(403, { 'content-type': 'application/xml' });
      response.end('<?xml version="1.0" encoding="UTF-8"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>');
      return;
    }
    const onward = send(`${target}${request.url ?? ''}`, { method: request.method, headers: request.headers }, (answered) => {
      response.writeHead(answered.statusCode ?? 500, answered.headers);
      answered.pipe(response);
    });
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  }
}

function understood({ url = '', method }: IncomingMessage): S3Request {
  const { pathname, searchParams } = new URL(url, 'http://s3');
  const [, , ...key] = decodeURIComponent(pathname).split('/');
  const isList = searchParams.get('list-type') === '2';
  return { kind: isList ? 'list' : method === 'GET' ? 'get' : 'other', prefix: searchParams.get('prefix') ?? '', key: key.join('/') };
}
