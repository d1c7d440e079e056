import { Webhook } from 'standardwebhooks';
import { expect, test } from 'vitest';
import { signingKeys } from '../../../services/notifiers/webhook/signature.ts';
import { largest, notification } from '../../support/notifiers/notifications.ts';
import { startSink } from '../../support/notifiers/sink.ts';
import { createTools, deliver, receiverOf } from '../../support/notifiers/tools.ts';

const OPEN = { allow_private: true, allow_http: true };
const NEW = `whsec_${Buffer.from('new secret of thirty-two bytes!!').toString('base64')}`;
const OLD = `whsec_${Buffer.from('old secret of twenty-four').toString('base64')}`;
const OTHER = `whsec_${Buffer.from('nobody gave this one away').toString('base64')}`;

test('a receiver with the new secret, or still with the old one, verifies the message; with another it does not', async () => {
  await using sink = await startSink();
  const config = { webhook: { url: sink.url, signing_secret: `${NEW}\n${OLD}`, ...OPEN } };
  expect(await deliver(receiverOf(config, createTools()), notification())).toEqual({ ok: true });
  const { body, headers } = sink.requests[0]!;
  for (const secret of [NEW, OLD]) {
    const verified = new Webhook(secret).verify(body, headers) as { type: string; data: { findings: { id: string }[] } };
    expect(verified).toMatchObject({ type: 'findings.firing', data: { findings: [{ id: '1f3a5b7c9d1e2f30' }] } });
  }
  expect(() => new Webhook(OTHER).verify(body, headers)).toThrow('No matching signature found');
  expect(() => new Webhook(NEW).verify(`${body} `, headers)).toThrow('No matching signature found');
});

test('an attempt is stamped with its own time, and a repetition has the same id', async () => {
  await using sink = await startSink();
  let now = Date.now();
  const receiver = receiverOf({ webhook: { url: sink.url, signing_secret: NEW, ...OPEN } }, createTools({ clock: { now: () => now } }));
  await deliver(receiver, notification());
  now += 3_600_000;
  await deliver(receiver, notification());
  await deliver(receiver, notification({ idempotencyKey: 'another' }));
  const ids = sink.requests.map(({ headers }) => headers['webhook-id']);
  expect(ids[0]).toBe(ids[1]);
  expect(ids[0]).not.toBe(ids[2]);
  const [first, second] = sink.requests.map(({ headers }) => Number(headers['webhook-timestamp']));
  expect(second! - first!).toBe(3_600);
});

test('without a secret there is no signature, and the id is there all the same', async () => {
  await using sink = await startSink();
  await deliver(receiverOf({ webhook: { url: sink.url, ...OPEN } }, createTools()), notification());
  expect(sink.requests[0]?.headers).not.toHaveProperty('webhook-signature');
  expect(sink.requests[0]?.headers['webhook-id']).toMatch(/^msg_[0-9a-f]{40}$/);
});

test.each([16_384, 20_000, 100_000])('a message is at most %i bytes, and says what it leaves out', async (max_bytes) => {
  await using sink = await startSink();
  await deliver(receiverOf({ webhook: { url: sink.url, max_bytes, ...OPEN } }, createTools()), largest);
  const { body } = sink.requests[0]!;
  expect(Buffer.byteLength(body)).toBeLessThanOrEqual(max_bytes);
  const { data } = JSON.parse(body) as { data: { findings: unknown[]; truncated: number } };
  expect(data.truncated + data.findings.length).toBe(1_000_050);
  expect(data.findings.length).toBeGreaterThan(0);
});

test.each([
  '',
  'whsec_',
  'whsec_c2hvcnQ=',
  NEW.slice(6),
  `${NEW} x`,
  `whsec_${'A'.repeat(100)}`,
  Array.from({ length: 6 }, () => NEW).join(' '),
])('%j is no list of secrets', (text) => {
  expect(signingKeys(text)).toBeNull();
});
