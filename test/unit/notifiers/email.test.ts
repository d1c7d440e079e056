import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Json } from '../../../services/core/json.ts';
import type { Delivery, Notification } from '../../../services/notifiers/contract.ts';
import { mailNotDelivered } from '../../../services/notifiers/email/failure.ts';
import { escapeHtml } from '../../../services/notifiers/email/html.ts';
import { type MailServer, startMailServer } from '../../support/notifiers/mail-server.ts';
import { alertView, ATTACKS, hostile, largest, notification, resolved } from '../../support/notifiers/notifications.ts';
import { createTools, deliver, receiverOf } from '../../support/notifiers/tools.ts';

function authorityOf({ certificate }: MailServer): string {
  const folder = mkdtempSync(join(tmpdir(), 'kmswatch-mail-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'ca.pem'), certificate);
  return join(folder, 'ca.pem');
}

const ADDRESSES = { from: 'kmswatch@example.com', to: ['one@example.com', 'two@example.com'] };

async function send(
  server: MailServer,
  told: Notification,
  options: Readonly<Record<string, unknown>> = {},
  memory: Json = null,
): Promise<Delivery> {
  const email = { host: 'localhost', port: server.port, ca_file: authorityOf(server), ...ADDRESSES, ...options };
  return await deliver(receiverOf({ email }, createTools()), told, memory);
}

/** Header fields of a mail by lower-case name, unfolded. */
function headersOf(raw: string): Map<string, string> {
  const head = raw.slice(0, raw.indexOf('\r\n\r\n')).replace(/\r\n[ \t]+/g, ' ');
  return new Map(head.split('\r\n').map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]));
}

test('a mail goes over TLS, as text and as HTML, after logging in', async () => {
  await using server = await startMailServer();
  expect(await send(server, notification(), { user: 'kmswatch', password: 'right-password' })).toMatchObject({ ok: true });
  const [mail] = server.mails;
  expect(mail).toMatchObject({ secure: true, user: 'kmswatch', from: 'kmswatch@example.com', to: ADDRESSES.to });
  expect(headersOf(mail!.raw).get('subject')).toBe('[high] KMS key is scheduled for deletion: alias/prod-orders');
  expect(mail?.raw).toContain('Content-Type: text/plain; charset=utf-8');
  expect(mail?.raw).toContain('Content-Type: text/html; charset=utf-8');
});

test('nothing is sent to a server without STARTTLS unless that is allowed', async () => {
  await using server = await startMailServer({ disabledCommands: ['STARTTLS'] });
  expect(await send(server, notification())).toMatchObject({ ok: false, reason: 'unreachable', retryable: true });
  expect(server.mails).toHaveLength(0);
  expect(await send(server, notification(), { security: 'none' })).toMatchObject({ ok: true });
  expect(server.mails).toMatchObject([{ secure: false }]);
});

test('a password is never sent before the connection is encrypted', async () => {
  await using server = await startMailServer({ disabledCommands: ['STARTTLS'], allowInsecureAuth: true });
  expect(await send(server, notification(), { user: 'kmswatch', password: 'right-password' })).toMatchObject({ ok: false });
  expect(server.logins).toEqual([]);
});

test('a certificate that nobody vouches for is refused', async () => {
  await using server = await startMailServer();
  await using stranger = await startMailServer();
  const other = authorityOf(stranger);
  expect(await send(server, notification(), { ca_file: other })).toMatchObject({ ok: false, reason: 'unreachable', retryable: true });
  expect(server.mails).toHaveLength(0);
});

test('TLS from the start', async () => {
  await using server = await startMailServer({ secure: true });
  expect(await send(server, notification(), { security: 'tls' })).toMatchObject({ ok: true });
  expect(server.mails).toMatchObject([{ secure: true }]);
});

test('a wrong password is final, and is not told', async () => {
  await using server = await startMailServer();
  const delivery = await send(server, notification(), { user: 'kmswatch', password: 'wrong-password' });
  expect(delivery).toEqual({ ok: false, code: 'smtp-535', reason: 'unauthorized', retryable: false });
});

test('mails about one group stand in one thread, and a group that fires anew begins another', async () => {
  await using server = await startMailServer();
  const first = await send(server, notification());
  const second = await send(server, resolved, {}, first.memory);
  await send(server, notification({ idempotencyKey: 'a week later' }), {}, second.memory);
  const [a, b, c] = server.mails.map(({ raw }) => headersOf(raw));
  expect(a?.get('message-id')).toMatch(/^<kmswatch\.[0-9a-f]{40}@example\.com>$/);
  expect(a?.has('references')).toBe(false);
  expect(b?.get('references')).toBe(a?.get('message-id'));
  expect(b?.get('in-reply-to')).toBe(a?.get('message-id'));
  expect(c?.has('references')).toBe(false);
  expect(new Set([a, b, c].map((headers) => headers?.get('message-id'))).size).toBe(3);
});

test('the same notification again has the same Message-ID, and whoever has got it does not get it again', async () => {
  await using server = await startMailServer();
  const first = await send(server, notification());
  await send(server, notification());
  const [a, b] = server.mails.map(({ raw }) => headersOf(raw).get('message-id'));
  expect(a).toBe(b);
  expect(await send(server, notification(), {}, first.memory)).toEqual({ ok: true });
  expect(server.mails).toHaveLength(2);
});

