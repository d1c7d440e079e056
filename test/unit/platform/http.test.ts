import { Registry } from 'prom-client';
import { afterEach, describe, expect, test } from 'vitest';
import { KmswatchError } from '../../../services/core/errors.ts';
import { createHttp, type HttpOptions, type HttpServer } from '../../../services/platform/http.ts';
import { parseListen } from '../../../services/platform/http/listen.ts';
import { createLogger } from '../../../services/platform/logger.ts';

const logger = createLogger('silent');
const servers: HttpServer[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

function serve(options: Partial<HttpOptions> = {}): HttpServer {
  const server = createHttp({ logger, registry: new Registry(), checks: {}, ...options });
  servers.push(server);
  return server;
}

describe('the server', () => {
  test('is alive whatever its checks say, and ready only when all of them pass', async () => {
    let broken = true;
    const { app, drain } = serve({
      checks: {
        database: async () => {
          if (broken) throw new Error('no answer');
        },
        queue: async () => undefined,
      },
    });
    expect((await app.inject('/healthz')).statusCode).toBe(200);
    const not = await app.inject('/readyz');
    expect(not.statusCode).toBe(503);
    expect(not.json()).toEqual({
      status: 'not ready',
      checks: {
        database: { ok: false, reason: 'no answer', milliseconds: expect.any(Number) },
        queue: { ok: true, milliseconds: expect.any(Number) },
      },
    });
    broken = false;
    expect((await app.inject('/readyz')).statusCode).toBe(200);
    drain();
    expect((await app.inject('/readyz')).json()).toMatchObject({ status: 'stopping' });
    expect((await app.inject('/healthz')).statusCode).toBe(200);
  });

  test('brings gauges up to date before a scrape, and is scraped even when that fails', async () => {
    const registry = new Registry();
    let refreshes = 0;
    const errors: unknown[] = [];
    const { app } = serve({
      registry,
      refresh: async () => {
        refreshes += 1;
        if (refreshes > 1) throw new Error('no');
      },
      onRefreshError: (error) => errors.push(error),
    });
    const first = await app.inject('/metrics');
    expect(first.headers['content-type']).toContain('text/plain');
    expect([refreshes, errors.length]).toEqual([1, 0]);
    expect((await app.inject('/metrics')).statusCode).toBe(200);
    expect([refreshes, errors.length]).toEqual([2, 1]);
  });

  test('forbids pages to load or run anything, on errors too, unless a route says otherwise', async () => {
    const { app } = serve();
    app.get('/own', async (_request, reply) => reply.header('content-security-policy', "default-src 'self'").send('x'));
    for (const path of ['/healthz', '/nothing']) {
      const { headers } = await app.inject(path);
      expect(headers['content-security-policy']).toMatch(/^default-src 'none'; style-src 'unsafe-inline';/);
      expect(headers['x-content-type-options']).toBe('nosniff');
    }
    expect((await app.inject('/own')).headers['content-security-policy']).toBe("default-src 'self'");
  });

  test('answers our errors with their status and code, and tells nothing of any other', async () => {
    const { app } = serve();
    app.get('/ours', async () => {
      throw new KmswatchError('NOT_FOUND', 'no such key', { hint: 'look again' });
    });
    app.get('/bug', async () => {
      throw new Error('secret detail');
    });
    const ours = await app.inject('/ours');
    expect([ours.statusCode, ours.json()]).toEqual([404, { error: { code: 'NOT_FOUND', message: 'no such key', hint: 'look again' } }]);
    const bug = await app.inject('/bug');
    expect(bug.statusCode).toBe(500);
    expect(bug.body).not.toContain('secret detail');
    expect((await app.inject('/nothing')).json()).toMatchObject({ error: { code: 'NOT_FOUND' } });
  });

  test('says what to do when the port is taken', async () => {
    const url = await serve().listen('127.0.0.1:0');
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    await expect(serve().listen(`127.0.0.1:${new URL(url).port}`)).rejects.toMatchObject({
      code: 'LISTEN_FAILED',
      hint: expect.stringContaining('KMSWATCH_LISTEN'),
    });
  });
});

test.each([
  ['127.0.0.1:8787', { host: '127.0.0.1', port: 8787 }],
  ['[::1]:80', { host: '::1', port: 80 }],
  ['localhost:0', { host: 'localhost', port: 0 }],
  [':9000', { host: '0.0.0.0', port: 9000 }],
])('%s is an address to listen on', (text, expected) => {
  expect(parseListen(text)).toEqual(expected);
});

test.each(['', '8787', 'host', 'host:', 'host:99999', 'http://host:1', '::1:80', 'a b:1'])('%j is none', (text) => {
  expect(() => parseListen(text)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
});
