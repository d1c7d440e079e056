import { randomBytes } from 'node:crypto';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../services/platform/clock.ts';
import { createLifecycle } from '../../services/platform/lifecycle.ts';
import { createLogger } from '../../services/platform/logger.ts';
import { startApi } from '../../services/api/server.ts';
import { createToken, revokeToken } from '../../services/store/tokens.ts';
import { configSchema } from '../../services/workers/config.ts';
import { openService, type Service } from '../../services/workers/service.ts';
import { openPipeline } from '../support/pipeline.ts';
import { testDatabase } from '../support/postgres.ts';
import { eventId, KEYS, record, roleOf, START } from '../support/records.ts';

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: Record<string, unknown>;
  readonly bytes: number;
}

let database: Awaited<ReturnType<typeof testDatabase>>;
let open: Api;

beforeAll(async () => {
  database = await testDatabase();
  await using pipeline = await openPipeline(database.url);
  await pipeline.deliver([0, 1, 2].map((n) => scheduled(n)));
  await pipeline.work();
  open = await start({});
});

afterAll(async () => {
  await open.stop();
  await database[Symbol.asyncDispose]();
});

describe('findings', () => {
  test('come page by page, each once, the most urgent first', async () => {
    const all = await open.get('/findings?limit=500');
    const ids = items(all).map(({ id }) => id);
    expect(ids.length).toBeGreaterThan(3);
    const paged: unknown[] = [];
    for (let next: string | null = '', pages = 0; next !== null && pages < 50; pages++) {
      const { body } = await open.get(`/findings?limit=2${next === '' ? '' : `&cursor=${next}`}`);
      paged.push(...(body['items'] as { id: string }[]).map(({ id }) => id));
      next = body['next'] as string | null;
    }
    expect(paged).toEqual(ids);
  });

  test('are filtered by what is asked, in lists too', async () => {
    const of = async (query: string): Promise<string[]> =>
      items(await open.get(`/findings?${query}`)).map((each) => String(each['detector']));
    expect(await of('detector=key-deletion-scheduled')).toEqual(Array(3).fill('key-deletion-scheduled'));
    expect(await of(`detector=key-deletion-scheduled,key-deletion-short-window&key_arn=${KEYS[0]}`)).toHaveLength(2);
    expect(await of('account=999999999999')).toEqual([]);
    expect((await open.get('/findings?severity=dreadful')).status).toBe(400);
  });

  test('are told whole, with evidence as CloudTrail wrote it when that is asked for', async () => {
    const id = await findingId();
    const { body } = await open.get(`/findings/${id}?evidence=true`);
    expect(body).toMatchObject({ id, detector: 'key-deletion-scheduled', history: [{ change: 'opened', by: 'detection' }] });
    expect((body['evidence_records'] as { record: unknown }[])[0]?.record).toEqual(JSON.parse(scheduled(0)));
    expect((await open.get(`/findings/${id}`)).body).not.toHaveProperty('evidence_records');
    expect((await open.get('/findings/0000000000000000')).status).toBe(404);
  });

  test('take words, which go into their history and the audit log', async () => {
    const id = await findingId();
    expect(await open.post(`/findings/${id}/acknowledge`, { comment: 'mine' })).toMatchObject({
      status: 200,
      body: { status: 'acknowledged' },
    });
    expect(await open.post(`/findings/${id}/assign`, { assignee: 'ines' })).toMatchObject({ status: 200 });
    expect(await open.post(`/findings/${id}/comment`, { comment: '<script>' })).toMatchObject({ status: 200 });
    expect(await open.post(`/findings/${id}/comment`, {})).toMatchObject({ status: 400, type: 'application/problem+json' });
    expect(await open.post(`/findings/${id}/resolve`)).toMatchObject({ body: { status: 'resolved' } });
    expect(await open.post(`/findings/${id}/acknowledge`)).toMatchObject({ status: 409, body: { type: 'urn:kmswatch:problem:conflict' } });
    expect(await open.post(`/findings/${id}/reopen`)).toMatchObject({ body: { status: 'open' } });
    const { body } = await open.get(`/findings/${id}`);
    expect(body).toMatchObject({ status: 'open', assignee: 'ines' });
    expect((body['history'] as { change: string }[]).map(({ change }) => change)).toEqual([
      'opened',
      'acknowledge',
      'assign',
      'comment',
      'resolve',
      'reopen',
    ]);
    const audit = items(await open.get('/audit')).map(({ action, target, principal }) => ({ action, target, principal }));
    expect(audit.slice(0, 2)).toEqual(['finding.reopen', 'finding.resolve'].map((action) => ({ action, target: id, principal: 'local' })));
  });
});