test.each([
  [450, true],
  [550, false],
])('of two recipients one is refused with %i: the other has got it once', async (status, retryable) => {
  await using server = await startMailServer();
  server.recipient = (address) => (address === 'two@example.com' ? status : 250);
  const first = await send(server, notification());
  expect(first).toMatchObject({ ok: false, code: `smtp-${status}`, reason: 'partial', retryable });
  server.recipient = () => 250;
  expect(await send(server, notification(), {}, first.memory)).toMatchObject({ ok: true });
  expect(server.mails.map(({ to }) => to)).toEqual([['one@example.com'], ['two@example.com']]);
});

test.each([
  [451, 'server-error', true],
  [550, 'rejected', false],
  [552, 'too-large', false],
])('all recipients refused with %i is %s', async (status, reason, retryable) => {
  await using server = await startMailServer();
  server.recipient = () => status;
  expect(await send(server, notification())).toEqual({ ok: false, code: `smtp-${status}`, reason, retryable });
});

test('a server that says nothing is given up in time, and one that is not there at once', async () => {
  const silent = createServer((socket) => void socket.on('error', () => undefined));
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  const email = { host: '127.0.0.1', port, timeout_seconds: 1, ...ADDRESSES };
  expect(await deliver(receiverOf({ email }, createTools()), notification())).toEqual({
    ok: false,
    code: 'ETIMEDOUT',
    reason: 'timeout',
    retryable: true,
  });
  silent.close();
  expect(await deliver(receiverOf({ email: { ...email, port: 1 } }, createTools()), notification())).toMatchObject({
    reason: 'unreachable',
    retryable: true,
  });
});

test('no text of a record makes a header or a recipient', async () => {
  await using server = await startMailServer();
  const email = { host: 'localhost', port: server.port, ca_file: authorityOf(server), ...ADDRESSES };
  const receiver = receiverOf({ email }, createTools());
  for (const attack of ATTACKS) {
    const told = notification({ idempotencyKey: attack, groupKey: attack, alerts: [alertView({ title: attack, keyName: attack })] });
    expect(await deliver(receiver, told)).toMatchObject({ ok: true });
    const mail = server.mails.at(-1);
    expect(mail?.to).toEqual(ADDRESSES.to);
    expect([...headersOf(mail!.raw).keys()].sort()).toEqual(
      ['auto-submitted', 'content-type', 'date', 'from', 'message-id', 'mime-version', 'subject', 'to', 'x-auto-response-suppress'].sort(),
    );
  }
  expect(server.mails).toHaveLength(ATTACKS.length);
});

/** The HTML part, decoded. */
function htmlOf(raw: string): string {
  const part = raw.slice(raw.indexOf('Content-Type: text/html'));
  const body = part.slice(part.indexOf('\r\n\r\n') + 4);
  return Buffer.from(
    body.replace(/=\r\n/g, '').replace(/=([0-9A-F]{2})/g, (_found, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  ).toString();
}

test('the HTML of a hostile finding has our elements only, and links to kmswatch only', async () => {
  await using server = await startMailServer();
  await send(server, hostile);
  const html = htmlOf(server.mails[0]!.raw);
  expect(html).toContain('&lt;script&gt;');
  const elements = new Set([...html.matchAll(/<\/?([a-zA-Z!][a-zA-Z0-9]*)/g)].map(([, name]) => name));
  const ours = [
    '!doctype',
    'html',
    'head',
    'meta',
    'title',
    'body',
    'h1',
    'h2',
    'hr',
    'table',
    'tr',
    'th',
    'td',
    'p',
    'ol',
    'li',
    'a',
    'em',
  ];
  expect([...elements].filter((name) => !ours.includes(name ?? ''))).toEqual([]);
  expect([...html.matchAll(/href="([^"]*)"/g)].map(([, href]) => href)).toEqual(['https://kmswatch.example.com/a%7Cb%3Ec%22d%27e%29f']);
  expect(escapeHtml(`<a href="x" title='y'>&`)).toBe('&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;');
});

test('the largest notification is a mail of bounded size that says what it leaves out', async () => {
  await using server = await startMailServer();
  expect(await send(server, largest)).toMatchObject({ ok: true });
  const [mail] = server.mails;
  expect(mail!.raw.length).toBeLessThan(1_500_000);
  expect(htmlOf(mail!.raw)).toMatch(/1,000,0\d\d more findings are not shown here/);
});

test.each([
  [new Error('socket'), 'mail-failed', true],
  [Object.assign(new Error(''), { code: 'ETLS' }), 'ETLS', true],
  [Object.assign(new Error(''), { code: 'EAUTH', responseCode: 454 }), 'smtp-454', true],
  [Object.assign(new Error(''), { code: 'EAUTH', responseCode: 535 }), 'smtp-535', false],
  [Object.assign(new Error(''), { code: 'EMESSAGE', responseCode: 421 }), 'smtp-421', true],
  [Object.assign(new Error(''), { code: 'EMESSAGE', responseCode: 554 }), 'smtp-554', false],
  [Object.assign(new Error(''), { code: 'EMESSAGE', responseCode: 9_999 }), 'mail-failed', true],
  [null, 'mail-failed', true],
])('%o is %s', (error, code, retryable) => {
  expect(mailNotDelivered(error)).toMatchObject({ ok: false, code, retryable });
});
