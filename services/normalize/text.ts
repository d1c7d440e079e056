/**
 * Longest texts that are taken over from a record, in UTF-16 units. Identifiers land in columns with a unique index, and a
 * Postgres index entry holds 2,704 bytes: 800 units are at most 2,400 bytes of UTF-8. AWS's own limits are far lower.
 */
export const IDENTIFIER_LIMIT = 800;
export const NAME_LIMIT = 512;
export const TEXT_LIMIT = 1024;

/**
 * The text as it may be stored: cut to `limit`, U+0000 and lone surrogates (which Postgres refuses in text and jsonb)
 * replaced by U+FFFD.
 */
export function clean(text: string, limit: number): string {
  const short = text.length > limit ? text.slice(0, limit) : text;
  if (!short.includes('\u0000') && short.isWellFormed()) return short;
  return short.replaceAll('\u0000', '\uFFFD').toWellFormed();
}
