/** https://developer.pagerduty.com/docs/events-api-v2/trigger-events */
import type { Severity } from '../../core/severity.ts';
import type { AlertView, Notification } from '../contract.ts';
import { fit } from '../fit.ts';
import { shortHash } from '../hash.ts';
import { countsInWords, groupFacts, headline, leftOut, tell } from '../story.ts';
import { clean, isoTime, safeLink } from '../text.ts';

/** PagerDuty takes 512 KB; nobody reads as much. */
const LIMITS = { bytes: 100_000, alerts: 20 };
const SUMMARY_MAX = 1_000;

const SEVERITIES: Readonly<Record<Severity, 'critical' | 'error' | 'warning' | 'info'>> = {
  critical: 'critical',
  high: 'error',
  medium: 'warning',
  low: 'info',
  info: 'info',
};

/** One incident a group: what is resolved or acknowledged is found by `dedup_key`. */
export function eventMessage(notification: Notification, routingKey: string): string {
  const identity = { routing_key: routingKey, dedup_key: `kmswatch-${shortHash(notification.groupKey)}` };
  const action = actionOf(notification);
  if (action !== 'trigger') return JSON.stringify({ ...identity, event_action: action });
  return fit(notification, LIMITS, (shown, hidden) => {
    const [first] = notification.alerts;
    const more = leftOut(hidden);
    return JSON.stringify({
      ...identity,
      event_action: action,
      client: 'kmswatch',
      ...(first && safeLink(first.url) !== null && { client_url: safeLink(first.url) }),
      payload: {
        summary: clean(headline(notification), SUMMARY_MAX),
        source: first ? clean(`${first.account} ${first.region}`, 200) : 'kmswatch',
        severity: SEVERITIES[first?.severity ?? 'info'],
        timestamp: isoTime(notification.at),
        component: clean(first?.keyName ?? first?.keyArn ?? 'kmswatch', 200),
        group: shortHash(notification.groupKey),
        class: clean(notification.reason === 'flood' ? 'flood' : (first?.detector ?? 'none'), 200),
        custom_details: {
          findings: shown.map(details),
          counts: countsInWords(notification),
          ...(more !== null && { left_out: more }),
          group: Object.fromEntries(groupFacts(notification)),
        },
      },
      links: links(shown),
    });
  });
}

function actionOf({ status, alerts, truncated }: Notification): 'trigger' | 'acknowledge' | 'resolve' {
  if (status === 'resolved') return 'resolve';
  const firing = alerts.filter((alert) => alert.status !== 'resolved');
  const isAcknowledged = truncated === 0 && firing.length > 0 && firing.every((alert) => alert.status === 'acknowledged');
  return isAcknowledged ? 'acknowledge' : 'trigger';
}

function details(alert: AlertView): object {
  const { title, what, why, benign, now, facts, url, runbookUrl } = tell(alert);
  return {
    id: alert.findingId,
    title,
    what,
    why,
    benign,
    now,
    ...Object.fromEntries(facts.map(([name, value]) => [name.toLowerCase(), value])),
    url,
    runbookUrl,
  };
}

function links(shown: readonly AlertView[]): object[] {
  return shown.slice(0, 5).flatMap((alert) => {
    const { title, url, runbookUrl } = tell(alert);
    return [
      ...(url === null ? [] : [{ href: url, text: clean(title, 100) }]),
      ...(runbookUrl === null ? [] : [{ href: runbookUrl, text: 'Runbook' }]),
    ];
  });
}
