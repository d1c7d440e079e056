import type { AlertView, Notification } from './contract.ts';
import { headline, leftOut, sharedFacts, tell } from './story.ts';

/** A notification as text for mail and the like. Links are ours; what records say stands as it is, without markup to be read from it. */
export function plainText(notification: Notification, shown: readonly AlertView[], hidden: number): string {
  const more = leftOut(hidden);
  const group = sharedFacts(notification).map(([name, value]) => `${name}: ${value}`);
  return [headline(notification), group.join('\n'), ...shown.map(alertText), more ?? ''].filter((part) => part !== '').join('\n\n');
}

function alertText(alert: AlertView): string {
  const { title, what, why, benign, now, facts, url, runbookUrl } = tell(alert);
  return [
    title,
    ...facts.map(([name, value]) => `  ${name}: ${value}`),
    ...(url === null ? [] : [`  Finding: ${url}`]),
    ...(runbookUrl === null ? [] : [`  Runbook: ${runbookUrl}`]),
    ...[what, why, benign].filter((sentence) => sentence !== '').map((sentence) => `  ${sentence}`),
    ...now.map((step, index) => `  ${index + 1}. ${step}`),
  ].join('\n');
}
