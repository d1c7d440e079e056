/** What holds for every receiver, over real HTTP. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { inspect } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { fixedClock } from '../../../services/core/clock.ts';
import { DELIVERY_FAILURES } from '../../../services/notifiers/contract.ts';
import { NOTIFIERS, RECEIVER_KINDS, receiverSchema } from '../../../services/notifiers/registry.ts';
import { createOutbound } from '../../../services/platform/outbound.ts';
import { startAwsSink } from '../../support/notifiers/aws-sink.ts';
import { startMailServer } from '../../support/notifiers/mail-server.ts';
import { AT, hostile, notification } from '../../support/notifiers/notifications.ts';
import { startSink } from '../../support/notifiers/sink.ts';
import { createTools, deliver, receiverOf } from '../../support/notifiers/tools.ts';

const OPEN = { allow_private: true, allow_http: true };
const SECRET = 'S3cr3t0f0urs';

/** Each way to be reached over HTTP; secrets and parts of URLs hold the word that must never be seen. */
const OVER_HTTP: Readonly<Record<string, (url: string) => Record<string, unknown>>> = {
  alertmanager: (url) => ({ alertmanager: { urls: [`${url}/${SECRET}`], bearer_token: SECRET, ...OPEN } }),
  'slack webhook': (url) => ({ slack: { webhook_url: `${url}/${SECRET}`, ...OPEN } }),
  'slack bot': (url) => ({ slack: { bot_token: `xoxb-${SECRET}`, channel: 'C0123456789', api_url: `${url}/${SECRET}`, ...OPEN } }),
  teams: (url) => ({ teams: { webhook_url: `${url}/x?sig=${SECRET}`, ...OPEN } }),
  pagerduty: (url) => ({ pagerduty: { routing_key: SECRET, url: `${url}/${SECRET}`, ...OPEN } }),
  webhook: (url) => ({ webhook: { url: `${url}/${SECRET}`, authorization: `Bearer ${SECRET}`, ...OPEN } }),
  ocsf: (url) => ({ ocsf: { url: `${url}/${SECRET}`, authorization: SECRET, ...OPEN } }),
};
const WAYS = Object.keys(OVER_HTTP);

function expected(status: number): { readonly ok: boolean; readonly retryable?: boolean; readonly reason?: string } {
  if (status >= 200 && status < 300) return { ok: true };
  const reasons: Record<number, string> = {
    401: 'unauthorized',
    403: 'unauthorized',
    407: 'unauthorized',
    408: 'timeout',
    410: 'gone',
    413: 'too-large',
    425: 'server-error',
    429: 'rate-limited',
    504: 'timeout',
  };
  if (status >= 300 && status < 400) return { ok: false, retryable: false, reason: 'redirected' };
  const retryable = status >= 500 || status === 408 || status === 425 || status === 429;
  return { ok: false, retryable, reason: reasons[status] ?? (retryable ? 'server-error' : 'rejected') };
}

test.each(WAYS)('%s: every status from 200 to 599 is arrived, tried again, or given up', async (way) => {
  await using sink = await startSink();
  const tools = createTools({ clock: fixedClock(AT) });
  for (let status = 200; status < 600; status++) {
    sink.answer = () => ({
      status,
      headers: { location: 'https://example.com/' },
      ...(status !== 204 && { body: '{"ok":true,"channel":"C0123456789","ts":"1.2"}' }),
    });
    const delivery = await deliver(receiverOf(OVER_HTTP[way]!(sink.url), tools), notification());
    // An answer of 204 has no body, and a bot's message has arrived only when Slack says so in one.
    const isUnsaid = way === 'slack bot' && status === 204;
    expect({ status, ...delivery }).toMatchObject({ status, ...(isUnsaid ? { ok: false, retryable: true } : expected(status)) });
  }
  expect(sink.requests).toHaveLength(400);
});

test.each(WAYS)('%s: a server that never comes to a final status is tried again', async (way) => {
  for (const status of [100, 101, 102, 103, 199]) {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end(`HTTP/1.1 ${status} X\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n`));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    expect(await deliver(receiverOf(OVER_HTTP[way]!(url), createTools()), notification())).toMatchObject({ ok: false, retryable: true });
    server.close();
  }
});

