import type { QuarantineReason } from '../../core/quarantine.ts';
import type { SourceName } from '../contract.ts';
import type { Claim } from './claim.ts';
import type { OnQueueEvent } from './events.ts';
import { quarantineDelivery } from './quarantine.ts';
import type { DeliverContext } from './run.ts';

export interface PoisonOptions {
  readonly source: SourceName;
  readonly quarantineAfter: number;
  readonly onEvent: OnQueueEvent;
}

/** Message ids that are remembered as kept. */
const REMEMBERED = 10_000;

/** Messages that lead to nothing: kept in quarantine, so that a person can look at them. */
export class Poison {
  readonly #options: PoisonOptions;
  /** Insertion-ordered, oldest first. */
  readonly #kept = new Set<string>();

  constructor(options: PoisonOptions) {
    this.#options = options;
  }

  /**
   * Settles a message that was received too often: it is kept once, and left to the dead-letter policy of its queue.
   * @param failure why it failed last, where that is known
   */
  async takes(claim: Claim, context: DeliverContext, failure?: string): Promise<boolean> {
    if (claim.receives < this.#options.quarantineAfter) return false;
    const why = failure === undefined ? '' : `: ${failure}`;
    const message = `the message was received ${this.#options.quarantineAfter} times without success and is left to the queue${why}`;
    if (!this.#kept.has(claim.id)) {
      this.#remember(claim.id);
      await this.putAside(claim, context, { reason: 'unreadable', message });
    }
    await claim.fail(message);
    return true;
  }

  /** Delivers the message as something that could not be turned into records. */
  async putAside(claim: Claim, { queue, put }: DeliverContext, why: { reason: QuarantineReason; message: string }): Promise<void> {
    this.#options.onEvent(queue, { kind: 'quarantined', id: claim.id, reason: why.message });
    const part = claim.part();
    const input = { source: this.#options.source, locator: { queue, message: claim.id }, bytes: Buffer.from(claim.body), ...why };
    await put({ delivery: quarantineDelivery(input, part), giveBack: () => part.giveBack() });
  }

  #remember(id: string): void {
    this.#kept.add(id);
    const [oldest] = this.#kept;
    if (this.#kept.size > REMEMBERED && oldest !== undefined) this.#kept.delete(oldest);
  }
}
