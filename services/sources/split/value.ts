import * as b from './bytes.ts';
import { KeyReader } from './keys.ts';
import type { Window } from './window.ts';

// What may come next. Only what shows missing or surplus brackets and quotes is a fault;
// all else is the JSON parser's business, which then costs one record and not its neighbours.
const AFTER = 0;
const VALUE = 1;
const KEY = 2;
const COLON = 3;

const OUTSIDE = 0;
const INSIDE = 1;
const ESCAPED = 2;

/** `list`: the array of a container begins; `fault`: the current byte cannot stand here; `more`: the window is used up. */
export type Outcome = 'more' | 'closed' | 'list' | 'fault';

/** Finds the end of an object or array, over any number of windows. */
export class ValueScanner {
  /** Nested deeper than the limit at some place. */
  tooDeep = false;
  /** One of the top-level keys is that of a digest file. */
  digest = false;
  readonly #maxDepth: number;
  readonly #stack: Uint8Array;
  readonly #key = new KeyReader();
  #depth = 0;
  #next = VALUE;
  #string = OUTSIDE;
  #watch = false;
  #inKey = false;
  #listFollows = false;

  constructor(maxDepth: number) {
    this.#maxDepth = maxDepth;
    this.#stack = new Uint8Array(maxDepth + 1);
  }

  /**
   * Behind the opening bracket of a value.
   *
   * @param watch whether its top-level keys matter: it may be a container or a digest
   */
  begin(bracket: number, watch: boolean): void {
    this.tooDeep = false;
    this.digest = false;
    this.#enter(bracket, watch);
    this.#next = bracket === b.OPEN_OBJECT ? KEY : VALUE;
  }

  /** Behind the list of a container. */
  resume(): void {
    this.#enter(b.OPEN_OBJECT, true);
    this.#next = AFTER;
  }

  #enter(bracket: number, watch: boolean): void {
    this.#stack[1] = bracket;
    this.#depth = 1;
    this.#string = OUTSIDE;
    this.#watch = watch;
    this.#inKey = false;
    this.#listFollows = false;
  }

  /** The inner loop of all reading: about two nanoseconds a byte, hence one function and local variables. */
  scan(window: Window): Outcome {
    const { KIND, PLAIN } = b;
    const { chunk } = window;
    const length = chunk.length;
    const stack = this.#stack;
    const maxDepth = this.#maxDepth;
    const watch = this.#watch;
    let at = window.at;
    let depth = this.#depth;
    let next = this.#next;
    let string = this.#string;
    let keyFrom = 0;
    let outcome: Outcome = 'more';
    while (at < length) {
      if (string === OUTSIDE) {
        const byte = chunk[at] as number;
        const kind = KIND[byte];
        if (kind !== b.STRUCTURE) {
          if (kind === b.OTHER && next === VALUE) next = AFTER;
          do at++;
          while (at < length && KIND[chunk[at] as number] === kind);
          continue;
        }
        if (byte === b.COMMA) {
          next = depth <= maxDepth && stack[depth] === b.OPEN_OBJECT ? KEY : VALUE;
          at++;
          continue;
        }
        if (byte === b.COLON) {
          next = VALUE;
          at++;
          continue;
        }
        if (byte === b.OPEN_OBJECT || byte === b.OPEN_ARRAY) {
          if (next !== VALUE) {
            outcome = 'fault';
            break;
          }
          at++;
          if (byte === b.OPEN_ARRAY && depth === 1 && this.#listFollows) {
            outcome = 'list';
            break;
          }
          depth++;
          if (depth <= maxDepth) stack[depth] = byte;
          else this.tooDeep = true;
          next = byte === b.OPEN_OBJECT ? KEY : VALUE;
          continue;
        }
        if (byte !== b.QUOTE) {
          // `}` is two above `{`, and `]` two above `[`
          if (depth <= maxDepth && stack[depth] !== byte - 2) {
            outcome = 'fault';
            break;
          }
          depth--;
          next = AFTER;
          at++;
          if (depth > 0) continue;
          outcome = 'closed';
          break;
        }
        if (next === VALUE) {
          next = AFTER;
        } else if (next === KEY) {
          next = COLON;
          if (watch && depth === 1) {
            this.#inKey = true;
            this.#key.begin();
            keyFrom = at + 1;
          }
        } else {
          outcome = 'fault';
          break;
        }
        string = INSIDE;
        at++;
      }
      if (string === ESCAPED && at < length) {
        if (chunk[at] !== b.NEWLINE) at++;
        string = INSIDE;
      }
      while (at < length && PLAIN[chunk[at] as number] === 1) at++;
      if (at >= length) break;
      const byte = chunk[at];
      if (byte === b.NEWLINE) {
        outcome = 'fault';
        break;
      }
      if (byte === b.BACKSLASH) {
        string = ESCAPED;
      } else {
        if (this.#inKey) this.#endKey(chunk, keyFrom, at);
        string = OUTSIDE;
      }
      at++;
    }
    window.at = at;
    this.#depth = depth;
    this.#next = next;
    this.#string = string;
    if (this.#inKey && outcome === 'more') this.#key.add(chunk, keyFrom, length);
    return outcome;
  }

  #endKey(chunk: Buffer, from: number, to: number): void {
    this.#key.add(chunk, from, to);
    this.#inKey = false;
    const meaning = this.#key.meaning();
    this.#listFollows = meaning === 'list';
    if (meaning === 'digest') this.digest = true;
  }
}
