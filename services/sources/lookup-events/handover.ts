/**
 * Where many producers hand things to one consumer, one at a time: `put` returns when the thing was taken, so producers are no faster
 * than the consumer.
 */
export class Handover<T> {
  readonly #waiting: { readonly item: T; readonly taken: () => void }[] = [];
  #wake: () => void = () => undefined;

  /** Returns early, the item not taken, when the signal aborts. */
  async put(item: T, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    await new Promise<void>((resolve) => {
      const abandon = (): void => {
        const at = this.#waiting.indexOf(entry);
        if (at >= 0) this.#waiting.splice(at, 1);
        resolve();
      };
      const entry = {
        item,
        taken: (): void => {
          signal.removeEventListener('abort', abandon);
          resolve();
        },
      };
      signal.addEventListener('abort', abandon, { once: true });
      this.#waiting.push(entry);
      this.#wake();
    });
  }

  /** Ends when the signal aborts. */
  async *take(signal: AbortSignal): AsyncGenerator<T, void, undefined> {
    while (!signal.aborted) {
      const entry = this.#waiting.shift();
      if (entry) {
        entry.taken();
        yield entry.item;
        continue;
      }
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          signal.removeEventListener('abort', wake);
          resolve();
        };
        this.#wake = wake;
        signal.addEventListener('abort', wake, { once: true });
      });
    }
  }
}
