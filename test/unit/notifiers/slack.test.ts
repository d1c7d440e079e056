import { expect, test } from 'vitest';
import type { Json } from '../../../services/core/json.ts';
import type { Delivery, Notification } from '../../../services/notifiers/contract.ts';
import { escapeSlack, link, mrkdwn } from '../../../services/notifiers/slack/mrkdwn.ts';
import { ATTACKS, hostile, largest, notification, resolved } from '../../support/notifiers/notifications.ts';
import { type Behaviour, type Sink, startSink } from '../../support/notifiers/sink.ts';
import { createTools, deliver, receiverOf } from '../../support/notifiers/tools.ts';

const OPEN = { allow_private: true, allow_http: true };

interface Called {
  readonly method: string;
  readonly body: Record<string, unknown>;
}

/** A workspace: messages get growing timestamps. */
function workspace(sink: Sink): { calls: () => Called[]; errors: Map<string, string> } {
  let count = 0;
  const errors = new Map<string, string>();
  sink.answer = ({ path, body }): Behaviour => {
    const method = path.slice('/api/'.length);
    const error = errors.get(method);
    if (error !== undefined) return { status: 200, body: JSON.stringify({ ok: false, error }) };
    const { channel, ts } = JSON.parse(body) as { channel: string; ts?: string };
    return { status: 200, body: JSON.stringify({ ok: true, channel, ts: ts ?? `1772619720.00000${++count}` }) };
  };
  const calls = (): Called[] =>
    sink.requests.map(({ path, body }) => ({ method: path.slice('/api/'.length), body: JSON.parse(body) as Record<string, unknown> }));
  return { calls, errors };
}

async function tell(sink: Sink, told: Notification, memory: Json = null): Promise<Delivery> {
  const config = { slack: { bot_token: 'xoxb-1', channel: 'C0123456789', api_url: `${sink.url}/api/`, ...OPEN } };
  return await deliver(receiverOf(config, createTools()), told, memory);
}

test('a case is one thread: its first message is brought up to date, what happened is a reply', async () => {
  await using sink = await startSink();
  const { calls } = workspace(sink);
  const opened = await tell(sink, notification());
  const escalated = await tell(sink, notification({ idempotencyKey: 'later', reason: 'escalated' }), opened.memory);
  const closed = await tell(sink, resolved, escalated.memory);
  expect(closed).toMatchObject({ ok: true });
  expect(calls().map(({ method, body }) => [method, body.ts ?? null, body.thread_ts ?? null, body.reply_broadcast ?? null])).toEqual([
    ['chat.postMessage', null, null, null],
    ['chat.update', '1772619720.000001', null, null],
    ['chat.postMessage', null, '1772619720.000001', true],
    ['chat.update', '1772619720.000001', null, null],
    ['chat.postMessage', null, '1772619720.000001', false],
  ]);
});

test('the same notification again changes the first message only', async () => {
  await using sink = await startSink();
  const { calls } = workspace(sink);
  const opened = await tell(sink, notification());
  expect(await tell(sink, notification(), opened.memory)).toEqual({ ok: true });
  const replied = await tell(sink, resolved, opened.memory);
  expect(await tell(sink, resolved, replied.memory)).toEqual({ ok: true });
  expect(calls().map(({ method }) => method)).toEqual([
    'chat.postMessage',
    'chat.update',
    'chat.update',
    'chat.postMessage',
    'chat.update',
  ]);
});

test('a reply that failed is made up for at the next attempt', async () => {
  await using sink = await startSink();
  const { calls, errors } = workspace(sink);
  const opened = await tell(sink, notification());
  errors.set('chat.postMessage', 'internal_error');
  expect(await tell(sink, resolved, opened.memory)).toEqual({ ok: false, code: 'internal_error', reason: 'server-error', retryable: true });
  errors.clear();
  expect(await tell(sink, resolved, opened.memory)).toMatchObject({ ok: true, memory: { told: resolved.idempotencyKey } });
  expect(calls().filter(({ body }) => body.thread_ts !== undefined)).toHaveLength(2);
});

test('a group that fires anew begins another thread', async () => {
  await using sink = await startSink();
  const { calls } = workspace(sink);
  const opened = await tell(sink, notification());
  await tell(sink, notification({ idempotencyKey: 'a week later' }), opened.memory);
  expect(calls().map(({ method }) => method)).toEqual(['chat.postMessage', 'chat.postMessage']);
});

