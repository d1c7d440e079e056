/** Teams and PagerDuty, and what all messages are made of. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Notification } from '../../../services/notifiers/contract.ts';
import { fit } from '../../../services/notifiers/fit.ts';
import { cardMessage } from '../../../services/notifiers/teams/card.ts';
import { eventMessage } from '../../../services/notifiers/pagerduty/event.ts';
import { headline } from '../../../services/notifiers/story.ts';
import { clean, grouped, isoTime, moment, safeLink } from '../../../services/notifiers/text.ts';
import { alertView, AT, ATTACKS, CASES, flood, hostile, largest, notification, resolved } from '../../support/notifiers/notifications.ts';

interface Element {
  readonly type: string;
  readonly text?: string;
  readonly url?: string;
}

/** Every mapping with a `type` in a card. */
function elements(value: unknown): Element[] {
  if (typeof value !== 'object' || value === null) return [];
  const below = Object.values(value).flatMap(elements);
  return 'type' in value && typeof value.type === 'string' ? [value as Element, ...below] : below;
}

test('a card of Teams has no element that reads Markdown, and links to kmswatch only', () => {
  const card = elements(JSON.parse(cardMessage(hostile)));
  const allowed = ['message', 'AdaptiveCard', 'Container', 'RichTextBlock', 'TextRun', 'ActionSet', 'Action.OpenUrl'];
  expect([...new Set(card.map(({ type }) => type))].filter((type) => !allowed.includes(type))).toEqual([]);
  expect(card.flatMap(({ url }) => (url === undefined ? [] : [url]))).toEqual(['https://kmswatch.example.com/a%7Cb%3Ec%22d%27e%29f']);
  const texts = card.flatMap(({ text }) => (text === undefined ? [] : [text])).join('\n');
  expect(texts).toContain('[x](javascript:alert(1))');
  expect(texts).not.toMatch(/\{\{|\$\{/);
});

test('a card is within what Teams takes, and says what it leaves out', () => {
  const message = cardMessage(largest);
  expect(Buffer.byteLength(message)).toBeLessThanOrEqual(20_000);
  expect(message).toMatch(/1,000,0\d\d more findings are not shown here/);
});

type PagerDutyEvent = {
  readonly event_action: string;
  readonly dedup_key: string;
  readonly payload?: { readonly summary: string; readonly severity: string; readonly custom_details: { readonly left_out?: string } };
};

function event(told: Notification): PagerDutyEvent {
  return JSON.parse(eventMessage(told, 'key')) as PagerDutyEvent;
}

test('an incident is one group: triggered, acknowledged and resolved under one key', () => {
  const acknowledged = notification({ alerts: [alertView({ status: 'acknowledged' }), alertView({ status: 'resolved', resolvedAt: AT })] });
  const events = [notification(), acknowledged, resolved].map(event);
  expect(events.map(({ event_action }) => event_action)).toEqual(['trigger', 'acknowledge', 'resolve']);
  expect(new Set(events.map(({ dedup_key }) => dedup_key)).size).toBe(1);
  expect(event(hostile).dedup_key).toMatch(/^kmswatch-[0-9a-f]{40}$/);
  expect(event(hostile).dedup_key).not.toBe(events[0]?.dedup_key);
});

test('one finding that nobody acknowledged keeps an incident triggered, and so does one that is not shown', () => {
  const acknowledged = alertView({ status: 'acknowledged' });
  expect(event(notification({ alerts: [acknowledged, alertView()] })).event_action).toBe('trigger');
  expect(event(notification({ alerts: [acknowledged], truncated: 1 })).event_action).toBe('trigger');
});

test('an event is within what PagerDuty takes, and says what it leaves out', () => {
  const message = eventMessage(largest, 'key');
  expect(Buffer.byteLength(message)).toBeLessThanOrEqual(100_000);
  expect(event(largest).payload?.custom_details.left_out).toMatch(/^1,000,0\d\d more findings are not shown here/);
  expect(event(largest).payload?.summary.length).toBeLessThanOrEqual(1_024);
});

test.each([
  [notification(), '[high] KMS key is scheduled for deletion: alias/prod-orders'],
  [notification({ reason: 'repeat' }), '[still high] KMS key is scheduled for deletion: alias/prod-orders'],
  [notification({ reason: 'escalated' }), '[nobody answered, high] KMS key is scheduled for deletion: alias/prod-orders'],
  [notification({ reason: 'test' }), '[test] KMS key is scheduled for deletion: alias/prod-orders'],
  [resolved, '[resolved] KMS key is scheduled for deletion: alias/prod-orders'],
  [notification({ truncated: 3 }), '[high] 4 findings, first: KMS key is scheduled for deletion: alias/prod-orders'],
  [flood, '[flood] 10,000 findings at once (1 critical, 9,999 low)'],
  [notification({ alerts: [] }), '[info] kmswatch'],
])('a headline says how bad, how many, what and where (%#)', (told, line) => {
  expect(headline(told)).toBe(line);
});

test('text is one line of valid characters, within its length, whatever it was', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), fc.integer({ min: 1, max: 50 }), (text, max) => {
      const line = clean(text, max);
      expect(line.length).toBeLessThanOrEqual(max);
      expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/u);
    }),
  );
});