test.each(WAYS)('%s: how long to wait is taken from Retry-After, and nothing is sent before', async (way) => {
  await using sink = await startSink();
  let now = AT;
  const receiver = receiverOf(OVER_HTTP[way]!(sink.url), createTools({ clock: { now: () => now } }));
  sink.answer = () => ({ status: 429, headers: { 'retry-after': '30' } });
  expect(await deliver(receiver, notification())).toMatchObject({ reason: 'rate-limited', retryable: true, retryAfterMs: 30_000 });
  now += 10_000;
  expect(await deliver(receiver, notification())).toEqual({
    ok: false,
    code: 'paced',
    reason: 'paced',
    retryable: true,
    retryAfterMs: 20_000,
  });
  expect(sink.requests).toHaveLength(1);
  now += 20_000;
  sink.answer = () => ({ status: 200, body: '{"ok":true,"channel":"C0123456789","ts":"1.2"}' });
  expect(await deliver(receiver, notification())).toMatchObject({ ok: true });
});

test.each(WAYS)('%s: a cut connection, a redirection and a huge answer end in a word of ours', async (way) => {
  await using elsewhere = await startSink();
  await using sink = await startSink();
  const send = async (): Promise<unknown> => await deliver(receiverOf(OVER_HTTP[way]!(sink.url), createTools()), notification());
  sink.answer = () => 'cut';
  expect(await send()).toMatchObject({ ok: false, reason: 'unreachable', code: 'ECONNRESET', retryable: true });
  sink.answer = () => ({ status: 307, headers: { location: elsewhere.url } });
  expect(await send()).toMatchObject({ ok: false, reason: 'redirected', code: 'http-307', retryable: false });
  expect(elsewhere.requests).toHaveLength(0);
  sink.answer = () => 'endless';
  expect(await send()).toMatchObject(way === 'slack bot' ? { ok: false, code: 'answer-unreadable', retryable: true } : { ok: true });
});

test('who does not answer is given up after the time that is configured', async () => {
  await using sink = await startSink();
  sink.answer = () => 'hang';
  const deliveries = await Promise.all(
    WAYS.map(async (way) => {
      const [kind = '', settings] = Object.entries(OVER_HTTP[way]!(sink.url))[0] ?? [];
      return await deliver(receiverOf({ [kind]: { ...(settings as object), timeout_seconds: 1 } }, createTools()), notification());
    }),
  );
  for (const delivery of deliveries) expect(delivery).toMatchObject({ ok: false, reason: 'timeout', retryable: true });
});

test.each(WAYS)('%s: a private address is refused unless the receiver allows it', async (way) => {
  await using sink = await startSink();
  const [kind = '', settings] = Object.entries(OVER_HTTP[way]!(sink.url))[0] ?? [];
  const closed = receiverOf({ [kind]: { ...(settings as object), allow_private: false } }, createTools());
  expect(await deliver(closed, notification())).toMatchObject({ ok: false, reason: 'address-refused' });
  const encrypted = receiverOf({ [kind]: { ...(settings as object), allow_http: false } }, createTools());
  expect(await deliver(encrypted, notification())).toMatchObject({
    ok: false,
    reason: 'misconfigured',
    code: 'url-not-https',
    retryable: false,
  });
  expect(sink.requests).toHaveLength(0);
});

test('a receiver that says 410 is told no more', async () => {
  await using sink = await startSink();
  sink.answer = () => ({ status: 410 });
  const tools = createTools();
  const receiver = receiverOf(OVER_HTTP.webhook!(sink.url), tools);
  expect(await deliver(receiver, notification())).toMatchObject({ reason: 'gone', retryable: false });
  sink.answer = () => ({ status: 200 });
  expect(await deliver(receiver, notification())).toMatchObject({ reason: 'gone', retryable: false });
  expect(sink.requests).toHaveLength(1);
  expect(tools.lines.join('')).toContain('told no more');
});

test('Slack is sent one message a second, PagerDuty eight, Teams four; the others are not held back', async () => {
  await using sink = await startSink();
  sink.answer = () => ({ status: 200, body: '{"ok":true,"channel":"C0123456789","ts":"1.2"}' });
  const waits = new Map<string, number>();
  for (const way of WAYS) {
    const receiver = receiverOf(OVER_HTTP[way]!(sink.url), createTools({ clock: fixedClock(AT) }));
    await deliver(receiver, notification());
    const second = await deliver(receiver, notification());
    waits.set(way, second.ok ? 0 : (second.retryAfterMs ?? -1));
  }
  expect(Object.fromEntries(waits)).toEqual({
    alertmanager: 0,
    'slack webhook': 1_000,
    'slack bot': 1_000,
    teams: 250,
    pagerduty: 125,
    webhook: 0,
    ocsf: 0,
  });
});

