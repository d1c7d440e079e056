const NOTHING: Buffer = Buffer.alloc(0);

/** Bytes that arrive in pieces, to be looked at and taken in other portions. */
export class ByteFeed {
  /** Bytes skipped or taken so far. */
  position = 0;
  readonly #chunks: AsyncIterator<Uint8Array>;
  #chunk = NOTHING;
  #done = false;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** Makes sure that there is a byte to be looked at; false at the end. */
  async fill(): Promise<boolean> {
    while (this.#chunk.length === 0 && !this.#done) {
      const { value, done } = await this.#chunks.next();
      if (done === true) this.#done = true;
      else this.#chunk = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    }
    return this.#chunk.length > 0;
  }

  /** What is at hand without waiting. */
  peek(): Buffer {
    return this.#chunk;
  }

  skip(count: number): void {
    this.#chunk = this.#chunk.subarray(count);
    this.position += count;
  }

  /** Exactly `count` bytes, or null when the input ends before. */
  async take(count: number): Promise<Buffer | null> {
    const out = Buffer.alloc(count);
    let length = 0;
    while (length < count) {
      if (!(await this.fill())) return null;
      const copied = this.#chunk.copy(out, length);
      length += copied;
      this.skip(copied);
    }
    return out;
  }

  /** Skips zero bytes; false when nothing comes after them. */
  async skipZeros(): Promise<boolean> {
    while (await this.fill()) {
      let zeros = 0;
      while (zeros < this.#chunk.length && this.#chunk[zeros] === 0) zeros++;
      this.skip(zeros);
      if (this.#chunk.length > 0) return true;
    }
    return false;
  }

  /** Skips up to and including the next zero byte; false when there is none within `limit` bytes. */
  async skipText(limit: number): Promise<boolean> {
    for (let left = limit; left > 0; ) {
      if (!(await this.fill())) return false;
      const zero = this.#chunk.subarray(0, left).indexOf(0);
      if (zero >= 0) {
        this.skip(zero + 1);
        return true;
      }
      const passed = Math.min(left, this.#chunk.length);
      this.skip(passed);
      left -= passed;
    }
    return false;
  }

  /** Lets go of the input. */
  async close(): Promise<void> {
    if (!this.#done) await this.#chunks.return?.();
  }
}
