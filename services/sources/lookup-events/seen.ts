import { hash } from 'node:crypto';

/**
 * Records that were stored through this process lately, so that the overlap of windows is not stored as observations again and again.
 * Knows them by a digest of their text: the same event told differently is not the same. Forgetting one does no harm, the
 * database knows it.
 */
export class Seen {
  readonly #limit: number;
  /** Event time by digest, in the order in which they came. */
  readonly #times = new Map<string, number>();
  #overflowed = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** False once records were forgotten for want of room: then what is not known need not be new. */
  get isComplete(): boolean {
    return !this.#overflowed;
  }

  has(digest: string): boolean {
    return this.#times.has(digest);
  }

  add(digest: string, time: number): void {
    this.#times.set(digest, time);
    if (this.#times.size <= this.#limit) return;
    this.#overflowed = true;
    for (const oldest of this.#times.keys()) {
      this.#times.delete(oldest);
      break;
    }
  }

  forgetBefore(time: number): void {
    for (const [digest, at] of this.#times) if (at < time) this.#times.delete(digest);
  }
}

/** 128 bits are enough for what is never to be mistaken for another. */
export function digestOf(record: string): string {
  return hash('sha256', record, 'base64url').slice(0, 22);
}
