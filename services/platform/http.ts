import Fastify, { type FastifyInstance } from 'fastify';
import type { Registry } from 'prom-client';
import { ERRORS, KmswatchError } from '../core/errors.ts';
import { monotonicMs, within } from './clock.ts';
import { parseListen } from './http/listen.ts';
import type { Logger } from './logger.ts';

export interface HttpOptions {
  readonly logger: Logger;
  readonly registry: Registry;
  /** What must work for the service to be of use, by name. A check rejects with the reason when it does not. */
  readonly checks: Readonly<Record<string, () => Promise<unknown>>>;
  /** Brings gauges that come from elsewhere up to date; called before each scrape. */
  readonly refresh?: () => Promise<void>;
  /** A refresh failed or was late; the scrape goes on with what there is. */
  readonly onRefreshError?: (error: unknown) => void;
}

export interface HttpServer {
  /** For adding routes, before `listen`. */
  readonly app: FastifyInstance;
  /** @throws KmswatchError LISTEN_FAILED, CONFIG_INVALID for an address that is none. @returns the URL that it answers under */
  listen(address: string): Promise<string>;
  /** From now on not ready, so that no new work is sent here. */
  drain(): void;
  close(): Promise<void>;
}

const CHECK_TIMEOUT_MS = 5_000;
const REFRESH_TIMEOUT_MS = 8_000;
const BODY_LIMIT_BYTES = 1_048_576;
/** Characters of a parameter in a path, such as the ARN of a key; what is longer than its schema allows is told so there. */
const PARAMETER_LIMIT = 16_384;

/** Pages may show what they say and how it looks, and nothing that comes from elsewhere. */
const HEADERS = {
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
} as const;

/** A server with `/healthz` (alive), `/readyz` (of use, with reasons) and `/metrics`; the rest is the caller's. */
export function createHttp(options: HttpOptions): HttpServer {
  const { logger, registry, checks, refresh, onRefreshError } = options;
  // Without a logger of its own: what is worth a line is logged below, a line for every request is not.
  const app: FastifyInstance = Fastify({
    bodyLimit: BODY_LIMIT_BYTES,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: PARAMETER_LIMIT },
  });
  let draining = false;

  app.addHook('onSend', async (_request, reply) => {
    for (const [name, value] of Object.entries(HEADERS)) if (!reply.hasHeader(name)) reply.header(name, value);
  });
  app.setNotFoundHandler(async (request, reply) =>
    reply.code(404).send({ error: { code: 'NOT_FOUND', message: `There is nothing at ${request.method} ${request.url.split('?')[0]}` } }),
  );
  app.setErrorHandler(async (error, request, reply) => {
    if (error instanceof KmswatchError) {
      const { code, message, hint } = error;
      return reply.code(ERRORS[code].status).send({ error: { code, message, hint } });
    }
    const { statusCode = 500, message } = error as { statusCode?: number; message: string };
    if (statusCode < 500) return reply.code(statusCode).send({ error: { code: 'INPUT_INVALID', message } });
    logger.error({ err: error, method: request.method, path: request.url.split('?')[0] }, 'request failed');
    return reply.code(500).send({ error: { code: 'INTERNAL', message: 'Something went wrong here; the log says what.' } });
  });

  app.get('/healthz', async () => ({ status: 'alive' }));
  app.get('/readyz', async (_request, reply) => {
    const results = await Promise.all(Object.entries(checks).map(async ([name, check]) => [name, await runCheck(check)] as const));
    const ready = !draining && results.every(([, { ok }]) => ok);
    const status = draining ? 'stopping' : ready ? 'ready' : 'not ready';
    return reply.code(ready ? 200 : 503).send({ status, checks: Object.fromEntries(results) });
  });
  app.get('/metrics', async (_request, reply) => {
    try {
      if (refresh) await within(REFRESH_TIMEOUT_MS, refresh(), () => new Error('the gauges took too long'));
    } catch (error) {
      onRefreshError?.(error);
      logger.warn({ err: error }, 'gauges could not be brought up to date');
    }
    return reply.type(registry.contentType).send(await registry.metrics());
  });

  return {
    app,
    async listen(address) {
      const { host, port } = parseListen(address);
      try {
        return await app.listen({ host, port });
      } catch (cause) {
        throw listenFailed(address, cause);
      }
    },
    drain() {
      draining = true;
    },
    close: async () => app.close(),
  };
}

interface CheckResult {
  readonly ok: boolean;
  readonly reason?: string;
  readonly milliseconds: number;
}

async function runCheck(check: () => Promise<unknown>): Promise<CheckResult> {
  const startedAt = monotonicMs();
  const elapsed = (): number => Math.round(monotonicMs() - startedAt);
  try {
    await within(CHECK_TIMEOUT_MS, Promise.resolve().then(check), () => new Error(`no answer within ${CHECK_TIMEOUT_MS / 1000} s`));
    return { ok: true, milliseconds: elapsed() };
  } catch (error) {
    return { ok: false, reason: error instanceof Error ? error.message : String(error), milliseconds: elapsed() };
  }
}

function listenFailed(address: string, cause: unknown): KmswatchError {
  const { code, message } = cause as NodeJS.ErrnoException;
  const hints: Record<string, string> = {
    EADDRINUSE: 'Something listens there already, perhaps another kmswatch. Choose another port with KMSWATCH_LISTEN or --listen.',
    EACCES: 'Ports below 1024 are for root: choose another one with KMSWATCH_LISTEN or --listen.',
    EADDRNOTAVAIL: 'This machine has no such address: use 127.0.0.1, 0.0.0.0 or one of its own.',
    ENOTFOUND: 'The host name is not known: use an address in KMSWATCH_LISTEN or --listen.',
  };
  return new KmswatchError('LISTEN_FAILED', `Cannot listen on ${address}: ${message}`, { hint: hints[code ?? ''], cause });
}
