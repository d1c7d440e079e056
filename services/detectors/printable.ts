import type { Json, JsonObject } from '../core/json.ts';

const DEPTH_LIMIT = 12;

/**
 * One line of text that every terminal, log and `jsonb` column can bear: control characters, line separators and characters
 * that turn the direction of writing become spaces, broken surrogates become U+FFFD. At most `max` characters.
 */
export function printable(text: string, max = 4000): string {
  const line = text
    .slice(0, max + 1)
    .replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, ' ')
    .toWellFormed();
  return line.length > max ? `${line.slice(0, max - 1).toWellFormed()}…` : line;
}

/** The same for every text in a JSON value, names of fields included. What nests deeper than 12 levels becomes null. */
export function printableJson(value: JsonObject): JsonObject {
  return walk(value, 0) as JsonObject;
}

function walk(value: Json | undefined, depth: number): Json | undefined {
  if (typeof value === 'string') return printable(value);
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= DEPTH_LIMIT) return null;
  if (Array.isArray(value)) return (value as readonly Json[]).map((item) => walk(item, depth + 1) ?? null);
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [printable(name, 200), walk(item, depth + 1)]));
}