test('suppressions and silences are made, listed and ended', async () => {
  const until = new Date(systemClock.now() + 3_600_000).toISOString();
  expect(await open.post('/suppressions', { reason: 'x', ends_at: until })).toMatchObject({ status: 400 });
  expect(await open.post('/suppressions', { account: '1', reason: 'x', ends_at: '2020-01-01T00:00:00Z' })).toMatchObject({ status: 400 });
  const made = await open.post('/suppressions', { key_arn: KEYS[2], reason: 'planned', ends_at: until });
  expect(made).toMatchObject({ status: 201 });
  expect(items(await open.get(`/findings?status=suppressed&key_arn=${KEYS[2]}`)).length).toBe(made.body['findings']);
  expect(items(await open.get('/suppressions'))).toMatchObject([{ id: made.body['id'], author: 'local', reason: 'planned' }]);
  expect(await open.delete(`/suppressions/${String(made.body['id'])}`)).toMatchObject({ status: 204 });
  expect(await open.delete(`/suppressions/${String(made.body['id'])}`)).toMatchObject({ status: 404 });
  expect(items(await open.get('/findings?status=suppressed'))).toEqual([]);

  expect(await open.post('/silences', { matchers: ['severity=~"("'], comment: 'x', ends_at: until })).toMatchObject({ status: 400 });
  expect(await open.post('/silences', { matchers: ['severity=~".*"'], comment: 'x', ends_at: until })).toMatchObject({ status: 400 });
  const silence = await open.post('/silences', { matchers: ['severity="low"'], comment: 'game day', ends_at: until });
  expect(silence).toMatchObject({ status: 201, body: { state: 'active', matchers: ['severity="low"'] } });
  expect(await open.delete(`/silences/${String(silence.body['id'])}`)).toMatchObject({ status: 204 });
  expect(items(await open.get('/silences'))).toEqual([]);
});

test('keys are told with their history, users and who may use them; events are found by key, actor, operation and time', async () => {
  const key = encodeURIComponent(KEYS[0]);
  expect((await open.get(`/keys/${key}`)).body).toMatchObject({
    arn: KEYS[0],
    state: 'PendingDeletion',
    facts: { deletion: { origin: eventId(0) } },
  });
  expect(items(await open.get(`/keys/${key}/history`))).toMatchObject([{ operation: 'ScheduleKeyDeletion', event_id: eventId(0) }]);
  expect(items(await open.get(`/keys/${key}/usage`))[0]).toMatchObject({
    actor: expect.stringContaining('admin') as string,
    other_calls: 1,
  });
  expect((await open.get(`/keys/${key}/access`)).body).toMatchObject({ unknown: expect.any(Array) as unknown[] });
  expect((await open.get('/keys/nobody-knows-it')).status).toBe(404);

  const span = `from=${new Date(START - 1).toISOString()}&to=${new Date(START + 86_400_000).toISOString()}`;
  const found = async (query: string): Promise<unknown[]> =>
    items(await open.get(`/events?${span}&${query}`)).map((each) => each['event_id']);
  expect(await found(`key_arn=${KEYS[1]}`)).toEqual([eventId(1)]);
  expect(await found('operation=ScheduleKeyDeletion&limit=500')).toHaveLength(3);
  expect(await found('operation=Decrypt')).toEqual([]);
  expect(await found('actor=nobody')).toEqual([]);
  const first = await open.get(`/events?${span}&limit=1`);
  expect(items(await open.get(`/events?${span}&limit=500&cursor=${String(first.body['next'])}`))).toHaveLength(2);
  expect((await open.get(`/events/${eventId(1)}?record=true`)).body).toMatchObject({
    tellings: [{ key_arn: KEYS[1] }],
    records: [{ record: JSON.parse(scheduled(1)) as unknown }],
  });
  expect((await open.get('/events/00000000-0000-4000-8000-00000000ffff')).status).toBe(404);
});

