/** An HTTP server that records what it is sent and answers what it is told to. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';

export interface SinkRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface SinkAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** `cut`: the connection ends without an answer. `hang`: there never is one. `endless`: its body never ends. */
export type Behaviour = SinkAnswer | 'cut' | 'hang' | 'endless';

export interface Sink extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly requests: SinkRequest[];
  /** Bytes of endless bodies that were written. */
  written: number;
  answer: (request: SinkRequest) => Behaviour;
}

export async function startSink(tls?: { readonly key: string; readonly cert: string }): Promise<Sink> {
  const listener = (request: IncomingMessage, response: ServerResponse): void => void serve(request, response);
  const server = tls ? createSecureServer(tls, listener) : createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const sink: Sink = {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    port,
    requests: [],
    written: 0,
    answer: () => ({ status: 200 }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return sink;

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    const recorded = { method: request.method ?? '', path: request.url ?? '', headers, body: Buffer.concat(chunks).toString() };
    sink.requests.push(recorded);
    const answer = sink.answer(recorded);
    if (answer === 'hang') return;
    if (answer === 'cut') return void response.socket?.destroy();
    if (answer === 'endless') return flood(response);
    response.writeHead(answer.status, answer.headers).end(answer.body);
  }

  function flood(response: ServerResponse): void {
    response.writeHead(200);
    const chunk = Buffer.alloc(16_384, 'x');
    const more = (): void => {
      while (!response.destroyed && response.write(chunk)) sink.written += chunk.length;
    };
    response.on('drain', more);
    more();
  }
}
