import { isUtf8 } from 'node:buffer';
import { QUARANTINE_KEEP_BYTES, type QuarantineReason } from '../core/quarantine.ts';
import type { ReadLimits } from './limits.ts';
import { BACKSLASH, CLOSE_ARRAY, COMMA, isSpace, NEWLINE, OPEN_ARRAY, OPEN_OBJECT, QUOTE, trimEnd } from './split/bytes.ts';
import { Output, type Split } from './split/output.ts';
import { firstKey, isLaidOut, nextLine, opensValue, Resync, type Restart } from './split/resync.ts';
import { Span } from './split/span.ts';
import { ValueScanner } from './split/value.ts';
import { Window } from './split/window.ts';

export type { Split } from './split/output.ts';

/** Why an input ended before its end, as the layer below the splitter saw it. */
export interface InputProblem {
  readonly reason: QuarantineReason;
  readonly message: string;
  /** Bytes that show it; may be empty. */
  readonly bytes: Uint8Array;
}

/** Where the splitter stands. */
type Mode =
  | 'top' // between values
  | 'list' // between the elements of an array of records
  | 'value' // inside of an object or array
  | 'mark' // after the first byte of what may be a byte order mark
  | 'line' // in something that is no object or array, or damaged: up to the line's end
  | 'wide' // the same, up to a line that begins with a bracket …
  | 'wide-line' // … at a line's first byte
  | 'item' // in an element that is no object or array
  | 'item-string' // in a string within that …
  | 'item-escape' // … behind a backslash
  | 'resync'; // in a damaged element: up to what looks like the next one

/** So many lines (or elements) of rubbish in a row are quarantined one by one; what follows (a binary file, some other log) as one. */
const RUBBISH_RUNS = 100;

/** Reading again after damage is worth at most this much work, plus four times the input, whatever a hostile input does. */
const REREAD_BYTES = 8 * 1_048_576;

/**
 * Cuts JSON text that arrives in pieces into candidate records, without parsing them: objects one after the other or one
 * a line, arrays of them, `{"Records":[…]}`, `{"Events":[…]}` and `{"logEvents":[…]}`, in any mixture. At most one record is
 * held. The result does not depend on where the input was cut into pushes. Records are views into the pushed bytes, which the
 * caller must leave as they are. A damaged record is quarantined, and reading goes on at the next line or element.
 *
 * One state machine: its parts are in `split/`, and what is left here shares its state.
 */
export class Splitter {
  readonly #limits: Pick<ReadLimits, 'maxRecordBytes' | 'maxDepth'>;
  readonly #window = new Window();
  readonly #output = new Output();
  readonly #value: ValueScanner;
  readonly #resync = new Resync();
  /** What is being read, unless it is a container or between values. */
  readonly #span: Span;

  #mode: Mode = 'top';
  /** An array at the top level is open. */
  #array = false;
  /** An object with a list of records is open … */
  #container = false;
  /** … and we are in that list. */
  #inList = false;
  /** First key of the open list's first record. */
  #usualKey: string | null = null;
  /** The span is known to be no JSON. */
  #damaged = false;
  #rubbish = 0;
  #reread = 0;

  constructor(limits: Pick<ReadLimits, 'maxRecordBytes' | 'maxDepth'>) {
    this.#limits = limits;
    this.#value = new ValueScanner(limits.maxDepth);
    this.#span = new Span(Math.max(limits.maxRecordBytes, QUARANTINE_KEEP_BYTES));
  }

  push(chunk: Uint8Array): Split {
    this.#window.open(chunk);
    this.#scan();
    this.#span.hold(this.#window);
    this.#window.close();
    return this.#output.take();
  }

