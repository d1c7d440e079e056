import { clean, IDENTIFIER_LIMIT, NAME_LIMIT, TEXT_LIMIT } from './text.ts';

/** An object that `JSON.parse` made. It never has a foreign prototype, so reading a fixed field name is safe. */
export type Raw = { readonly [field: string]: unknown };

/**
 * Paths of fields whose type was wrong and which were given up. A reader takes the value, the path by which a lost field is
 * counted, and this list; absent and null are no loss.
 */
export type Lost = string[];

export function isObject(value: unknown): value is Raw {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function readObject(value: unknown, path: string, lost: Lost): Raw | null {
  if (value === undefined || value === null) return null;
  if (isObject(value)) return value;
  lose(path, lost);
  return null;
}

export function readArray(value: unknown, path: string, lost: Lost): readonly unknown[] {
  if (value === undefined || value === null) return NONE;
  if (Array.isArray(value)) return value;
  lose(path, lost);
  return NONE;
}

/** A text for people, at most 1,024 units; empty counts as absent. */
export function readText(value: unknown, path: string, lost: Lost): string | null {
  return typeof value === 'string' ? (value === '' ? null : clean(value, TEXT_LIMIT)) : loseUnlessAbsent(value, path, lost);
}

/** A name, at most 512 units; empty counts as absent. */
export function readName(value: unknown, path: string, lost: Lost): string | null {
  return typeof value === 'string' ? (value === '' ? null : clean(value, NAME_LIMIT)) : loseUnlessAbsent(value, path, lost);
}

/** An ARN or another identifier, at most 800 units; empty counts as absent. */
export function readIdentifier(value: unknown, path: string, lost: Lost): string | null {
  return typeof value === 'string' ? (value === '' ? null : clean(value, IDENTIFIER_LIMIT)) : loseUnlessAbsent(value, path, lost);
}

/** True and false, also as the words (LookupEvents, CloudTrail Lake and `sessionContext.attributes` write them so). */
export function readBoolean(value: unknown, path: string, lost: Lost): boolean | null {
  if (value === true || value === 'true') return true;
  if (value === false || value === 'false') return false;
  return loseUnlessAbsent(value, path, lost);
}

/** A safe integer, also written as digits. */
export function readInteger(value: unknown, path: string, lost: Lost): number | null {
  const number = typeof value === 'string' && /^-?\d{1,16}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) ? number : loseUnlessAbsent(value, path, lost);
}

/**
 * An account id. Open text, because samples and tests carry others than 12 digits, but nothing that would break out of an ARN.
 * A number has lost its leading zeros and gets them back.
 */
export function readAccount(value: unknown, path: string, lost: Lost): string | null {
  if (typeof value === 'string') {
    if (value === '') return null;
    if (/^[^\s:/\u0000\ud800-\udfff]{1,64}$/.test(value)) return value;
  } else if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0 && value < 1e12) {
    return String(value).padStart(12, '0');
  }
  return loseUnlessAbsent(value, path, lost);
}

export function lose(path: string, lost: Lost): void {
  if (!lost.includes(path)) lost.push(path);
}

const NONE: readonly unknown[] = Object.freeze([]);

function loseUnlessAbsent(value: unknown, path: string, lost: Lost): null {
  if (value !== undefined && value !== null) lose(path, lost);
  return null;
}