test('a clock that is put back holds a receiver no longer than its pace', async () => {
  await using sink = await startSink();
  let now = AT;
  const receiver = receiverOf(OVER_HTTP['slack webhook']!(sink.url), createTools({ clock: { now: () => now } }));
  await deliver(receiver, notification());
  now -= 3_600_000;
  expect(await deliver(receiver, notification())).toMatchObject({ reason: 'paced', retryAfterMs: 1_000 });
});

test('secrets and URLs are in no result, no log line and no printed configuration, whatever goes wrong', async () => {
  await using sink = await startSink();
  const aws = await startAwsSink();
  aws.error = { status: 403, code: 'AccessDenied' };
  await using mail = await startMailServer();
  const tools = createTools();
  const configs: Record<string, unknown>[] = [
    ...WAYS.map((way) => OVER_HTTP[way]!(sink.url)),
    ...WAYS.map((way) => OVER_HTTP[way]!('http://127.0.0.1:1')),
    ...WAYS.map((way) => OVER_HTTP[way]!('http://name.invalid')),
    {
      email: {
        host: '127.0.0.1',
        port: mail.port,
        security: 'starttls',
        user: 'u',
        password: SECRET,
        from: 'a@example.com',
        to: ['b@example.com'],
      },
    },
    { sns: { topic_arn: 'arn:aws:sns:eu-west-1:111122223333:kmswatch' } },
    { security_hub: { region: 'eu-west-1' } },
    { ocsf: { file: '/proc/nowhere/findings.ndjson' } },
  ];
  const told: unknown[] = [];
  const echo = (status: number) => () => ({
    status,
    headers: { location: `https://evil.example/${SECRET}` },
    body: JSON.stringify({ ok: false, error: SECRET, message: `${sink.url}/${SECRET}` }),
  });
  for (const behaviour of [echo(400), echo(302), echo(500), () => 'cut' as const]) {
    sink.answer = behaviour;
    for (const config of configs) {
      const parsed = receiverSchema.parse({ name: 'oncall', ...config });
      const delivery = await deliver(receiverOf(config, tools), notification());
      expect(delivery.ok).toBe(false);
      told.push(
        delivery,
        JSON.stringify(parsed, (key, value: unknown) => (key === 'urls' || key === 'url' || key === 'api_url' ? '' : value)),
        inspect(delivery),
      );
    }
  }
  const all = JSON.stringify(told) + tools.lines.join('');
  expect(all).not.toContain(SECRET);
  expect(all).not.toContain('127.0.0.1:');
  expect(all).not.toContain('very-secret-access-key');
  expect(told.flatMap((entry) => (typeof entry === 'object' && entry !== null && 'reason' in entry ? [entry.reason] : []))).toSatisfy(
    (reasons: string[]) => reasons.every((reason) => (DELIVERY_FAILURES as readonly string[]).includes(reason)),
  );
});

test('an error in a notifier itself is a result, and is logged without the secrets in it', async () => {
  const tools = createTools({
    http: {
      send: (request) => {
        throw new TypeError(`cannot send to ${request.url} with ${JSON.stringify(request.headers)}`);
      },
    },
  });
  const config = { webhook: { url: `https://example.com/${SECRET}`, authorization: `Bearer ${SECRET}` } };
  expect(await deliver(receiverOf(config, tools), notification())).toEqual({
    ok: false,
    code: 'notifier-failed',
    reason: 'internal',
    retryable: true,
  });
  expect(tools.lines).toHaveLength(1);
  expect(tools.lines[0]).toContain('cannot send to [secret]');
  expect(tools.lines[0]).not.toContain(SECRET);
});

test('a delivery is given up when the service stops', async () => {
  await using sink = await startSink();
  sink.answer = () => 'hang';
  const stop = new AbortController();
  const receiver = receiverOf(OVER_HTTP.webhook!(sink.url), createTools());
  const delivery = receiver.deliver(notification(), { signal: stop.signal, memory: null });
  stop.abort();
  expect(await delivery).toEqual({ ok: false, code: 'aborted', reason: 'stopped', retryable: true });
});

test('what a hostile name resolves to decides, not how it is written', async () => {
  const http = createOutbound({ version: '1', resolve: async () => ['169.254.169.254'] });
  const receiver = receiverOf({ webhook: { url: 'https://looks-fine.example.com/', allow_private: true } }, createTools({ http }));
  expect(await deliver(receiver, hostile)).toMatchObject({ reason: 'address-refused' });
});

