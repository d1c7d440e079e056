/** Text from records as it may be put into messages: each format's own escaping comes after this. */

/** Controls, line separators, formats (bidi overrides among them), lone surrogates, private and invisible characters. */
const SPACES = /[\p{Cc}\p{Zl}\p{Zp}]+/gu;
const HIDDEN = /[\p{Cf}\p{Cs}\p{Co}\p{Default_Ignorable_Code_Point}]/gu;

/** One line of valid text of at most `max` UTF-16 units; what was cut off ends in `…`. */
export function clean(text: string, max: number): string {
  // Four times as much is looked at, since what is hidden is taken out; no more, since texts may be of any length.
  const line = text
    .slice(0, max * 4 + 64)
    .replace(SPACES, ' ')
    .replace(HIDDEN, '')
    .trim();
  const isCut = line.length > max || text.length > max * 4 + 64;
  return isCut ? `${line.slice(0, max - 1).replace(/[\uD800-\uDBFF]$/, '')}…` : line;
}

/** `2026-03-04 10:22 UTC`; `-` for what is no time. */
export function moment(at: number | null): string {
  const text = isoTime(at);
  return text === null ? '-' : `${text.slice(0, 10)} ${text.slice(11, 16)} UTC`;
}

/** ISO 8601 in UTC with milliseconds; null for none and for what is no time. */
export function isoTime(at: number | null): string | null {
  return at === null || !(Math.abs(at) <= 8.64e15) ? null : new Date(at).toISOString();
}

/** `12,345`. */
export function grouped(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** A link that may be offered for clicking: http or https, no characters that end a link in any format; null otherwise. */
export function safeLink(url: string | null): string | null {
  const parsed = url === null || url.length > 2000 ? null : URL.parse(url);
  if (!parsed || (parsed.protocol !== 'https:' && parsed.protocol !== 'http:')) return null;
  return parsed.href.replace(/[<>|()[\]"'`\\*]/g, (found) => `%${found.charCodeAt(0).toString(16).toUpperCase()}`);
}
