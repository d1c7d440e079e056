import { BACKSLASH, COLON, COMMA, isSpace, NEWLINE, OPEN_ARRAY, OPEN_OBJECT, QUOTE } from './bytes.ts';
import { keyMeaning } from './keys.ts';

/** What begins at the object found: the next element of the list, or a value of its own (the list was never closed). */
export type Restart = 'element' | 'container';

const LONGEST_HEAD = 128;

/** What CloudTrail and LookupEvents write first in a record. */
const FIRST_KEYS = new Set(['eventVersion', 'EventId']);

/** After these an object belongs to the value that it stands in; 0 = nothing seen yet. */
const EXPECTS_MORE = new Set([0, COLON, OPEN_ARRAY, OPEN_OBJECT]);

/**
 * Looks for the place where reading can go on after a damaged element of a list. Strings cannot be told apart there (one may have
 * been left open), and a record holds lists of objects itself; so an object is taken for a record only if it begins with the key that
 * the list's records begin with.
 */
export class Resync {
  readonly #head = Buffer.allocUnsafe(LONGEST_HEAD);
  /** Bytes in `#head`: of an object that may be a record; 0 = there is none. */
  #length = 0;
  #keyFrom = 0;
  #afterComma = false;
  #last = 0;
  #significant = 0;

  reset(): void {
    this.#length = 0;
    this.#last = 0;
    this.#significant = 0;
  }

  /** After a restart was found: how many bytes back the object begins. */
  get length(): number {
    return this.#length;
  }

  /** After a restart was found: the object's bytes from its bracket up to the last byte stepped over. */
  get head(): Buffer {
    return Buffer.from(this.#head.subarray(0, this.#length));
  }

  /** @param usualKey the first key of the list's records; null = not known, then any object after a comma will do; '' = none will */
  step(byte: number, usualKey: string | null): Restart | null {
    const restart = this.#length > 0 ? this.#stepHead(byte, usualKey) : null;
    if (restart) return restart;
    if (byte === OPEN_OBJECT && (this.#last === NEWLINE || !EXPECTS_MORE.has(this.#significant))) {
      this.#afterComma = this.#significant === COMMA;
      this.#head[0] = byte;
      this.#length = 1;
      this.#keyFrom = 0;
    }
    this.#last = byte;
    if (!isSpace(byte)) this.#significant = byte;
    return null;
  }

  #stepHead(byte: number, usualKey: string | null): Restart | null {
    this.#head[this.#length++] = byte;
    const inKey = this.#keyFrom > 0;
    if (inKey && byte === QUOTE) {
      const restart = this.#judge(this.#head.toString('latin1', this.#keyFrom, this.#length - 1), usualKey);
      if (!restart) this.#length = 0;
      return restart;
    }
    if (byte === QUOTE) this.#keyFrom = this.#length;
    const goesOn = inKey ? byte !== BACKSLASH : byte === QUOTE || isSpace(byte);
    if (!goesOn || this.#length === LONGEST_HEAD) this.#length = 0;
    return null;
  }

  #judge(key: string, usualKey: string | null): Restart | null {
    if (FIRST_KEYS.has(key) || key === usualKey) return 'element';
    // `Events` and the like also occur in lists within records
    if (keyMeaning(key) === 'list' && (!this.#afterComma || key === 'Records')) return 'container';
    return usualKey === null && this.#afterComma ? 'element' : null;
  }
}

/** The first key of an object as written, or null when it is not there in full (or absurdly long). */
export function firstKey(bytes: Buffer): string | null {
  if (bytes[0] !== OPEN_OBJECT) return null;
  let at = 1;
  while (at < LONGEST_HEAD && isSpace(bytes[at])) at++;
  if (bytes[at] !== QUOTE) return null;
  const end = bytes.subarray(0, LONGEST_HEAD).indexOf(QUOTE, at + 1);
  return end < 0 ? null : bytes.toString('latin1', at + 1, end);
}

/**
 * Where to go on after a damaged value at the top level: the end of its first line; for a value laid out over many lines (nothing but the
 * bracket on the first) the next line that begins with a bracket. -1 when that is not among the bytes.
 */
export function nextLine(bytes: Buffer): number {
  const newline = bytes.indexOf(NEWLINE);
  if (newline < 0 || !isLaidOut(bytes)) return newline;
  for (let at = newline; at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) {
    if (opensValue(bytes[at + 1])) return at;
  }
  return -1;
}

/** The value's first line is nothing but its opening bracket. */
export function isLaidOut(bytes: Buffer): boolean {
  const newline = bytes.indexOf(NEWLINE);
  if (newline < 0) return false;
  for (let at = 1; at < newline; at++) if (!isSpace(bytes[at])) return false;
  return true;
}

export function opensValue(byte: number | undefined): boolean {
  return byte === OPEN_OBJECT || byte === OPEN_ARRAY;
}