  /** @param problem why the input ends early; then what is half read is quarantined for that reason */
  end(problem: InputProblem | null = null): Split {
    while (this.#mode === 'value' && this.#span.open && this.#goBack()) this.#scan();
    const { end } = this.#window;
    if (this.#span.open) this.#finishAtEnd(problem, end);
    else if (problem) this.#output.quarantineWhole(problem.reason, problem.message, problem.bytes);
    else if (this.#array || this.#container) {
      const place = { offset: end, length: 0, bytes: new Uint8Array(0) };
      this.#output.quarantine('truncated', 'the input ends inside of a list of records', place);
    }
    return this.#output.take();
  }

  #scan(): void {
    while (!this.#window.done) {
      if (this.#mode === 'value') this.#scanValue();
      else if (this.#mode === 'list') this.#scanList();
      else if (this.#mode === 'top') this.#scanTop();
      else if (this.#mode === 'line') this.#scanLine();
      else if (this.#mode === 'item') this.#scanItem();
      else if (this.#mode === 'resync') this.#scanResync();
      else if (this.#mode === 'mark') this.#scanByteOrderMark();
      else if (this.#mode === 'wide' || this.#mode === 'wide-line') this.#scanWide();
      else this.#scanItemString();
    }
  }

  get #byte(): number {
    return this.#window.chunk[this.#window.at] as number;
  }

  get #inAnyList(): boolean {
    return this.#inList || this.#array;
  }

  #scanTop(): void {
    const byte = this.#byte;
    if (byte === OPEN_OBJECT) return this.#beginValue(true);
    if (byte !== OPEN_ARRAY && !isSpace(byte) && byte !== COMMA) {
      return this.#beginRun(byte === 0xef ? 'mark' : this.#rubbish < RUBBISH_RUNS ? 'line' : 'wide');
    }
    this.#window.at++;
    if (byte !== OPEN_ARRAY) return;
    this.#array = true;
    this.#usualKey = null;
    this.#mode = 'list';
  }

  #scanList(): void {
    const byte = this.#byte;
    if (opensValue(byte)) return this.#beginValue(byte === OPEN_OBJECT && !this.#inList);
    if (byte !== CLOSE_ARRAY && !isSpace(byte) && byte !== COMMA) {
      if (this.#rubbish < RUBBISH_RUNS) return this.#beginRun(byte === QUOTE ? 'item-string' : 'item');
      this.#resync.reset();
      return this.#beginRun('resync', true);
    }
    this.#window.at++;
    if (byte !== CLOSE_ARRAY) return;
    if (this.#inList) {
      // What is left of the container is read, but not kept.
      this.#inList = false;
      this.#value.resume();
      this.#mode = 'value';
    } else {
      this.#array = false;
      this.#mode = 'top';
    }
  }

  #beginRun(mode: Mode, damaged = false): void {
    this.#span.begin(this.#window.offset);
    this.#value.tooDeep = false;
    this.#damaged = damaged;
    this.#mode = mode;
    this.#window.at++;
  }

  #beginValue(watch: boolean): void {
    this.#span.begin(this.#window.offset);
    this.#value.begin(this.#byte, watch);
    this.#damaged = false;
    this.#mode = 'value';
    this.#window.at++;
  }

  #scanValue(): void {
    const outcome = this.#value.scan(this.#window);
    if (outcome === 'closed') {
      if (this.#container && !this.#inList) this.#container = false;
      else this.#finishValue(this.#window.offset);
      this.#mode = this.#inAnyList ? 'list' : 'top';
    } else if (outcome === 'list') {
      this.#span.clear();
      this.#container = true;
      this.#inList = true;
      this.#usualKey = null;
      this.#mode = 'list';
    } else if (outcome === 'fault') {
      this.#recover();
    }
  }

  #finishValue(end: number): void {
    const { start } = this.#span;
    const { maxDepth, maxRecordBytes } = this.#limits;
    if (this.#value.digest) {
      return this.#quarantine('digest-file', `a CloudTrail digest file at byte ${start}, which holds no records`, end);
    }
    if (this.#value.tooDeep) return this.#quarantine('too-deep', `the record at byte ${start} nests deeper than ${maxDepth} levels`, end);
    if (end - start > maxRecordBytes) {
      return this.#quarantine('too-large', `the record at byte ${start} has ${end - start} bytes; the limit is ${maxRecordBytes}`, end);
    }
    const bytes = this.#span.bytes(this.#window, end);
    const valid = (this.#window.clean && start >= this.#window.base) || isUtf8(bytes);
    if (valid) this.#emit(bytes);
    else this.#quarantine('invalid-utf8', `the record at byte ${start} is not valid UTF-8`, end);
  }

  #emit(bytes: Buffer): void {
    this.#output.record(this.#span.start, bytes);
    this.#span.clear();
    this.#rubbish = 0;
    if (this.#usualKey === null && this.#inAnyList) this.#usualKey = firstKey(bytes);
  }

  /** Puts the span aside, up to an offset. */
  #quarantine(reason: QuarantineReason, message: string, end: number): void {
    const offset = this.#span.start;
    this.#output.quarantine(reason, message, { offset, length: end - offset, bytes: this.#span.bytes(this.#window, end) });
    this.#span.clear();
  }

  /** Something stands at the current byte that cannot stand there: a bracket or quote is missing before it, or too many. */
  #recover(): void {
    if (this.#container && !this.#inList) {
      this.#container = false;
      this.#resync.reset();
      return this.#beginRun(this.#array ? 'resync' : 'line', true);
    }
    if (this.#goBack()) return;
    this.#damaged = true;
    const bytes = this.#span.bytes(this.#window, this.#window.offset);
    const laidOut = !this.#value.tooDeep && bytes.length <= this.#limits.maxRecordBytes && isLaidOut(bytes);
    this.#mode = this.#inAnyList ? 'resync' : laidOut ? 'wide' : 'line';
  }

  /** The value turned out to be damaged at the current byte. If another seems to begin before that, goes back to it. */
  #goBack(): boolean {
    const { start } = this.#span;
    const fault = this.#window.offset;
    this.#resync.reset();
    if (this.#value.tooDeep || fault - start > this.#limits.maxRecordBytes || !this.#isWorthReading(fault - start, fault)) return false;
    const bytes = this.#span.bytes(this.#window, fault);
    if (this.#inAnyList) return this.#goBackToElement(bytes, 1, this.#usualKey ?? firstKey(bytes));
    // A bracket that opens the next line may be the very byte that shows the damage.
    const line = nextLine(this.#window.done ? bytes : this.#span.bytes(this.#window, fault + 1));
    if (line < 0) return false;
    this.#goTo(start + line, bytes.subarray(line));
    this.#mode = 'top';
    return true;
  }

  /** Leaves the resync behind the last byte if there is no such element, so that it can go on. */
  #goBackToElement(bytes: Buffer, from: number, usualKey: string | null): boolean {
    for (let at = 0; at < bytes.length; at++) {
      const restart = this.#resync.step(bytes[at] as number, usualKey ?? '');
      const begin = at + 1 - this.#resync.length;
      if (restart === null || begin < from) continue;
      this.#goTo(this.#span.start + begin, bytes.subarray(begin));
      this.#restart(restart);
      return true;
    }
    return false;
  }

  #isWorthReading(length: number, end: number): boolean {
    return this.#reread + length <= REREAD_BYTES + 4 * end;
  }

  /** @param bytes what lies between the offset and the current byte */
  #goTo(offset: number, bytes: Buffer): void {
    this.#reread += bytes.length;
    this.#quarantine('invalid-json', `no JSON value at byte ${this.#span.start}: brackets or quotes do not match`, offset);
    this.#window.rewind(offset, bytes);
  }

  #restart(restart: Restart): void {
    if (restart === 'container') {
      this.#array = false;
      this.#container = false;
      this.#inList = false;
    }
    this.#mode = restart === 'container' ? 'top' : 'list';
  }

  #scanByteOrderMark(): void {
    const read = this.#window.offset - this.#span.start;
    if (this.#byte !== (read === 1 ? 0xbb : 0xbf)) {
      this.#mode = 'line';
      return;
    }
    this.#window.at++;
    if (read === 1) return;
    this.#span.clear();
    this.#mode = 'top';
  }

  #scanLine(): void {
    if (this.#skipTo(NEWLINE)) this.#finishRun('top');
  }

  #scanWide(): void {
    if (this.#mode === 'wide-line' && opensValue(this.#byte)) return this.#finishRun('top');
    this.#mode = this.#skipTo(NEWLINE) ? 'wide-line' : 'wide';
    if (this.#mode === 'wide-line') this.#window.at++;
  }

  #skipTo(byte: number): boolean {
    const { chunk, at } = this.#window;
    const found = chunk.indexOf(byte, at);
    this.#window.at = found < 0 ? chunk.length : found;
    return found >= 0;
  }

  #scanItem(): void {
    for (; !this.#window.done; this.#window.at++) {
      const byte = this.#byte;
      if (byte === COMMA || byte === CLOSE_ARRAY || byte === OPEN_OBJECT) return this.#finishRun('list');
    }
  }

