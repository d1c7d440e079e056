import type { Time } from './time.ts';

/** LookupEvents allows two requests a second, account and Region, and this is not adjustable. */
const REQUESTS = 2;
/** A second, and a little for clocks that tick differently. */
const PERIOD_MS = 1_010;
/** Somebody who was making requests beside us may have made one just before they left. */
const LINGER_MS = 2_000;

/**
 * Keeps requests to at most two in any second as the server sees them: a request is made no earlier than a second after the
 * *answer* to the one before the last. Whenever within its round trip the server has counted a request, the one after next
 * arrives more than a second later. For one caller, who makes one request at a time. Where another makes requests beside it, each of
 * them makes one a second.
 */
export class Pacer {
  readonly #time: Time;
  /** When the last requests were answered, oldest first; monotonic milliseconds. */
  #answers: number[] = [];
  #sharedAt = -Infinity;

  constructor(time: Time) {
    this.#time = time;
  }

  /** Waits until a request may be made; an abort ends the wait early. @param isShared another makes requests too */
  async turn(signal: AbortSignal, isShared = false): Promise<void> {
    const now = this.#time.elapsed();
    if (isShared) this.#sharedAt = now;
    const requests = now - this.#sharedAt < LINGER_MS ? 1 : REQUESTS;
    const answered = this.#answers.at(-requests);
    if (answered === undefined) return;
    const wait = answered + PERIOD_MS - now;
    if (wait > 0) await this.#time.sleep(wait, signal);
  }

  /** The answer, or the error that stands for one, has come. */
  answered(): void {
    this.#answers = [...this.#answers, this.#time.elapsed()].slice(-REQUESTS);
  }
}
