/** What each kind of receiver is sent, as files: test/fixtures/notifiers/KIND/CASE.json. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { fixedClock } from '../../../services/core/clock.ts';
import { RECEIVER_KINDS } from '../../../services/notifiers/registry.ts';
import { startAwsSink } from '../../support/notifiers/aws-sink.ts';
import { startMailServer } from '../../support/notifiers/mail-server.ts';
import { AT, CASES, type CaseName } from '../../support/notifiers/notifications.ts';
import { type SinkRequest, startSink } from '../../support/notifiers/sink.ts';
import { createTools, deliver, receiverOf, type Tools } from '../../support/notifiers/tools.ts';

const NAMES = Object.keys(CASES) as CaseName[];
const OPEN = { allow_private: true, allow_http: true };
const HEADERS = ['content-type', 'authorization', 'webhook-id', 'webhook-timestamp', 'webhook-signature'];

function shown({ method, path, headers, body }: SinkRequest): object {
  const kept = Object.fromEntries(HEADERS.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]])));
  return { method, path, headers: kept, body: JSON.parse(body) as unknown };
}

function tools(): Tools {
  return createTools({ clock: fixedClock(AT + 1_000) });
}

async function expectGolden(kind: string, name: CaseName, sent: unknown): Promise<void> {
  await expect(`${JSON.stringify(sent, null, 2)}\n`).toMatchFileSnapshot(`../../fixtures/notifiers/${kind}/${name}.json`);
}

const HTTP: Readonly<Record<string, (url: string) => Record<string, unknown>>> = {
  alertmanager: (url) => ({ alertmanager: { urls: [url], bearer_token: 'token', labels: { team: 'security' }, ...OPEN } }),
  slack: (url) => ({ slack: { webhook_url: `${url}/services/T0/B0/X`, ...OPEN } }),
  teams: (url) => ({ teams: { webhook_url: `${url}/workflows/X?sig=Y`, ...OPEN } }),
  pagerduty: (url) => ({ pagerduty: { routing_key: '0123456789abcdef0123456789abcdef', url: `${url}/v2/enqueue`, ...OPEN } }),
  webhook: (url) => ({ webhook: { url: `${url}/in`, signing_secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', ...OPEN } }),
};

test.each(Object.keys(HTTP).flatMap((kind) => NAMES.map((name) => [kind, name] as const)))(
  '%s is sent %s as in its file',
  async (kind, name) => {
    await using sink = await startSink();
    expect(await deliver(receiverOf(HTTP[kind]!(sink.url), tools()), CASES[name])).toEqual({ ok: true });
    await expectGolden(kind, name, sink.requests.map(shown));
  },
);

test.each(NAMES)('a bot of Slack is sent %s as in its file', async (name) => {
  await using sink = await startSink();
  sink.answer = () => ({ status: 200, body: JSON.stringify({ ok: true, channel: 'C0123456789', ts: '1772619720.000100' }) });
  const receiver = receiverOf({ slack: { bot_token: 'xoxb-1', channel: 'C0123456789', api_url: `${sink.url}/api`, ...OPEN } }, tools());
  const memory = { channel: 'C0123456789', ts: '1772619720.000100', opened: 'before', told: 'before' };
  expect(await deliver(receiver, CASES[name], memory)).toMatchObject({ ok: true });
  await expectGolden('slack-bot', name, sink.requests.map(shown));
});

test.each(NAMES)('log writes %s as in its file', async (name) => {
  const used = tools();
  expect(await deliver(receiverOf({ log: {} }, used), CASES[name])).toEqual({ ok: true });
  const line = JSON.parse(used.lines.join('')) as Record<string, unknown>;
  await expectGolden('log', name, { ...line, time: '' });
});

test.each(NAMES)('SNS is sent %s as in its file', async (name) => {
  const sink = await startAwsSink();
  expect(
    await deliver(receiverOf({ sns: { topic_arn: 'arn:aws:sns:eu-west-1:111122223333:kmswatch.fifo' } }, tools()), CASES[name]),
  ).toEqual({
    ok: true,
  });
  const fields = Object.fromEntries(new URLSearchParams(sink.requests[0]?.body));
  const message = JSON.parse(fields.Message ?? '') as Record<string, string>;
  await expectGolden('sns', name, { ...fields, Message: { ...message, default: JSON.parse(message.default ?? '') as unknown } });
});

test.each(NAMES)('Security Hub is sent %s as in its file', async (name) => {
  const sink = await startAwsSink();
  expect(await deliver(receiverOf({ security_hub: { region: 'eu-west-1' } }, tools()), CASES[name])).toEqual({ ok: true });
  const imports = sink.requests.filter(({ path }) => path.startsWith('/findings'));
  await expectGolden(
    'security_hub',
    name,
    imports.map(({ method, path, body }) => ({ method, path, body: JSON.parse(body) as unknown })),
  );
});

test.each(NAMES)('the OCSF file gets %s as in its file', async (name) => {
  const folder = mkdtempSync(join(tmpdir(), 'kmswatch-ocsf-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'findings.ndjson');
  expect(await deliver(receiverOf({ ocsf: { file } }, tools()), CASES[name])).toEqual({ ok: true });
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  await expectGolden(
    'ocsf',
    name,
    lines.map((line) => JSON.parse(line) as unknown),
  );
});

test.each(NAMES)('the mail of %s is as in its file', async (name) => {
  await using server = await startMailServer();
  const folder = mkdtempSync(join(tmpdir(), 'kmswatch-mail-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const authority = join(folder, 'ca.pem');
  writeFileSync(authority, server.certificate);
  const email = { host: 'localhost', port: server.port, ca_file: authority, from: 'kmswatch@example.com', to: ['security@example.com'] };
  const root = '<kmswatch.first@example.com>';
  expect(await deliver(receiverOf({ email }, tools()), CASES[name], { root, key: 'before', accepted: [] })).toMatchObject({ ok: true });
  const [mail] = server.mails;
  const boundary = /boundary="([^"]+)"/.exec(mail?.raw ?? '')?.[1] ?? '';
  await expectGolden('email', name, { ...mail, raw: mail?.raw.replaceAll(boundary, 'BOUNDARY').split('\r\n') });
});

test('every kind has its files', () => {
  const covered = new Set([...Object.keys(HTTP), 'log', 'sns', 'security_hub', 'ocsf', 'email']);
  expect(covered).toEqual(new Set(RECEIVER_KINDS));
});
