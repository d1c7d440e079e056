/**
 * In front of SQS and S3: from a moment on, the first calls of each kind are throttled and refused; everything else passes. A long poll ends
 * with the connection of whoever made it, as at SQS; the emulator would go on and receive messages for nobody.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, request as send, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { sleep } from '../../services/platform/clock.ts';

export interface TroubledFront {
  readonly url: string;
  /** From now on. */
  begin(): void;
  /** Resolves when nobody polls any more. */
  quiet(): Promise<void>;
  /** What was refused, as in `ReceiveMessage 400`. */
  readonly refused: readonly string[];
}

const OF_JSON = 'application/x-amz-json-1.0';

interface Refusal {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/** The error of the protocol that SQS speaks: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html */
const OF_SQS: readonly Refusal[] = [
  refusalJson(400, 'com.amazonaws.sqs#RequestThrottled'),
  refusalJson(503, 'com.amazonaws.sqs#ServiceUnavailable'),
];
/** https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
const OF_S3: readonly Refusal[] = [refusalXml(503, 'SlowDown'), refusalXml(500, 'InternalError')];

const LOOK_MS = 25;

export async function troubledFront(target: string): Promise<TroubledFront> {
  const refused: string[] = [];
  const left = new Map<string, Refusal[]>();
  const polls = new Set<Promise<void>>();
  let hasBegun = false;
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    refused,
    begin: () => void (hasBegun = true),
    quiet: async () => void (await Promise.allSettled(polls)),
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const call = callOf(request);
    const refusal = hasBegun ? refusalOf(call) : undefined;
    if (refusal) {
      refused.push(`${call} ${refusal.status}`);
      request.resume();
      response.writeHead(refusal.status, { 'content-type': refusal.type }).end(refusal.body);
      return;
    }
    if (call === 'ReceiveMessage') {
      const polling = poll(request, response);
      polls.add(polling);
      return await polling.finally(() => polls.delete(polling));
    }
    const onward = send(`${target}${request.url ?? ''}`, { method: request.method, headers: request.headers }, (answered) => {
      response.writeHead(answered.statusCode ?? 500, answered.headers);
      answered.pipe(response);
    });
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  }

  async function poll(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = JSON.parse((await buffer(request)).toString()) as { readonly WaitTimeSeconds?: number };
    const body = JSON.stringify({ ...asked, WaitTimeSeconds: 0 });
    const headers = {
      'content-type': OF_JSON,
      'x-amz-target': 'AmazonSQS.ReceiveMessage',
      authorization: request.headers.authorization ?? '',
    };
    for (const end = performance.now() + (asked.WaitTimeSeconds ?? 0) * 1000; !response.destroyed; await sleep(LOOK_MS)) {
      const answered = await fetch(target, { method: 'POST', headers, body });
      const text = await answered.text();
      if (answered.ok && !text.includes('"Messages"') && performance.now() < end) continue;
      response.writeHead(answered.status, { 'content-type': OF_JSON }).end(text);
      return;
    }
  }

  function refusalOf(call: string): Refusal | undefined {
    const refusals = left.get(call) ?? [...(call === 'GetObject' ? OF_S3 : OF_SQS)];
    left.set(call, refusals);
    return refusals.shift();
  }
}

function callOf({ headers, method }: IncomingMessage): string {
  const operation = String(headers['x-amz-target'] ?? '').split('.')[1];
  return operation ?? (method === 'GET' ? 'GetObject' : 'other');
}

function refusalJson(status: number, type: string): Refusal {
  return { status, type: OF_JSON, body: JSON.stringify({ __type: type, message: 'not now' }) };
}

function refusalXml(status: number, code: string): Refusal {
  const body = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>not now</Message></Error>`;
  return { status, type: 'application/xml', body };
}
