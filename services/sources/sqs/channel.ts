/** Values on their way from several writers to one reader; a writer waits while the reader is behind. */
export class Channel<T> {
  readonly #capacity: number;
  readonly #values: T[] = [];
  readonly #writers: (() => void)[] = [];
  #reader: () => void = () => {};
  #ended = false;
  #error: Error | null = null;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Resolves when there is room again; false when the channel has ended and the value was not taken. */
  async put(value: T): Promise<boolean> {
    if (this.#ended) return false;
    this.#values.push(value);
    this.#reader();
    await this.room();
    return true;
  }

  /** Resolves when fewer values wait than may wait, or nobody reads any more. */
  async room(): Promise<void> {
    while (this.#values.length >= this.#capacity && !this.#ended) await new Promise<void>((resolve) => this.#writers.push(resolve));
  }

  /** No more values; those that wait are still read. With an error, the reader gets it after them. */
  end(error: Error | null = null): void {
    this.#ended = true;
    this.#error ??= error;
    this.#reader();
    for (const writer of this.#writers.splice(0)) writer();
  }

  /** Ends the channel and hands back what nobody has read. */
  close(): T[] {
    this.end();
    return this.#values.splice(0);
  }

  async *read(): AsyncGenerator<T> {
    for (;;) {
      const [value] = this.#values.splice(0, 1);
      if (value !== undefined) {
        for (const writer of this.#writers.splice(0)) writer();
        yield value;
      } else if (this.#error) throw this.#error;
      else if (this.#ended) return;
      else await new Promise<void>((resolve) => (this.#reader = resolve));
    }
  }
}
