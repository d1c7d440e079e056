import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import {
  addressKinds,
  ANSWER_LIMIT_BYTES,
  createOutbound,
  type OutboundRequest,
  type OutboundResult,
  retryAfterMs,
  verdictOf,
} from '../../../services/platform/outbound.ts';
import { selfSigned } from '../../support/notifiers/certificate.ts';
import { startSink } from '../../support/notifiers/sink.ts';

const NOW = Date.UTC(2026, 2, 4, 10, 22);
const OPEN = { allowPrivate: true, allowHttp: true } as const;

function send(request: OutboundRequest): Promise<OutboundResult> {
  return createOutbound({ version: '1' }).send(request);
}

test.each([
  ['8.8.8.8', 'public'],
  ['1.1.1.1', 'public'],
  ['172.15.255.255', 'public'],
  ['172.32.0.0', 'public'],
  ['100.63.255.255', 'public'],
  ['100.128.0.0', 'public'],
  ['2606:4700:4700::1111', 'public'],
  ['2a00:1450:4001::200e', 'public'],
  ['64:ff9b::8.8.8.8', 'public'],
  ['10.0.0.1', 'private'],
  ['127.0.0.1', 'private'],
  ['127.255.255.254', 'private'],
  ['100.64.0.1', 'private'],
  ['169.254.1.1', 'private'],
  ['172.16.0.1', 'private'],
  ['172.31.255.255', 'private'],
  ['192.168.1.1', 'private'],
  ['::1', 'private'],
  ['fd12:3456::1', 'private'],
  ['fe80::1', 'private'],
  ['::ffff:10.0.0.1', 'private'],
  ['::ffff:7f00:1', 'private'],
  ['64:ff9b::10.0.0.1', 'private'],
  ['64:ff9b::7f00:1', 'private'],
  ['0.0.0.0', 'forbidden'],
  ['::', 'forbidden'],
  ['::ffff:8.8.8.8', 'forbidden'],
  ['::8.8.8.8', 'forbidden'],
  ['169.254.169.254', 'forbidden'],
  ['::ffff:169.254.169.254', 'forbidden'],
  ['::ffff:a9fe:a9fe', 'forbidden'],
  ['64:ff9b::169.254.169.254', 'forbidden'],
  ['fd00:ec2::254', 'forbidden'],
  ['169.254.170.2', 'forbidden'],
  ['100.100.100.200', 'forbidden'],
  ['224.0.0.1', 'forbidden'],
  ['239.255.255.250', 'forbidden'],
  ['255.255.255.255', 'forbidden'],
  ['240.0.0.1', 'forbidden'],
  ['ff02::1', 'forbidden'],
  ['2002:7f00:1::', 'forbidden'],
  ['2001::1', 'forbidden'],
  ['2001:db8::1', 'forbidden'],
  ['198.51.100.1', 'forbidden'],
  ['localhost', 'forbidden'],
  ['', 'forbidden'],
])('%s is %s', (address, kind) => {
  expect(addressKinds()(address)).toBe(kind);
});

test.each([
  'http://[::ffff:169.254.169.254]/latest/meta-data',
  'http://169.254.169.254/',
  'http://0xA9FEA9FE/',
  'http://2852039166/',
  'http://0/',
])('%s is never asked, whatever is allowed', async (url) => {
  expect(await send({ url, ...OPEN })).toEqual({ ok: false, failure: 'address-refused', code: 'address-refused' });
});

test.each([
  'http://127.1:PORT/',
  'http://0x7f000001:PORT/',
  'http://2130706433:PORT/',
  'http://0177.0.0.1:PORT/',
  'http://localhost:PORT/',
  'http://[::ffff:127.0.0.1]:PORT/',
])('%s is loopback in disguise, and refused without a connection', async (template) => {
  await using sink = await startSink();
  const url = template.replace('PORT', String(sink.port));
  expect(await send({ url, allowHttp: true })).toMatchObject({ failure: 'address-refused' });
  expect(sink.requests).toHaveLength(0);
});

test('a private address is asked when that is allowed', async () => {
  await using sink = await startSink();
  sink.answer = () => ({ status: 202, body: 'taken', headers: { 'retry-after': '7' } });
  const result = await send({ url: `${sink.url}/in?a=b`, body: '{"a":"ü"}', headers: { 'x-test': '1' }, ...OPEN });
  expect(result).toEqual({ ok: true, status: 202, retryAfter: '7', body: 'taken' });
  expect(sink.requests).toMatchObject([
    { method: 'POST', path: '/in?a=b', body: '{"a":"ü"}', headers: { 'x-test': '1', 'user-agent': 'kmswatch/1' } },
  ]);
});

