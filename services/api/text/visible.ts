/**
 * What records say is shown to people, and records are hostile. Characters that steer a terminal, break a line, hide, or turn the
 * direction of writing are shown as escapes (`\x1b`), never sent: a forged name can neither paint over a line nor look like another.
 */

/** Controls, formats (bidi overrides among them), line and paragraph separators, lone surrogates, private and invisible characters. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Default_Ignorable_Code_Point}]/gu;

/** The text as one printable line of at most `max` characters. */
export function visible(text: string, max = 2000): string {
  const line = text.slice(0, max + 1).replace(HIDDEN, escaped);
  return line.length > max ? `${line.slice(0, max - 1).toWellFormed()}…` : line;
}

/** The same for text that has lines of its own, such as indented JSON: line breaks stay, everything else is escaped. */
export function visibleLines(text: string): string {
  return text
    .split('\n')
    .map((line) => visible(line, Number.MAX_SAFE_INTEGER))
    .join('\n');
}

/** JSON text with the same characters as JSON's own escapes: it means the same, and a terminal can bear it. */
export function visibleJson(json: string): string {
  return json.replace(HIDDEN, (found) => (found === '\n' ? found : jsonEscape(found)));
}

function jsonEscape(found: string): string {
  let escape = '';
  for (let at = 0; at < found.length; at++) escape += `\\u${found.charCodeAt(at).toString(16).padStart(4, '0')}`;
  return escape;
}

function escaped(found: string): string {
  const code = found.codePointAt(0) ?? 0;
  return code <= 0xff ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
}
