const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * Parses JSON of hostile origin that is bounded in size already. Deep nesting costs far more memory than it has bytes, so its depth is
 * looked at before anything is built.
 * @throws SyntaxError, for bytes that are no UTF-8 too
 */
export function parseBoundedJson(bytes: Uint8Array, maxDepth: number): unknown {
  if (isDeeper(bytes, maxDepth)) throw new SyntaxError(`it nests deeper than ${maxDepth} levels`);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new SyntaxError('it is not valid UTF-8');
  }
  return JSON.parse(text) as unknown;
}

function isDeeper(bytes: Uint8Array, maxDepth: number): boolean {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (inString) {
      if (byte === BACKSLASH) at++;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) inString = true;
    // [ and { differ from ] and } by 2, and from each other by 32.
    else if (byte === 0x5b || byte === 0x7b) {
      if (++depth > maxDepth) return true;
    } else if (byte === 0x5d || byte === 0x7d) depth--;
  }
  return false;
}
