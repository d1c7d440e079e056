import { monotonicMs, sleep } from '../../platform/clock.ts';

/** The longest that throttling stretches the time between two requests. */
const SLOWEST_MS = 1_000;
/** What each throttled request does to it, and each answer: together they settle where about a fifth of the requests is throttled. */
const SLOWER = 1.5;
const FASTER = 0.9;

/**
 * Spaces requests evenly, so that no second holds more of them than are allowed; slower for a while after KMS has throttled, for its
 * quotas are shared with everybody else in the account. https://docs.aws.amazon.com/kms/latest/developerguide/requests-per-second.html
 */
export class Pacer {
  readonly #leastMs: number;
  #intervalMs: number;
  #next = 0;

  constructor(requestsPerSecond: number) {
    this.#leastMs = 1000 / requestsPerSecond;
    this.#intervalMs = this.#leastMs;
  }

  /** Waits until a request may be made; an abort ends the wait early. */
  async turn(signal: AbortSignal): Promise<void> {
    const now = monotonicMs();
    const at = Math.max(this.#next, now);
    this.#next = at + this.#intervalMs;
    if (at > now) await sleep(at - now, signal);
  }

  throttled(): void {
    this.#intervalMs = Math.min(this.#intervalMs * SLOWER, SLOWEST_MS);
  }

  answered(): void {
    this.#intervalMs = Math.max(this.#intervalMs * FASTER, this.#leastMs);
  }
}