describe('authentication', () => {
  test('with tokens: none, a wrong, a revoked or an expired one is refused, and a scope allows what it says', async () => {
    const api = await start({ authentication: 'token' });
    onTestFinished(() => void api.stop());
    const { pool, clock } = api.service.deps;
    const token = (scope: 'viewer' | 'responder' | 'admin', expiresAt: number | null = null): Promise<{ id: string; token: string }> =>
      createToken(pool, { name: 'test', scope, createdBy: 'test', createdAt: clock.now(), expiresAt, random: randomBytes });
    const [viewer, responder, admin, expired, revoked] = await Promise.all([
      token('viewer'),
      token('responder'),
      token('admin'),
      token('admin', clock.now() - 1),
      token('admin'),
    ]);
    await revokeToken(pool, revoked.id, clock.now());
    const wrong = `${viewer.token.slice(0, -1)}${viewer.token.endsWith('A') ? 'B' : 'A'}`;
    for (const refused of [
      '',
      'Bearer',
      `Bearer ${wrong}`,
      `Bearer ${expired.token}`,
      `Bearer ${revoked.token}`,
      `Bearer kmsw_000000000000_${'a'.repeat(43)}`,
      'Bearer a.b.c',
      `Bearer ${'x'.repeat(20_000)}`,
    ]) {
      const answer = await api.get('/findings', refused);
      expect([refused.slice(0, 20), answer.status]).toEqual([refused.slice(0, 20), refused.length > 16_000 ? 431 : 401]);
    }
    const id = await findingId();
    const statuses = async (held: string): Promise<number[]> => [
      (await api.get('/findings', `Bearer ${held}`)).status,
      (await api.post(`/findings/${id}/comment`, { comment: 'x' }, `Bearer ${held}`)).status,
      (await api.get('/audit', `Bearer ${held}`)).status,
      (await fetch(`${api.url}/admin/queues`, { headers: { authorization: `Bearer ${held}` } })).status,
    ];
    expect(await statuses(viewer.token)).toEqual([200, 403, 403, 403]);
    expect(await statuses(responder.token)).toEqual([200, 200, 403, 403]);
    expect(await statuses(admin.token)).toEqual([200, 200, 200, 200]);
    // A browser asks for a name and a password: the password is the token.
    const basic = `Basic ${Buffer.from(`anything:${viewer.token}`).toString('base64')}`;
    expect((await fetch(api.url)).status).toBe(401);
    expect((await fetch(api.url, { headers: { authorization: basic } })).status).toBe(200);
    expect((await fetch(`${api.url}/metrics`)).status).toBe(200);
    const { rows } = await pool.query<{ row: string }>('SELECT t::text AS row FROM api_token t');
    expect(rows.map(({ row }) => row).join()).not.toContain(admin.token.slice(-20));
  });

  test('OIDC: a token of the issuer for us with a scope is taken; a wrong signature, issuer, audience, time, scope or algorithm is not', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256');
    const stranger = await generateKeyPair('ES256');
    const jwks = createServer((_request, response) => {
      void exportJWK(publicKey).then((jwk) => response.end(JSON.stringify({ keys: [{ ...jwk, kid: 'one', alg: 'ES256' }] })));
    }).listen(0, '127.0.0.1');
    await once(jwks, 'listening');
    onTestFinished(() => void jwks.close());
    const issuer = 'https://id.example.com';
    const jwks_url = `http://127.0.0.1:${(jwks.address() as AddressInfo).port}/keys`;
    const api = await start({ authentication: 'token', oidc: { issuer, audience: 'kmswatch', jwks_url } });
    onTestFinished(() => void api.stop());
    interface Made {
      readonly iss?: string;
      readonly aud?: string;
      readonly exp?: number;
      readonly scope?: string;
      readonly key?: CryptoKey;
    }
    const now = Math.floor(systemClock.now() / 1000);
    const made = ({
      iss = issuer,
      aud = 'kmswatch',
      exp = now + 60,
      scope = 'openid kmswatch:responder',
      key = privateKey,
    }: Made): Promise<string> =>
      new SignJWT({ scope })
        .setProtectedHeader({ alg: 'ES256', kid: 'one' })
        .setSubject('ines')
        .setIssuer(iss)
        .setAudience(aud)
        .setExpirationTime(exp)
        .sign(key);
    const status = async (jwt: string): Promise<number> => (await api.get('/findings', `Bearer ${jwt}`)).status;
    expect(await status(await made({}))).toBe(200);
    expect(await status(await made({ iss: 'https://evil.example.com' }))).toBe(401);
    expect(await status(await made({ aud: 'another' }))).toBe(401);
    expect(await status(await made({ exp: now - 3_600 }))).toBe(401);
    expect(await status(await made({ scope: 'openid' }))).toBe(401);
    expect(await status(await made({ key: stranger.privateKey }))).toBe(401);
    const [, payload] = (await made({})).split('.');
    const none = Buffer.from(JSON.stringify({ alg: 'none' })).toString('base64url');
    expect(await status(`${none}.${payload ?? ''}.`)).toBe(401);
    await api.post(`/findings/${await findingId()}/comment`, { comment: 'x' }, `Bearer ${await made({})}`);
    expect(items(await open.get('/audit'))[0]).toMatchObject({ principal: 'oidc:ines', scope: 'responder' });
  });

  test('without it, only this machine is listened to, under names of its own, and not for other pages', async () => {
    await expect(start({ listen: '0.0.0.0:0' })).rejects.toThrow(/authentication is off/);
    const asked = async (headers: Record<string, string>): Promise<number> =>
      (await fetch(`${open.url}/api/v1/findings`, { headers })).status;
    expect(await asked({ 'sec-fetch-site': 'cross-site' })).toBe(421);
    expect(await asked({ 'sec-fetch-site': 'same-origin' })).toBe(200);
    const { request } = await import('node:http');
    const rebound = await new Promise<number>((resolve) => {
      request(`${open.url}/api/v1/findings`, { headers: { host: 'evil.example.com' } }, (response) =>
        resolve(response.statusCode ?? 0),
      ).end();
    });
    expect(rebound).toBe(421);
    const form = await fetch(`${open.url}/api/v1/findings/${await findingId()}/resolve`, {
      method: 'POST',
      body: new URLSearchParams({ comment: 'x' }),
    });
    expect(form.status).toBe(415);
  });

  test('a caller that asks too often is told to wait', async () => {
    const api = await start({ requests_per_minute: 3 });
    onTestFinished(() => void api.stop());
    const statuses = [];
    for (let n = 0; n < 5; n++) statuses.push((await api.get('/silences')).status);
    expect(statuses).toEqual([200, 200, 200, 429, 429]);
  });
});

