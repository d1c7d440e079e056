/**
 * AWS over loopback, for the unmodified SDK: CloudTrail's LookupEvents and what KMS answers about keys (JSON 1.1), and the part of STS that credentials come from (query
 * and XML). Point the SDK to it with `environment`. Every request is recorded with the time at which it arrived.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { sleep } from '../../../services/platform/clock.ts';
import { type Answer, jsonError, send } from './answer.ts';
import { CloudTrail } from './cloud-trail.ts';
import { Kms } from './kms.ts';
import { scopeOf } from './signature.ts';
import { Sts } from './sts.ts';

export interface RecordedRequest {
  /** Arrival, monotonic milliseconds. */
  readonly at: number;
  readonly service: string;
  readonly operation: string;
  readonly account: string;
  readonly region: string;
  readonly body: string;
  readonly userAgent: string;
  /** `ok`, the error's name, or the fault that was put in. */
  readonly outcome: string;
}

/** What goes wrong on the way. `cut` = the connection ends in the middle of the answer. */
export type Fault =
  | { readonly kind: 'cut' | 'unavailable' }
  | { readonly kind: 'slow'; readonly ms: number }
  | { readonly kind: 'error'; readonly code: string };

export interface AwsServer extends AsyncDisposable {
  readonly url: string;
  /** For processes; credentials of `homeAccount`, and this server as the endpoint of everything. */
  readonly environment: Readonly<Record<string, string>>;
  readonly cloudTrail: CloudTrail;
  readonly kms: Kms;
  readonly sts: Sts;
  readonly requests: readonly RecordedRequest[];
  /** Asked for every request before it is answered. */
  onRequest: (request: Pick<RecordedRequest, 'service' | 'operation' | 'account' | 'region'>) => Fault | null;
}

export const HOME_ACCOUNT = '999988887777';

export async function startAws(homeAccount = HOME_ACCOUNT): Promise<AwsServer> {
  const cloudTrail = new CloudTrail();
  const kms = new Kms();
  const sts = new Sts(homeAccount);
  const requests: RecordedRequest[] = [];
  const http = createServer((request, response) => void serve(request, response));
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const aws: AwsServer = {
    url,
    environment: {
      AWS_ENDPOINT_URL: url,
      AWS_ACCESS_KEY_ID: 'AKIAHOME',
      AWS_SECRET_ACCESS_KEY: 'secret',
      AWS_EC2_METADATA_DISABLED: 'true',
    },
    cloudTrail,
    kms,
    sts,
    requests,
    onRequest: () => null,
    async [Symbol.asyncDispose]() {
      http.closeAllConnections();
      http.close();
      await once(http, 'close');
    },
  };
  return aws;

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const at = performance.now();
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    const scope = scopeOf(request) ?? { accessKeyId: '', region: '', service: '' };
    const session = sts.sessionOf(scope.accessKeyId);
    const operation =
      String(request.headers['x-amz-target'] ?? '')
        .split('.')
        .at(-1) ||
      (new URLSearchParams(body).get('Action') ?? '');
    const told = { service: scope.service, operation, account: session.account, region: scope.region };
    const fault = aws.onRequest(told);
    const answer = answerTo({ fault, body, accessKeyId: scope.accessKeyId, ...told });
    const outcome = fault && fault.kind !== 'error' ? fault.kind : answer.outcome;
    requests.push({ at, ...told, body, userAgent: String(request.headers['user-agent'] ?? ''), outcome });
    if (fault?.kind === 'slow') await sleep(fault.ms);
    if (fault?.kind !== 'cut') return send(response, answer);
    response.writeHead(answer.status, { 'content-type': answer.type, 'content-length': Buffer.byteLength(answer.body) });
    response.write(answer.body.slice(0, answer.body.length / 2));
    await sleep(10);
    response.destroy();
  }

  interface Asked {
    readonly fault: Fault | null;
    readonly service: string;
    readonly operation: string;
    readonly body: string;
    readonly accessKeyId: string;
    readonly account: string;
    readonly region: string;
  }

  function answerTo({ fault, service, operation, body, accessKeyId, account, region }: Asked): Answer {
    if (fault?.kind === 'unavailable') return jsonError('ServiceUnavailableException', { message: 'try later', status: 503 });
    if (fault?.kind === 'error') return jsonError(fault.code, { message: `${fault.code}, as told` });
    if (service === 'sts') return sts.answer(new URLSearchParams(body), accessKeyId);
    if (Date.now() > sts.sessionOf(accessKeyId).expiresAt)
      return jsonError('ExpiredTokenException', { message: 'The security token included in the request is expired' });
    if (service === 'cloudtrail') return cloudTrail.answer(operation, body, { account, region });
    if (service === 'kms') return kms.answer(operation, body, { account, region });
    return jsonError('UnknownService', { message: service });
  }
}

/** The most requests that arrived within any second, of one account and Region. */
export function mostInASecond(requests: readonly RecordedRequest[]): number {
  const places = Map.groupBy(requests, ({ account, region }) => `${account}/${region}`);
  let most = 0;
  for (const of of places.values()) {
    const times = of.map(({ at }) => at).sort((a, b) => a - b);
    for (const [index, at] of times.entries()) most = Math.max(most, times.slice(index).filter((other) => other < at + 1_000).length);
  }
  return most;
}
