/** Longer texts are parsed each time. */
const LONGEST = 512;

/**
 * Remembers what was made of a text. Records repeat the same few principals, keys and addresses, and parsing them again costs more
 * than looking them up. Bounded: it starts anew when full, and long texts (which only a hostile record has) are not kept.
 */
export class TextCache<V> {
  readonly #entries = new Map<string, V>();
  readonly #capacity: number;

  constructor(capacity = 2048) {
    this.#capacity = capacity;
  }

  get(text: string): V | undefined {
    return this.#entries.get(text);
  }

  /** Keeps and returns the value. */
  keep(text: string, value: V): V {
    if (text.length > LONGEST) return value;
    if (this.#entries.size >= this.#capacity) this.#entries.clear();
    this.#entries.set(text, value);
    return value;
  }

  get size(): number {
    return this.#entries.size;
  }
}
