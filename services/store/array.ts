/**
 * Postgres array literals for `unnest`. The driver's own array encoding costs more than the rest of an insert, because it
 * quotes every element; ids, numbers and uuids need no quoting.
 */

/** For values that hold no comma, brace, quote, backslash or space: numbers, uuids. Null becomes NULL. */
export function plainArray(values: readonly (number | string | null)[]): string {
  let out = '{';
  for (let i = 0; i < values.length; i++) {
    if (i > 0) out += ',';
    const value = values[i];
    out += value === null ? 'NULL' : value;
  }
  return `${out}}`;
}

/** For any text. U+0000, which Postgres cannot store, becomes U+FFFD; lone surrogates too. */
export function textArray(values: readonly (string | null)[]): string {
  return `{${values.map((value) => (value === null ? 'NULL' : quote(value))).join(',')}}`;
}

/** For JSON texts that go into `jsonb`, which refuses escaped NULs and lone surrogates. */
export function jsonArray(values: readonly (object | null)[]): string {
  return `{${values.map((value) => (value === null ? 'NULL' : quote(storableJson(value)))).join(',')}}`;
}

/** JSON text that `jsonb` accepts. */
export function storableJson(value: unknown): string {
  return JSON.stringify(value).replace(/(\\\\)|\\u(?:0000|d[89a-f][0-9a-f]{2})/gi, (found, escapedBackslash) =>
    escapedBackslash ? found : '\\ufffd',
  );
}

/** Text that a `text` column accepts and gives back unchanged. */
export function storableText(value: string): string {
  const text = value.isWellFormed() ? value : value.toWellFormed();
  return text.includes('\0') ? text.replaceAll('\0', '\uFFFD') : text;
}

function quote(value: string): string {
  return `"${storableText(value).replace(/["\\]/g, '\\$&')}"`;
}
