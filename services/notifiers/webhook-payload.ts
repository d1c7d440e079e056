import type { AlertView, Notification } from './contract.ts';
import { fit } from './fit.ts';
import { groupFacts, headline } from './story.ts';
import { clean, isoTime, safeLink } from './text.ts';

/**
 * What a generic receiver gets: `type`, `timestamp` and `data`, as Standard Webhooks recommends. Field names are those of
 * `kmswatch findings --json`; fields may be added.
 */
export function webhookPayload(notification: Notification, maxBytes: number): string {
  const { status, reason, receiver, groupKey, counts, at } = notification;
  return fit(notification, { bytes: maxBytes, alerts: notification.alerts.length }, (shown, hidden) =>
    JSON.stringify({
      type: `findings.${status}`,
      timestamp: isoTime(at),
      data: {
        receiver,
        group_key: clean(groupKey, 1_000),
        group_labels: Object.fromEntries(groupFacts(notification)),
        status,
        reason,
        summary: headline(notification),
        counts,
        truncated: hidden,
        findings: shown.map(finding),
      },
    }),
  );
}

function finding(alert: AlertView): object {
  const { explanation } = alert;
  return {
    id: alert.findingId,
    detector: alert.detector,
    family: alert.family,
    severity: alert.severity,
    status: alert.status,
    title: clean(alert.title, 500),
    what: clean(explanation.what, 1_000),
    why: clean(explanation.why, 1_000),
    benign: clean(explanation.benign, 1_000),
    now: explanation.now.slice(0, 10).map((step) => clean(step, 300)),
    key_arn: named(alert.keyArn),
    key_name: named(alert.keyName),
    actor: named(alert.actor),
    account: clean(alert.account, 100),
    region: clean(alert.region, 100),
    first_seen: isoTime(alert.firstSeen),
    last_seen: isoTime(alert.lastSeen),
    resolved_at: isoTime(alert.resolvedAt),
    occurrences: alert.occurrences,
    url: safeLink(alert.url),
    runbook_url: safeLink(alert.runbookUrl),
  };
}

function named(text: string | null): string | null {
  return text === null ? null : clean(text, 500);
}
