/** Bytes of JSON text and what they mean outside and inside of strings, as tables for the splitter's inner loop. */
export const NEWLINE = 0x0a;
export const QUOTE = 0x22;
export const COMMA = 0x2c;
export const COLON = 0x3a;
export const OPEN_ARRAY = 0x5b;
export const BACKSLASH = 0x5c;
export const CLOSE_ARRAY = 0x5d;
export const OPEN_OBJECT = 0x7b;
export const CLOSE_OBJECT = 0x7d;

/** Kinds of bytes outside of strings. `OTHER`: literals, numbers and whatever does not belong into JSON. */
export const OTHER = 0;
export const SPACE = 1;
export const STRUCTURE = 2;

export const KIND = new Uint8Array(256);
for (const byte of [0x20, 0x09, 0x0d, NEWLINE]) KIND[byte] = SPACE;
for (const character of '{}[],:"') KIND[character.charCodeAt(0)] = STRUCTURE;

/** 1 for bytes that just go on inside a string. A line end never stands in a JSON string, so it shows that one was left open. */
export const PLAIN = new Uint8Array(256).fill(1);
for (const byte of [QUOTE, BACKSLASH, NEWLINE]) PLAIN[byte] = 0;

export function isSpace(byte: number | undefined): boolean {
  return byte !== undefined && KIND[byte] === SPACE;
}

/** The bytes without white space at their end. */
export function trimEnd(bytes: Buffer): Buffer {
  let end = bytes.length;
  while (end > 0 && isSpace(bytes[end - 1])) end--;
  return bytes.subarray(0, end);
}

/** A piece of UTF-8 text without the characters that its first and last byte cut in two. */
export function wholeCharacters(bytes: Buffer): Buffer {
  let start = 0;
  while (start < 3 && start < bytes.length && ((bytes[start] as number) & 0xc0) === 0x80) start++;
  for (let back = 1; back <= 3 && bytes.length - back >= start; back++) {
    const byte = bytes[bytes.length - back] as number;
    if ((byte & 0xc0) === 0x80) continue;
    const needs = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return bytes.subarray(start, needs > back ? bytes.length - back : bytes.length);
  }
  return bytes.subarray(start);
}
