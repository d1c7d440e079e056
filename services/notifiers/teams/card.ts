/**
 * An adaptive card (https://adaptivecards.io/explorer). Texts are runs of rich text, which know no Markdown, unlike text blocks and fact
 * sets: what a record says cannot become a link, a mention or an image.
 */
import type { Severity } from '../../core/severity.ts';
import type { AlertView, Notification } from '../contract.ts';
import { fit } from '../fit.ts';
import { headline, leftOut, sharedFacts, tell } from '../story.ts';

/** Teams takes 28 KB, and its own envelope is part of that: https://learn.microsoft.com/microsoftteams/limits-specifications-teams */
const LIMITS = { bytes: 20_000, alerts: 10 };
const DETAILED = 2;

const STYLES: Readonly<Record<Severity, string>> = {
  critical: 'attention',
  high: 'attention',
  medium: 'warning',
  low: 'accent',
  info: 'default',
};

export function cardMessage(notification: Notification): string {
  return fit(notification, LIMITS, (shown, hidden) => {
    const more = leftOut(hidden);
    const style = notification.status === 'resolved' ? 'good' : STYLES[shown[0]?.severity ?? 'info'];
    const title = headline(notification);
    return JSON.stringify({
      type: 'message',
      attachments: [
        {
          contentType: 'application/vnd.microsoft.card.adaptive',
          contentUrl: null,
          content: {
            $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
            type: 'AdaptiveCard',
            version: '1.4',
            fallbackText: inert(title),
            msteams: { width: 'Full' },
            body: [
              { type: 'Container', style, bleed: true, items: [line([run(title, { size: 'Large', weight: 'Bolder' })])] },
              ...sharedFacts(notification).map((fact) => factLine(fact)),
              ...shown.map((alert) => container(alert, shown.length <= DETAILED)),
              ...(more === null ? [] : [line([run(more, { isSubtle: true })])]),
            ],
          },
        },
      ],
    });
  });
}

function container(alert: AlertView, isDetailed: boolean): object {
  const { title, what, why, benign, now, facts, url, runbookUrl } = tell(alert);
  const links = [...(url === null ? [] : [openUrl('Finding', url)]), ...(runbookUrl === null ? [] : [openUrl('Runbook', runbookUrl)])];
  const sentences = isDetailed ? [what, why, benign, ...now.map((step, index) => `${index + 1}. ${step}`)] : [what];
  return {
    type: 'Container',
    separator: true,
    items: [
      line([run(title, { weight: 'Bolder' })]),
      ...facts.map((fact) => factLine(fact)),
      ...sentences.filter((sentence) => sentence !== '').map((sentence) => line([run(sentence)])),
      ...(links.length === 0 ? [] : [{ type: 'ActionSet', actions: links }]),
    ],
  };
}

function factLine([name, value]: readonly [string, string]): object {
  return line([run(`${name}: `, { isSubtle: true }), run(value)]);
}

function line(inlines: readonly object[]): object {
  return { type: 'RichTextBlock', inlines };
}

function run(text: string, look: Readonly<Record<string, string | boolean>> = {}): object {
  return { type: 'TextRun', text: inert(text), ...look };
}

/** @param url safe to be clicked on */
function openUrl(title: string, url: string): object {
  return { type: 'Action.OpenUrl', title, url };
}

/** Cards know functions in braces, as in `{{DATE(…)}}` and `${…}`: https://learn.microsoft.com/adaptive-cards/authoring-cards/text-features */
function inert(text: string): string {
  return text.replace(/[{$](?=\{)/g, '$& ');
}