test('whatever is asked, the answer is never a 500, is bounded, and is what the OpenAPI document says', async () => {
  const { body: document } = await open.get('/openapi.json');
  expect(document).toMatchObject({ openapi: '3.1.0' });
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema(document, 'api');
  const operations = operationsOf(document);
  expect(operations.length).toBeGreaterThan(20);
  /** How an answer differs from what the document says of it. */
  const mismatch = (answer: Answer, { path, method }: Operation): unknown => {
    if (answer.status === 204) return null;
    if (answer.status >= 400) {
      const isProblem = answer.type === 'application/problem+json' && answer.body['status'] === answer.status;
      return isProblem && String(answer.body['type']).startsWith('urn:kmswatch:problem:') ? null : answer;
    }
    const pointer = `api#/paths/${escaped(path)}/${method}/responses/${answer.status}/content/application~1json/schema`;
    return ajv.validate({ $ref: pointer }, answer.body) ? null : { pointer, errors: ajv.errors };
  };
  const odd = fc.oneof(
    fc.string({ maxLength: 40 }),
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.constantFrom(
      '',
      '0',
      '-1',
      '1e9',
      'null',
      '\0',
      '%00',
      '../..',
      "' OR 1=1 --",
      '__proto__',
      '9'.repeat(30),
      '2026-01-01T00:00:00Z',
      '0001-01-01T00:00:00Z',
      '9999-12-31T23:59:59Z',
      KEYS[0],
      eventId(1),
      'W10',
      'e30',
      'a'.repeat(3_000),
    ),
  );
  const json = fc.oneof(fc.jsonValue({ maxDepth: 3 }), odd);
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...operations),
      fc.array(odd, { minLength: 20, maxLength: 20 }),
      fc.array(fc.boolean(), { minLength: 20, maxLength: 20 }),
      json,
      async (operation, values, given, value) => {
        const path = operation.path.replace(/\{\w+\}/g, () => encodeURIComponent((values.pop() ?? '').toWellFormed() || 'x'));
        const query = new URLSearchParams();
        operation.query.forEach((name, at) => given[at] && query.append(name, values[at] ?? ''));
        const body =
          operation.fields === null
            ? undefined
            : JSON.stringify(
                given[0] ? value : Object.fromEntries(operation.fields.map((name, at) => [name, given[at + 1] ? values[at] : value])),
              );
        const answer = await open.ask(operation.method, `${path}${query.size > 0 ? `?${query.toString()}` : ''}`, body);
        const told = { ...answer, path, query: query.toString(), sent: body };
        expect(told).not.toMatchObject({ status: 500 });
        expect(answer.bytes).toBeLessThan(4_000_000);
        expect(mismatch(told, operation)).toBeNull();
      },
    ),
    { numRuns: 500, endOnFailure: true },
  );
});