  #scanItemString(): void {
    for (; !this.#window.done && this.#mode !== 'item'; this.#window.at++) {
      const byte = this.#byte;
      if (byte === NEWLINE || (byte === QUOTE && this.#mode === 'item-string')) this.#mode = 'item';
      else this.#mode = byte === BACKSLASH && this.#mode === 'item-string' ? 'item-escape' : 'item-string';
    }
  }

  #scanResync(): void {
    for (; !this.#window.done; this.#window.at++) {
      const restart = this.#resync.step(this.#byte, this.#usualKey);
      if (restart === null) continue;
      const { head } = this.#resync;
      this.#window.at++;
      const offset = this.#window.offset - head.length;
      this.#finishDamaged(offset);
      this.#window.rewind(offset, head);
      return this.#restart(restart);
    }
  }

  /** The run before the current byte is over: a number, word or string is a candidate like any other, all else is quarantined. */
  #finishRun(mode: Mode): void {
    const { start } = this.#span;
    const end = this.#window.offset;
    const bytes = this.#span.bytes(this.#window, end);
    this.#mode = mode;
    const isText = end - start <= this.#limits.maxRecordBytes && isUtf8(bytes) && !this.#damaged;
    if (isText && isJson(bytes)) return this.#emit(trimEnd(bytes));
    if (isText && mode === 'list' && this.#isWorthReading(bytes.length, end)) {
      // A string that was left open may have swallowed the beginning of a record.
      this.#resync.reset();
      if (this.#goBackToElement(bytes, 0, this.#usualKey)) return;
    }
    this.#finishDamaged(end);
    this.#rubbish++;
  }

