/**
 * Slack's own markup. `&`, `<` and `>` are all that can begin a mention or a link, and are written as entities
 * (https://docs.slack.dev/messaging/formatting-message-text#escaping); `verbatim` keeps Slack from finding links and names in plain text.
 */
export interface Mrkdwn {
  readonly type: 'mrkdwn';
  readonly text: string;
  readonly verbatim: true;
}

/** Slack refuses sections of more than 3000 characters. */
const SECTION_MAX = 2_900;

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

export function escapeSlack(text: string): string {
  return text.replace(/[&<>]/g, (found) => ENTITIES[found] ?? found);
}

/** @param url safe to be clicked on (`safeLink`), which has none of the characters that end a link */
export function link(url: string, label: string): string {
  return `<${url.replaceAll('&', '&amp;')}|${escapeSlack(label)}>`;
}

/** Lines of markup as one text; lines that would make it too long are left out, and it says so by `…`. */
export function mrkdwn(lines: readonly string[]): Mrkdwn {
  const kept: string[] = [];
  let length = 0;
  for (const line of lines) {
    length += line.length + 1;
    if (length > SECTION_MAX) {
      kept.push('…');
      break;
    }
    kept.push(line);
  }
  return { type: 'mrkdwn', text: kept.join('\n'), verbatim: true };
}
