import type { AlertView, Notification } from '../contract.ts';
import { headline, leftOut, sharedFacts, tell } from '../story.ts';

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** The notification as a page: no images, scripts or styles from elsewhere; links lead to kmswatch only. */
export function htmlMail(notification: Notification, shown: readonly AlertView[], hidden: number): string {
  const more = leftOut(hidden);
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8"><title>kmswatch</title></head>',
    '<body style="font-family:sans-serif;font-size:14px;line-height:1.4">',
    `<h1 style="font-size:18px">${escapeHtml(headline(notification))}</h1>`,
    table(sharedFacts(notification)),
    ...shown.map(section),
    ...(more === null ? [] : [`<p><em>${escapeHtml(more)}</em></p>`]),
    '</body></html>',
    '',
  ].join('\n');
}

function section(alert: AlertView): string {
  const { title, what, why, benign, now, facts, url, runbookUrl } = tell(alert);
  const links = [...(url === null ? [] : [anchor(url, 'Finding')]), ...(runbookUrl === null ? [] : [anchor(runbookUrl, 'Runbook')])];
  return [
    '<hr>',
    `<h2 style="font-size:16px">${escapeHtml(title)}</h2>`,
    table(facts),
    ...[what, why, benign].filter((sentence) => sentence !== '').map((sentence) => `<p>${escapeHtml(sentence)}</p>`),
    ...(now.length === 0 ? [] : [`<ol>${now.map((step) => `<li>${escapeHtml(step)}</li>`).join('')}</ol>`]),
    ...(links.length === 0 ? [] : [`<p>${links.join(' · ')}</p>`]),
  ].join('\n');
}

function table(facts: readonly (readonly [string, string])[]): string {
  const rows = facts.map(
    ([name, value]) => `<tr><th align="left" style="padding-right:12px">${escapeHtml(name)}</th><td>${escapeHtml(value)}</td></tr>`,
  );
  return `<table>${rows.join('')}</table>`;
}

/** @param url safe to be clicked on */
function anchor(url: string, label: string): string {
  return `<a href="${escapeHtml(url)}">${escapeHtml(label)}</a>`;
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (found) => ENTITIES[found] ?? found);
}
