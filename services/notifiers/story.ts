/** What people are told of a notification, as plain text: chat, mail and pagers differ in form, not in words. */
import { SEVERITIES } from '../core/severity.ts';
import type { AlertView, Notification } from './contract.ts';
import { clean, grouped, moment, safeLink } from './text.ts';

export interface AlertStory {
  /** `[high] KMS key is scheduled for deletion`. */
  readonly title: string;
  readonly what: string;
  readonly why: string;
  /** `What would make it harmless: …`; empty where that is not told. */
  readonly benign: string;
  readonly now: readonly string[];
  /** Name and value: key, caller, account, times. */
  readonly facts: readonly (readonly [string, string])[];
  /** Safe to be clicked on. */
  readonly url: string | null;
  readonly runbookUrl: string | null;
}

const TITLE_MAX = 200;
const SENTENCE_MAX = 600;
/** It ends with what the key protects. */
const WHY_MAX = 1_000;
const NAME_MAX = 200;
const STEPS_MAX = 6;

/** One line: how bad it is, how many, what and where. */
export function headline(notification: Notification): string {
  const { alerts, reason, status } = notification;
  const total = totalOf(notification);
  const [first] = alerts;
  const title = first ? clean(first.title, TITLE_MAX) : 'kmswatch';
  const named = first?.keyName ? `${title}: ${clean(first.keyName, 80)}` : title;
  const subject = total > 1 ? `${grouped(total)} findings, first: ${named}` : named;
  if (reason === 'test') return `[test] ${named}`;
  if (reason === 'flood') return `[flood] ${grouped(total)} findings at once (${countsInWords(notification)})`;
  if (status === 'resolved') return `[resolved] ${subject}`;
  const severity = first?.severity ?? 'info';
  const still = reason === 'repeat' ? 'still ' : reason === 'escalated' ? 'nobody answered, ' : '';
  return `[${still}${severity}] ${subject}`;
}

/** `120 critical, 9,880 low`. */
export function countsInWords({ counts }: Notification): string {
  const parts = SEVERITIES.filter((severity) => counts[severity] > 0).map((severity) => `${grouped(counts[severity])} ${severity}`);
  return parts.length === 0 ? 'none' : parts.join(', ');
}

export function totalOf({ alerts, truncated }: Notification): number {
  return alerts.length + truncated;
}

/** What the alerts of the group have in common, in the order of the labels' names; at most 8. */
export function groupFacts({ groupLabels }: Notification): (readonly [string, string])[] {
  return Object.entries(groupLabels)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .slice(0, 8)
    .map(([name, value]) => [clean(name, 60), clean(value, NAME_MAX)]);
}

/** The same for messages that people read: of a single alert it is said with the alert. */
export function sharedFacts(notification: Notification): (readonly [string, string])[] {
  return totalOf(notification) > 1 ? groupFacts(notification) : [];
}

export function tell(alert: AlertView): AlertStory {
  const { severity, status, title, explanation, keyName, keyArn, actor, account, region } = alert;
  const mark = status === 'open' ? severity : `${severity}, ${status}`;
  const key = keyName ?? keyArn;
  const facts: (readonly [string, string])[] = [
    ...(key === null ? [] : ([['Key', clean(key, NAME_MAX)]] as const)),
    ...(actor === null ? [] : ([['Caller', clean(actor, NAME_MAX)]] as const)),
    ['Account', `${clean(account, 60)} ${clean(region, 60)}`],
    ['Seen', seen(alert)],
    ...(alert.resolvedAt === null ? [] : ([['Resolved', moment(alert.resolvedAt)]] as const)),
  ];
  return {
    title: `[${mark}] ${clean(title, TITLE_MAX)}`,
    what: clean(explanation.what, SENTENCE_MAX),
    why: clean(explanation.why, WHY_MAX),
    benign: explanation.benign === '' ? '' : clean(`What would make it harmless: ${explanation.benign}`, SENTENCE_MAX),
    now: explanation.now.slice(0, STEPS_MAX).map((step) => clean(step, 300)),
    facts,
    url: safeLink(alert.url),
    runbookUrl: safeLink(alert.runbookUrl),
  };
}

function seen({ firstSeen, lastSeen, occurrences }: AlertView): string {
  if (occurrences <= 1 || firstSeen === lastSeen) return moment(firstSeen);
  return `${moment(firstSeen)} to ${moment(lastSeen)}, ${grouped(occurrences)} times`;
}

/** Says that alerts are left out; null when none are. */
export function leftOut(count: number): string | null {
  if (count <= 0) return null;
  return `${grouped(count)} more ${count === 1 ? 'finding is' : 'findings are'} not shown here; see kmswatch findings.`;
}