test('plain http, other protocols, credentials in the URL and what is no URL are refused', async () => {
  expect(await send({ url: 'http://example.com/' })).toMatchObject({ failure: 'url-refused', code: 'url-not-https' });
  for (const url of ['ftp://example.com/', 'file:///etc/passwd', 'data:,x', 'gopher://example.com/']) {
    expect(await send({ url, ...OPEN })).toMatchObject({ failure: 'url-refused', code: 'url-not-https' });
  }
  expect(await send({ url: 'https://user:pass@example.com/' })).toMatchObject({ code: 'url-with-credentials' });
  for (const url of ['', 'example.com', 'https://', 'https://exa mple.com'])
    expect(await send({ url })).toMatchObject({ code: 'url-invalid' });
});

test('a name that has a private address among public ones is refused', async () => {
  const resolve = async (): Promise<string[]> => ['8.8.8.8', '10.0.0.1'];
  const outbound = createOutbound({ version: '1', resolve });
  expect(await outbound.send({ url: 'https://two-faced.example/' })).toMatchObject({ failure: 'address-refused' });
});

test('a name is resolved once, and the connection goes to the address that was checked: no rebinding', async () => {
  await using sink = await startSink();
  const asked: string[] = [];
  // The first answer passes the check; whoever asks again is led elsewhere.
  const resolve = async (hostname: string): Promise<string[]> => {
    asked.push(hostname);
    return asked.length === 1 ? ['127.0.0.1'] : ['127.0.0.2'];
  };
  const outbound = createOutbound({ version: '1', resolve });
  const result = await outbound.send({ url: `http://rebind.example.invalid:${sink.port}/`, ...OPEN });
  expect(result).toMatchObject({ ok: true, status: 200 });
  expect(asked).toEqual(['rebind.example.invalid']);
  expect(sink.requests[0]?.headers.host).toBe(`rebind.example.invalid:${sink.port}`);
});

test('every request resolves anew: a name that has turned private is refused', async () => {
  await using sink = await startSink();
  let address = '127.0.0.1';
  const outbound = createOutbound({ version: '1', resolve: async () => [address] });
  const url = `http://moving.example.invalid:${sink.port}/`;
  expect(await outbound.send({ url, ...OPEN })).toMatchObject({ ok: true });
  address = '169.254.169.254';
  expect(await outbound.send({ url, ...OPEN })).toMatchObject({ failure: 'address-refused' });
  expect(sink.requests).toHaveLength(1);
});

test('the certificate must be of the name in the URL, though the connection goes to an address', async () => {
  const { key, cert } = selfSigned('hooks.example.com');
  await using sink = await startSink({ key, cert });
  const resolve = async (): Promise<string[]> => ['127.0.0.1'];
  const trusting = createOutbound({ version: '1', resolve, authorities: [cert] });
  const url = (host: string): string => `https://${host}:${sink.port}/`;
  expect(await trusting.send({ url: url('hooks.example.com'), allowPrivate: true })).toMatchObject({ ok: true, status: 200 });
  expect(await trusting.send({ url: url('other.example.com'), allowPrivate: true })).toMatchObject({
    failure: 'unreachable',
    code: 'ERR_TLS_CERT_ALTNAME_INVALID',
  });
  const strict = createOutbound({ version: '1', resolve });
  expect(await strict.send({ url: url('hooks.example.com'), allowPrivate: true })).toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  expect(sink.requests).toHaveLength(1);
});

test('redirections are not followed', async () => {
  await using target = await startSink();
  await using sink = await startSink();
  for (const status of [301, 302, 303, 307, 308]) {
    sink.answer = () => ({ status, headers: { location: `${target.url}/` } });
    expect(await send({ url: sink.url, ...OPEN })).toMatchObject({ ok: true, status });
  }
  expect(target.requests).toHaveLength(0);
});

test('no more than 64 KiB of an answer are read, and an endless one ends', async () => {
  await using sink = await startSink();
  sink.answer = () => 'endless';
  const result = await send({ url: sink.url, ...OPEN });
  expect(result).toMatchObject({ ok: true, status: 200 });
  expect(result.ok && result.body.length).toBe(ANSWER_LIMIT_BYTES);
  expect(sink.written).toBeLessThan(20_000_000);
});

test('who does not answer in time, cuts the connection or does not listen is told apart', async () => {
  await using sink = await startSink();
  sink.answer = () => 'hang';
  expect(await send({ url: sink.url, timeoutMs: 100, ...OPEN })).toEqual({ ok: false, failure: 'timeout', code: 'timeout' });
  sink.answer = () => 'cut';
  expect(await send({ url: sink.url, ...OPEN })).toEqual({ ok: false, failure: 'unreachable', code: 'ECONNRESET' });
  expect(await send({ url: 'http://127.0.0.1:1/', ...OPEN })).toEqual({ ok: false, failure: 'unreachable', code: 'ECONNREFUSED' });
});

test('a name that is slow to resolve, or not known, ends in time', async () => {
  const slow = createOutbound({ version: '1', resolve: () => new Promise(() => undefined) });
  expect(await slow.send({ url: 'https://slow.example/', timeoutMs: 50 })).toMatchObject({ failure: 'timeout' });
  const unknown = createOutbound({ version: '1', resolve: async () => [] });
  expect(await unknown.send({ url: 'https://unknown.example/' })).toMatchObject({ failure: 'unreachable', code: 'ENOTFOUND' });
});

