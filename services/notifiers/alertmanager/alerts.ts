/**
 * Alerts as Alertmanager's v2 API takes them: https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml. Labels are an
 * alert's identity and therefore hold nothing that changes while it fires, except the severity; annotations hold the text.
 */
import type { AlertView, Notification } from '../contract.ts';
import { shortHash } from '../hash.ts';
import { countsInWords, headline, leftOut, tell } from '../story.ts';
import { clean, isoTime, safeLink } from '../text.ts';

export interface AlertOptions {
  /** Labels that every alert gets; ours go before. */
  readonly labels: Readonly<Record<string, string>>;
  /** Until when a firing alert is good if it is not sent again, epoch milliseconds. */
  readonly firingUntil: number;
  readonly now: number;
}

export interface PostableAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  readonly endsAt: string;
  readonly generatorURL?: string;
}

const NAME_MAX = 500;

export function postableAlerts(notification: Notification, options: AlertOptions): PostableAlert[] {
  const alerts = notification.alerts.map((alert) => postable(alert, options));
  return notification.truncated > 0 ? [...alerts, rest(notification, options)] : alerts;
}

function postable(alert: AlertView, { labels, firingUntil, now }: AlertOptions): PostableAlert {
  const { what, why, benign, now: steps } = tell(alert);
  const isFiring = alert.status !== 'resolved';
  const ends = isFiring ? firingUntil : Math.min(alert.resolvedAt ?? now, now);
  const link = safeLink(alert.url);
  return {
    labels: filled({
      ...labels,
      alertname: pascal(alert.detector),
      severity: alert.severity,
      service: 'kmswatch',
      detector: alert.detector,
      family: alert.family,
      account: alert.account,
      region: alert.region,
      key_id: alert.keyArn === null ? '' : alert.keyArn.slice(alert.keyArn.lastIndexOf('/') + 1),
      finding: alert.findingId,
    }),
    annotations: filled({
      summary: alert.title,
      description: [what, why, benign].filter((sentence) => sentence !== '').join(' '),
      action: steps.join(' '),
      key: alert.keyName ?? alert.keyArn ?? '',
      key_arn: alert.keyArn ?? '',
      actor: alert.actor ?? '',
      status: alert.status,
      runbook_url: safeLink(alert.runbookUrl) ?? '',
    }),
    // Refused when it ends before it starts.
    startsAt: time(Math.min(alert.firstSeen, ends)),
    endsAt: time(ends),
    ...(link !== null && { generatorURL: link }),
  };
}

/** Stands for the findings of the group that are not sent singly; it ends by not being sent again. */
function rest(notification: Notification, { labels, firingUntil, now }: AlertOptions): PostableAlert {
  const isFiring = notification.status === 'firing';
  return {
    labels: filled({
      ...labels,
      alertname: 'KmswatchMoreFindings',
      severity: notification.alerts[0]?.severity ?? 'info',
      service: 'kmswatch',
      group: shortHash(notification.groupKey),
    }),
    annotations: filled({
      summary: leftOut(notification.truncated) ?? '',
      description: `${headline(notification)}; in all ${countsInWords(notification)}.`,
    }),
    startsAt: time(Math.min(notification.at, now)),
    endsAt: time(isFiring ? firingUntil : now),
  };
}

/** Valid UTF-8 in one line. Alertmanager takes an empty label for none. */
function filled(texts: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(texts)
      .map(([name, text]) => [name, clean(text, name === 'description' ? 2_000 : NAME_MAX)] as const)
      .filter(([, text]) => text !== ''),
  );
}

/** `key-deletion-scheduled` → `KeyDeletionScheduled`, which is how alerts are called. */
function pascal(id: string): string {
  return id
    .split(/[^A-Za-z0-9]+/)
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
    .join('');
}

function time(at: number): string {
  return isoTime(at) ?? new Date(0).toISOString();
}