test('only Alertmanager asks to be told again, after a third of the time for which it believes us', () => {
  const configs = [{ log: {} }, { alertmanager: { urls: ['https://alertmanager.example.com'], expire_minutes: 30 } }];
  expect(configs.map((config) => receiverOf(config, createTools()).resendAfterMs)).toEqual([null, 600_000]);
});

test('the schema knows every notifier by its kind, and no other', () => {
  expect(NOTIFIERS.map(({ kind }) => kind).sort()).toEqual([...RECEIVER_KINDS].sort());
  for (const kind of RECEIVER_KINDS) expect(Object.keys(receiverSchema.shape)).toContain(kind);
});

test.each([
  [{}, 'must have one of log, alertmanager'],
  [{ log: {}, sns: { topic_arn: 'arn:aws:sns:eu-west-1:111122223333:x' } }, 'has log and sns; a receiver is of one kind'],
  [{ log: {}, name: 'On Call' }, 'must be up to 63'],
  [{ log: { levle: 'info' } }, 'levle'],
  [{ pager: {} }, 'pager'],
  [{ slack: {} }, 'set webhook_url or webhook_url_file or bot_token or bot_token_file'],
  [
    { slack: { webhook_url: 'https://a', bot_token: 'b', channel: 'C123' } },
    'bot_token and webhook_url are both set|and webhook_url are both set',
  ],
  [{ slack: { bot_token: 'b' } }, 'a bot must be told where to write'],
  [{ slack: { bot_token: 'b', channel: '#general' } }, 'must be the id of a channel'],
  [{ slack: { webhook_url: 'https://a', webhook_url_file: '/x' } }, 'and webhook_url are both set'],
  [{ teams: { webhook_url_file: '/nowhere/at/all' } }, 'cannot be used'],
  [{ pagerduty: {} }, 'set routing_key or routing_key_file'],
  [{ alertmanager: { urls: ['https://user:pass@example.com'] } }, 'must be a URL of https'],
  [{ alertmanager: { urls: [] } }, 'urls'],
  [{ alertmanager: { urls: ['https://a'], labels: { 'bad-name': 'x' } } }, 'must be names of labels'],
  [{ webhook: { url: 'https://a', signing_secret: 'whsec_short' } }, 'must be one to five secrets'],
  [{ webhook: { url: 'https://a', authorization: 'a\r\nb: c' } }, 'must be one line'],
  [{ sns: { topic_arn: 'arn:aws:sqs:eu-west-1:111122223333:x' } }, 'must be the ARN of an SNS topic'],
  [{ security_hub: { region: 'eu west' } }, 'must be a Region'],
  [{ ocsf: {} }, 'one of them'],
  [{ ocsf: { file: 'relative.ndjson' } }, 'must be an absolute path'],
  [{ ocsf: { file: '/a', url: 'https://a' } }, 'one of them'],
  [{ email: { host: 'a', from: 'a@b', to: ['c@d\r\nBcc: e@f'] } }, 'must be an e-mail address'],
  [{ email: { host: 'a', from: 'a@b', to: ['c@d'], user: 'u' } }, 'go together'],
  [{ email: { host: 'a', from: 'a@b', to: ['c@d'], user: 'u', password: 'p', security: 'none' } }, 'in plain text'],
  [{ email: { host: 'a', from: 'a@b', to: ['c@d'], ca_file: '/nowhere' } }, 'cannot be read'],
])('a receiver of %j is refused: %s', (config, message) => {
  const checked = receiverSchema.safeParse({ name: 'oncall', ...config });
  expect(checked.success).toBe(false);
  expect(checked.error?.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`).join('\n')).toMatch(new RegExp(message));
});

test('a secret may stand in a file, whose last line break is not part of it', async () => {
  const { mkdtempSync, rmSync, writeFileSync } = await import('node:fs');
  const { join } = await import('node:path');
  const { tmpdir } = await import('node:os');
  const folder = mkdtempSync(join(tmpdir(), 'kmswatch-secret-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  await using sink = await startSink();
  writeFileSync(join(folder, 'url'), `${sink.url}/from-file\n`);
  await deliver(receiverOf({ webhook: { url_file: join(folder, 'url'), ...OPEN } }, createTools()), notification());
  expect(sink.requests[0]?.path).toBe('/from-file');
});