test('a case whose first message was deleted gets a new one', async () => {
  await using sink = await startSink();
  const { calls, errors } = workspace(sink);
  const opened = await tell(sink, notification());
  errors.set('chat.update', 'message_not_found');
  expect(await tell(sink, resolved, opened.memory)).toMatchObject({ ok: true, memory: { ts: '1772619720.000002' } });
  expect(calls().map(({ method }) => method)).toEqual(['chat.postMessage', 'chat.update', 'chat.postMessage']);
});

test.each<Json>([null, 'x', 7, [], {}, { channel: 'C1' }, { channel: 1, ts: 2, opened: 3, told: 4 }])(
  'memory that is none of ours (%j) begins a thread',
  async (memory) => {
    await using sink = await startSink();
    const { calls } = workspace(sink);
    expect(await tell(sink, resolved, memory)).toMatchObject({ ok: true });
    expect(calls().map(({ method }) => method)).toEqual(['chat.postMessage']);
  },
);

test.each([
  ['invalid_auth', 'unauthorized', false],
  ['channel_not_found', 'misconfigured', false],
  ['ratelimited', 'rate-limited', true],
  ['fatal_error', 'server-error', true],
  ['msg_too_long', 'too-large', false],
])('the error %s is %s', async (error, reason, retryable) => {
  await using sink = await startSink();
  workspace(sink).errors.set('chat.postMessage', error);
  expect(await tell(sink, notification())).toEqual({ ok: false, code: error, reason, retryable });
});

test.each(['{"ok":false,"error":"<script>"}', '{"ok":false,"error":{"a":1}}', '{"ok":false}', '{"ok":false,"error":"__proto__"}'])(
  'an error that Slack has not (%s) is not repeated',
  async (body) => {
    await using sink = await startSink();
    sink.answer = () => ({ status: 200, body });
    expect(await tell(sink, notification())).toEqual({ ok: false, code: 'slack-error', reason: 'rejected', retryable: false });
  },
);

test.each([
  '',
  'null',
  '[]',
  'ok',
  '{"ok":true}',
  '{"ok":true,"channel":"C1","ts":"../../x"}',
  '{"ok":true,"channel":7,"ts":"1.1"}',
  '{"ok":',
])('what is no answer of Slack (%j) is tried again', async (body) => {
  await using sink = await startSink();
  sink.answer = () => ({ status: 200, body });
  expect(await tell(sink, notification())).toEqual({ ok: false, code: 'answer-unreadable', reason: 'server-error', retryable: true });
});

/** Every text in a JSON value. */
function texts(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(texts) : [];
}

test('no text of a record can mention, link or hide: what stands in angle brackets is ours', async () => {
  await using sink = await startSink();
  await deliver(receiverOf({ slack: { webhook_url: sink.url, ...OPEN } }, createTools()), hostile);
  const all = texts(JSON.parse(sink.requests[0]!.body));
  const bracketed = all.flatMap((text) => text.match(/<[^>]*>?/g) ?? []);
  expect(bracketed).toEqual(['<https://kmswatch.example.com/a%7Cb%3Ec%22d%27e%29f|Runbook>']);
  expect(all.join('')).not.toMatch(/[\0\u001b\u202e\u200b\u2066]/);
  expect(all.join('')).not.toMatch(/\p{Cs}/u);
  const mrkdwns = sink.requests[0]!.body.match(/"type":"mrkdwn"/g) ?? [];
  expect(sink.requests[0]!.body.match(/"verbatim":true/g)).toHaveLength(mrkdwns.length);
});

test.each(ATTACKS)('%j cannot be more than text in Slack', (attack) => {
  expect(escapeSlack(attack)).not.toMatch(/[<>]|&(?!amp;|lt;|gt;)/);
});

test('a message is within what Slack takes, and says what it leaves out', async () => {
  await using sink = await startSink();
  await deliver(receiverOf({ slack: { webhook_url: sink.url, ...OPEN } }, createTools()), largest);
  const [request] = sink.requests;
  expect(Buffer.byteLength(request!.body)).toBeLessThanOrEqual(12_000);
  const all = texts(JSON.parse(request!.body));
  expect(Math.max(...all.map(({ length }) => length))).toBeLessThanOrEqual(3_000);
  expect(all.join('\n')).toMatch(/1,000,0\d\d more findings are not shown here/);
});

test('markup that would be too long is cut at a line, and a link has no character that ends it', () => {
  const { text } = mrkdwn(['a'.repeat(2_000), 'b'.repeat(2_000), 'c']);
  expect(text).toBe(`${'a'.repeat(2_000)}\n…`);
  expect(link('https://example.com/?a=1&b=2', 'A & <B>')).toBe('<https://example.com/?a=1&amp;b=2|A &amp; &lt;B&gt;>');
});