interface Operation {
  readonly method: string;
  readonly path: string;
  readonly query: readonly string[];
  /** Names of the body's fields; null = it takes none. */
  readonly fields: readonly string[] | null;
}

function operationsOf(document: Record<string, unknown>): Operation[] {
  type Described = {
    parameters?: { in: string; name: string }[];
    requestBody?: { content: Record<string, { schema: { properties?: object } }> };
  };
  return Object.entries(document['paths'] as Record<string, Record<string, Described>>).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { parameters = [], requestBody }]) => ({
      method,
      path,
      query: parameters.filter((parameter) => parameter.in === 'query').map(({ name }) => name),
      fields: requestBody ? Object.keys(requestBody.content['application/json']?.schema.properties ?? {}) : null,
    })),
  );
}

function escaped(pointer: string): string {
  return pointer.replaceAll('~', '~0').replaceAll('/', '~1').replaceAll('{', '%7B').replaceAll('}', '%7D');
}

function scheduled(n: number): string {
  return JSON.stringify(
    record('ScheduleKeyDeletion', START + n * 60_000, {
      eventID: eventId(n),
      userIdentity: roleOf('admin'),
      readOnly: false,
      requestParameters: { keyId: KEYS[n], pendingWindowInDays: 7 },
      responseElements: { keyId: KEYS[n], keyState: 'PendingDeletion', pendingWindowInDays: 7 },
      resources: [{ ARN: KEYS[n], accountId: '111122223333', type: 'AWS::KMS::Key' }],
    }),
  );
}

async function findingId(): Promise<string> {
  const [finding] = items(await open.get(`/findings?detector=key-deletion-scheduled&key_arn=${KEYS[0]}`));
  return String(finding?.['id']);
}

function items({ body }: Answer): Record<string, unknown>[] {
  return body['items'] as Record<string, unknown>[];
}

interface Api {
  readonly url: string;
  readonly service: Service;
  get(path: string, authorization?: string): Promise<Answer>;
  post(path: string, body?: object, authorization?: string): Promise<Answer>;
  delete(path: string): Promise<Answer>;
  /** Of a path from the root. */
  ask(method: string, path: string, body?: string, authorization?: string): Promise<Answer>;
  stop(): Promise<unknown>;
}

async function start({ listen = '127.0.0.1:0', ...api }: Record<string, unknown>): Promise<Api> {
  const logger = createLogger('silent');
  const lifecycle = createLifecycle({ logger });
  const config = configSchema.parse({ database_url: database.url, listen, api: { requests_per_minute: 0, ...api } });
  const service = await openService({ config, clock: systemClock, logger, lifecycle, judgeBy: 'clock', name: 'test' });
  const url = await startApi(service).catch(async (error: unknown) => {
    await lifecycle.stop();
    throw error;
  });
  const ask: Api['ask'] = async (method, path, body, authorization) => {
    const headers = { ...(body !== undefined && { 'content-type': 'application/json' }), ...(authorization && { authorization }) };
    const response = await fetch(`${url}${path}`, { method: method.toUpperCase(), headers, ...(body !== undefined && { body }) });
    const text = await response.text();
    const type = response.headers.get('content-type')?.split(';')[0] ?? '';
    return {
      status: response.status,
      type,
      bytes: text.length,
      body: (type.endsWith('json') && text !== '' ? JSON.parse(text) : {}) as Record<string, unknown>,
    };
  };
  return {
    url,
    service,
    ask,
    get: (path, authorization) => ask('get', `/api/v1${path}`, undefined, authorization),
    post: (path, body, authorization) => ask('post', `/api/v1${path}`, body && JSON.stringify(body), authorization),
    delete: (path) => ask('delete', `/api/v1${path}`),
    stop: () => lifecycle.stop(),
  };
}