test('a request is given up when its signal says so', async () => {
  await using sink = await startSink();
  const stop = new AbortController();
  sink.answer = () => {
    stop.abort();
    return 'hang';
  };
  expect(await send({ url: sink.url, signal: stop.signal, ...OPEN })).toEqual({ ok: false, failure: 'aborted', code: 'aborted' });
  expect(await send({ url: sink.url, signal: stop.signal, ...OPEN })).toMatchObject({ failure: 'aborted' });
  expect(sink.requests).toHaveLength(1);
});

test.each([
  'HTTP/1.1 100 Continue\r\n\r\n',
  'HTTP/1.1 103 Early Hints\r\n\r\n',
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
  'nonsense\r\n\r\n',
])('a server that only says %j ends in a result', async (answer) => {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end(answer));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const result = await send({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, timeoutMs: 2_000, ...OPEN });
  server.close();
  expect(result).toMatchObject(answer.includes(' 101 ') ? { ok: true, status: 101 } : { ok: false, failure: 'unreachable' });
});

test('nothing that is returned holds the URL or what the other side sent in a header', async () => {
  await using sink = await startSink();
  sink.answer = () => ({ status: 302, headers: { location: 'https://evil.example/token-1234' } });
  const results = [
    await send({ url: `${sink.url}/token-1234`, ...OPEN }),
    await send({ url: 'https://token-1234.invalid/', timeoutMs: 2_000 }),
    await send({ url: 'http://127.0.0.1:1/token-1234', ...OPEN }),
  ];
  expect(JSON.stringify(results)).not.toContain('token-1234');
});

/** Written out, so that a change of the rules is a change here. */
const STATUSES: readonly (readonly [from: number, to: number, kind: string, reason?: string])[] = [
  [100, 199, 'retryable', 'server-error'],
  [200, 299, 'ok'],
  [300, 399, 'permanent', 'redirected'],
  [400, 400, 'permanent', 'rejected'],
  [401, 401, 'permanent', 'unauthorized'],
  [402, 402, 'permanent', 'rejected'],
  [403, 403, 'permanent', 'unauthorized'],
  [404, 406, 'permanent', 'rejected'],
  [407, 407, 'permanent', 'unauthorized'],
  [408, 408, 'retryable', 'timeout'],
  [409, 409, 'permanent', 'rejected'],
  [410, 410, 'permanent', 'gone'],
  [411, 412, 'permanent', 'rejected'],
  [413, 413, 'permanent', 'too-large'],
  [414, 424, 'permanent', 'rejected'],
  [425, 425, 'retryable', 'server-error'],
  [426, 428, 'permanent', 'rejected'],
  [429, 429, 'retryable', 'rate-limited'],
  [430, 499, 'permanent', 'rejected'],
  [500, 503, 'retryable', 'server-error'],
  [504, 504, 'retryable', 'timeout'],
  [505, 599, 'retryable', 'server-error'],
];

test('every HTTP status is one of: arrived, try again, never', () => {
  const expected = STATUSES.flatMap(([from, to, kind, reason]) =>
    Array.from({ length: to - from + 1 }, (_, at) => [from + at, reason === undefined ? { kind } : { kind, reason }] as const),
  );
  expect(expected.map(([status]) => [status, verdictOf(status, null, NOW)])).toEqual(expected);
  expect(expected.map(([status]) => status)).toEqual(Array.from({ length: 500 }, (_, at) => 100 + at));
  for (const status of [0, 99, 600, 999]) expect(verdictOf(status, null, NOW).kind).toBe('retryable');
});

test.each([
  ['120', 120_000],
  [' 0 ', 0],
  ['9999999999', 86_400_000],
  ['Wed, 04 Mar 2026 10:23:00 GMT', 60_000],
  ['Wed, 04 Mar 2026 10:21:00 GMT', 0],
  ['Wednesday, 04-Mar-26 10:23:00 GMT', 60_000],
  ['Fri, 04 Mar 2044 10:23:00 GMT', 86_400_000],
  ['-1', null],
  ['1.5', null],
  ['1e9', null],
  ['99999999999', null],
  ['soon', null],
  ['2026-03-04T10:23:00Z', null],
  ['', null],
  [null, null],
])('Retry-After: %s means %s ms', (text, expected) => {
  expect(retryAfterMs(text, NOW)).toBe(expected);
});

test('only a status that is tried again carries the time to wait', () => {
  expect(verdictOf(429, '5', NOW)).toMatchObject({ retryAfterMs: 5_000 });
  expect(verdictOf(503, '5', NOW)).toMatchObject({ retryAfterMs: 5_000 });
  expect(verdictOf(400, '5', NOW)).not.toHaveProperty('retryAfterMs');
  expect(verdictOf(200, '5', NOW)).toEqual({ kind: 'ok' });
});
