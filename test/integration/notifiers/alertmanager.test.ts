/** What the real Alertmanager makes of our alerts. */
import { expect, test } from 'vitest';
import type { AlertView, Notification } from '../../../services/notifiers/contract.ts';
import { sleep } from '../../../services/platform/clock.ts';
import { startAlertmanager } from '../../support/notifiers/alertmanager.ts';
import { alertView, ATTACKS, flood, hostile, largest, notification } from '../../support/notifiers/notifications.ts';
import { type Sink, startSink } from '../../support/notifiers/sink.ts';
import { createTools, deliver, receiverOf } from '../../support/notifiers/tools.ts';

interface Told {
  readonly status: string;
  readonly alerts: readonly { readonly status: string; readonly labels: Readonly<Record<string, string>> }[];
}

function told(sink: Sink): Told[] {
  return sink.requests.map(({ body }) => JSON.parse(body) as Told);
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 15_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('it did not happen');
    await sleep(50);
  }
}

const MINUTE = 60_000;
/** Alertmanager knows the machine's time only. */
const now = (overrides: Partial<AlertView> = {}): AlertView =>
  alertView({ firstSeen: Date.now() - MINUTE, lastSeen: Date.now() - MINUTE, ...overrides });
const telling = (alert: AlertView, overrides: Partial<Notification> = {}): Notification =>
  notification({ alerts: [alert], at: Date.now(), ...overrides });

const settings = (url: string, more: object = {}): object => ({
  alertmanager: { urls: [url], allow_private: true, allow_http: true, ...more },
});

test('an alert fires with what it is about, is told to whom Alertmanager routes it, and is resolved', async () => {
  await using sink = await startSink();
  await using alertmanager = await startAlertmanager(sink.url);
  const receiver = receiverOf({ ...settings(alertmanager.url, { labels: { team: 'security' } }) }, createTools());
  expect(await deliver(receiver, telling(now()))).toEqual({ ok: true });
  const [alert] = await alertmanager.alerts();
  expect(alert).toMatchObject({
    labels: {
      alertname: 'KeyDeletionScheduled',
      severity: 'high',
      service: 'kmswatch',
      detector: 'key-deletion-scheduled',
      family: 'deletion',
      account: '111122223333',
      region: 'eu-west-1',
      key_id: '0aaaaaaa-1111-4222-8333-444444444444',
      finding: '1f3a5b7c9d1e2f30',
      team: 'security',
    },
    annotations: { summary: 'KMS key is scheduled for deletion', key: 'alias/prod-orders', actor: 'dana' },
    generatorURL: 'https://kmswatch.example.com/findings/1f3a5b7c9d1e2f30',
  });
  await until(() => told(sink).some(({ status }) => status === 'firing'));
  const resolvedAt = Date.now();
  const mended = telling(now({ status: 'resolved', resolvedAt }), { status: 'resolved', reason: 'resolved' });
  expect(await deliver(receiver, mended)).toEqual({ ok: true });
  await until(() => told(sink).some(({ status }) => status === 'resolved'));
  expect(await alertmanager.alerts()).toEqual([]);
});

test('sending the same again is the same alert, and moves the time at which it would end by itself', async () => {
  await using sink = await startSink();
  await using alertmanager = await startAlertmanager(sink.url);
  let time = Date.now();
  const receiver = receiverOf({ ...settings(alertmanager.url) }, createTools({ clock: { now: () => time } }));
  const alert = now();
  await deliver(receiver, telling(alert));
  const before = await alertmanager.alerts();
  time += receiver.resendAfterMs ?? 0;
  await deliver(receiver, telling(alert, { reason: 'repeat' }));
  const after = await alertmanager.alerts();
  expect(after).toHaveLength(1);
  expect(Date.parse(after[0]!.endsAt) - Date.parse(before[0]!.endsAt)).toBe(5 * MINUTE);
  // Between two sendings there is time for one to fail.
  expect(Date.parse(before[0]!.endsAt) - Date.now()).toBeGreaterThan(2 * (receiver.resendAfterMs ?? 0));
});

test('every instance of a cluster is told, and one that is not there is told later', async () => {
  await using sink = await startSink();
  await using one = await startAlertmanager(sink.url);
  await using two = await startAlertmanager(sink.url);
  const all = receiverOf({ ...settings(one.url, { urls: [one.url, two.url] }) }, createTools());
  expect(await deliver(all, telling(now()))).toEqual({ ok: true });
  expect([await one.alerts(), await two.alerts()].map(({ length }) => length)).toEqual([1, 1]);
  const half = receiverOf({ ...settings(one.url, { urls: ['http://127.0.0.1:1', two.url] }) }, createTools());
  expect(await deliver(half, telling(now({ findingId: 'another' })))).toMatchObject({ ok: false, reason: 'unreachable', retryable: true });
  expect(await two.alerts()).toHaveLength(2);
});

test('hostile, flooding and largest notifications are taken whole', async () => {
  await using sink = await startSink();
  await using alertmanager = await startAlertmanager(sink.url);
  const receiver = receiverOf({ ...settings(alertmanager.url) }, createTools());
  for (const each of [hostile, flood, largest]) expect(await deliver(receiver, { ...each, at: Date.now() })).toEqual({ ok: true });
  const names = (await alertmanager.alerts()).map(({ labels }) => labels.alertname);
  expect(names.filter((name) => name === 'KmswatchMoreFindings')).toHaveLength(2);
  expect(names.filter((name) => name === 'KeyDeletionScheduled').length).toBeGreaterThanOrEqual(1 + flood.alerts.length);
  for (const attack of ATTACKS) {
    const alert = now({ findingId: `attack ${attack}`, detector: attack, title: attack, account: attack, region: '' });
    expect({ attack, ...(await deliver(receiver, telling(alert))) }).toEqual({ attack, ok: true });
  }
});

test('a finding that was resolved before it was first told, or seen in the future, is no error', async () => {
  await using sink = await startSink();
  await using alertmanager = await startAlertmanager(sink.url);
  const receiver = receiverOf({ ...settings(alertmanager.url) }, createTools());
  const odd = [
    now({ status: 'resolved', resolvedAt: Date.now() - 10 * MINUTE }),
    now({ status: 'resolved', resolvedAt: null }),
    now({ firstSeen: Date.now() + 60 * MINUTE }),
    now({ firstSeen: 0 }),
    now({ firstSeen: Number.NaN }),
  ];
  for (const alert of odd) expect(await deliver(receiver, telling(alert))).toEqual({ ok: true });
});