test('text of ordinary length is left as it is; what is cut ends in a mark', () => {
  expect(clean('alias/prod-orders (Größe 3) – 日本語', 100)).toBe('alias/prod-orders (Größe 3) – 日本語');
  expect(clean('abcdef', 5)).toBe('abcd…');
  expect(clean('abc😀f', 5)).toBe('abc…');
  expect(clean(`ab${'\u200b'.repeat(10_000)}`, 5)).toBe('ab…');
  expect(clean('a\r\nb', 5)).toBe('a b');
});

test.each([
  ['https://example.com/a?b=c&d=e#f', 'https://example.com/a?b=c&d=e#f'],
  ['http://example.com', 'http://example.com/'],
  ['https://example.com/|>)"\'`*', 'https://example.com/%7C%3E%29%22%27%60%2A'],
  ['javascript:alert(1)', null],
  ['data:text/html,x', null],
  ['//example.com', null],
  ['', null],
  [null, null],
  [`https://example.com/${'a'.repeat(3_000)}`, null],
])('the link %j may be shown as %j', (url, shown) => {
  expect(safeLink(url)).toBe(shown);
});

test.each(ATTACKS)('%j is no link', (attack) => {
  expect(safeLink(attack)).toBeNull();
});

test('times and numbers that are none are told as none', () => {
  expect([moment(AT), moment(null), moment(Number.NaN), moment(1e300)]).toEqual(['2026-03-04 10:22 UTC', '-', '-', '-']);
  expect([isoTime(AT), isoTime(Infinity)]).toEqual(['2026-03-04T10:22:00.000Z', null]);
  expect([0, 999, 1_000, 1_234_567].map(grouped)).toEqual(['0', '999', '1,000', '1,234,567']);
});

test('as many alerts are shown as fit, and no more', () => {
  const told = notification({ alerts: Array.from({ length: 50 }, () => alertView()), truncated: 7 });
  const render = (shown: readonly unknown[], hidden: number): string => `${'x'.repeat(shown.length * 10)}|${shown.length}|${hidden}`;
  fc.assert(
    fc.property(fc.integer({ min: 10, max: 700 }), fc.integer({ min: 0, max: 60 }), (bytes, alerts) => {
      const [text = '', count, hidden] = fit(told, { bytes, alerts }, render).split('|');
      const most = Math.min(alerts, 50);
      expect(Number(count) + Number(hidden)).toBe(57);
      expect(Number(count)).toBeLessThanOrEqual(most);
      expect(text.length + 6).toBeLessThanOrEqual(Math.max(bytes + 1, 6));
      const withOneMore = render(told.alerts.slice(0, Number(count) + 1), 57 - Number(count) - 1);
      expect(Number(count) === most || withOneMore.length > bytes).toBe(true);
    }),
  );
});

test('every case can be told to everybody without an alert, an address or a link', () => {
  for (const told of [...Object.values(CASES), notification({ alerts: [], truncated: 0, groupLabels: {} })]) {
    const bare = {
      ...told,
      alerts: told.alerts.map((alert) => ({ ...alert, url: null, runbookUrl: null, keyArn: null, keyName: null, actor: null })),
    };
    expect(() => [cardMessage(bare), eventMessage(bare, 'key')]).not.toThrow();
  }
});
