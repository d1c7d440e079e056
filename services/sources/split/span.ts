import type { Window } from './window.ts';

const FIRST_ROOM = 16_384;

/** The value that is being read: where it began, and its bytes as far as they lie in earlier pushes, up to a cap. */
export class Span {
  /** Offset of the first byte within the input; -1 while there is none. */
  start = -1;
  readonly #cap: number;
  #held: Buffer = Buffer.alloc(0);
  #length = 0;

  constructor(cap: number) {
    this.#cap = cap;
  }

  get open(): boolean {
    return this.start >= 0;
  }

  begin(offset: number): void {
    this.start = offset;
    this.#length = 0;
  }

  clear(): void {
    this.begin(-1);
  }

  /** Keeps what a push that ends here has of the value. */
  hold({ chunk, base }: Window): void {
    const from = Math.max(this.start - base, 0);
    const length = Math.min(chunk.length - from, this.#cap - this.#length);
    if (!this.open || length <= 0) return;
    if (this.#length + length > this.#held.length) {
      const room = Math.min(Math.max(FIRST_ROOM, 2 * (this.#length + length)), this.#cap);
      const held = Buffer.allocUnsafe(room);
      this.#held.copy(held, 0, 0, this.#length);
      this.#held = held;
    }
    chunk.copy(this.#held, this.#length, from, from + length);
    this.#length += length;
  }

  /** The bytes from the start up to offset `end`, at most the cap: a view into the window when they lie in it, else a copy. */
  bytes({ chunk, base }: Window, end: number): Buffer {
    const length = Math.min(end - this.start, this.#cap);
    const from = this.start - base;
    if (from >= 0) return chunk.subarray(from, from + length);
    const out = Buffer.allocUnsafe(length);
    const held = this.#held.copy(out, 0, 0, Math.min(this.#length, length));
    chunk.copy(out, held, 0, length - held);
    return out;
  }
}
