import type { Raw } from './fields.ts';

/** From here on, looking through the text is cheaper than walking through what it was parsed to. */
const LARGE = 16_384;

/** Whether a JSON text nests objects and arrays more than `limit` levels deep. `parsed` is what the text was parsed to. */
export function exceedsDepth(text: string, parsed: object, limit: number): boolean {
  return text.length > LARGE ? textExceeds(text, limit) : valueExceeds(parsed, limit);
}

/** Its own recursion ends at the limit too. */
function valueExceeds(value: object, left: number): boolean {
  if (left === 0) return true;
  if (Array.isArray(value)) {
    for (const item of value as readonly unknown[])
      if (typeof item === 'object' && item !== null && valueExceeds(item, left - 1)) return true;
    return false;
  }
  for (const field in value) {
    const member = (value as Raw)[field];
    if (typeof member === 'object' && member !== null && valueExceeds(member, left - 1)) return true;
  }
  return false;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

function textExceeds(text: string, limit: number): boolean {
  let depth = 0;
  let inText = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) inText = !inText;
    else if (inText) {
      if (code === BACKSLASH) at++;
    } else if (code === 0x7b || code === 0x5b) {
      if (++depth > limit) return true;
    } else if (code === 0x7d || code === 0x5d) depth--;
  }
  return false;
}