  #finishDamaged(end: number): void {
    const { start } = this.#span;
    const bytes = this.#span.bytes(this.#window, end);
    if (this.#value.tooDeep) {
      this.#quarantine('too-deep', `what stands at byte ${start} nests deeper than ${this.#limits.maxDepth} levels`, end);
    } else if (end - start > this.#limits.maxRecordBytes) {
      const reason = this.#damaged || bytes[0] === QUOTE ? 'too-large' : 'invalid-json';
      this.#quarantine(reason, `${end - start} bytes at byte ${start} without a record in them`, end);
    } else if (isUtf8(bytes)) {
      this.#quarantine('invalid-json', `no JSON value at byte ${start}`, end);
    } else {
      this.#quarantine('invalid-utf8', `what stands at byte ${start} is not valid UTF-8`, end);
    }
  }

  #finishAtEnd(problem: InputProblem | null, end: number): void {
    const { start } = this.#span;
    if (problem) return this.#quarantine(problem.reason, `${problem.message}; the record at byte ${start} is cut off`, end);
    if (this.#mode !== 'value') return this.#finishRun('top');
    if (this.#value.tooDeep || end - start > this.#limits.maxRecordBytes) return this.#finishValue(end);
    this.#quarantine('truncated', `the input ends inside of the record that begins at byte ${start}`, end);
  }
}

function isJson(bytes: Buffer): boolean {
  try {
    JSON.parse(bytes.toString());
    return true;
  } catch {
    return false;
  }
}
