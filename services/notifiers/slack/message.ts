import type { Severity } from '../../core/severity.ts';
import type { AlertView, Notification } from '../contract.ts';
import { fit } from '../fit.ts';
import { headline, leftOut, sharedFacts, tell } from '../story.ts';
import { escapeSlack, link, mrkdwn } from './mrkdwn.ts';

/** Slack takes 50 blocks, and fails with `msg_blocks_too_long` somewhere above 13,000 characters. */
const LIMITS = { bytes: 12_000, alerts: 10 };
/** Of more alerts than this, only what happened is told. */
const DETAILED = 2;

const COLORS: Readonly<Record<Severity, string>> = {
  critical: '#a30200',
  high: '#e01e5a',
  medium: '#ecb22e',
  low: '#36c5f0',
  info: '#8d8d8d',
};
const RESOLVED = '#2eb67d';

/** The whole case, as JSON: `text` is what shows where blocks cannot, and `mrkdwn: false` keeps it plain. */
export function caseMessage(notification: Notification, envelope: Readonly<Record<string, string | boolean>> = {}): string {
  return fit(notification, LIMITS, (shown, hidden) => {
    const more = leftOut(hidden);
    return JSON.stringify({
      ...envelope,
      text: escapeSlack(headline(notification)),
      mrkdwn: false,
      unfurl_links: false,
      unfurl_media: false,
      blocks: [{ type: 'section', text: mrkdwn([`*${escapeSlack(headline(notification))}*`]) }],
      attachments: [
        {
          color: notification.status === 'resolved' ? RESOLVED : COLORS[shown[0]?.severity ?? 'info'],
          fallback: escapeSlack(headline(notification)),
          blocks: [
            ...shown.map((alert) => ({ type: 'section', text: mrkdwn(alertLines(alert, shown.length <= DETAILED)) })),
            ...contexts([groupLine(notification), ...(more === null ? [] : [escapeSlack(more)])]),
          ],
        },
      ],
    });
  });
}

/** One line in the case's thread. */
export function reply(notification: Notification, envelope: Readonly<Record<string, string | boolean>>): string {
  const text = escapeSlack(headline(notification));
  const blocks = [{ type: 'section', text: mrkdwn([text]) }];
  return JSON.stringify({ ...envelope, text, mrkdwn: false, unfurl_links: false, unfurl_media: false, blocks });
}

function alertLines(alert: AlertView, isDetailed: boolean): string[] {
  const { title, what, why, benign, now, facts, url, runbookUrl } = tell(alert);
  const links = [...(url === null ? [] : [link(url, 'Finding')]), ...(runbookUrl === null ? [] : [link(runbookUrl, 'Runbook')])];
  const sentences = isDetailed ? [what, why, benign, ...now.map((step, index) => `${index + 1}. ${step}`)] : [what];
  return [
    `*${escapeSlack(title)}*`,
    facts.map(([name, value]) => `${name}: ${escapeSlack(value)}`).join(' · '),
    ...(links.length === 0 ? [] : [links.join(' · ')]),
    ...sentences.filter((sentence) => sentence !== '').map(escapeSlack),
  ];
}

function groupLine(notification: Notification): string {
  return sharedFacts(notification)
    .map(([name, value]) => escapeSlack(`${name}: ${value}`))
    .join(' · ');
}

function contexts(lines: readonly string[]): object[] {
  return lines.filter((line) => line !== '').map((line) => ({ type: 'context', elements: [mrkdwn([line])] }));
}
