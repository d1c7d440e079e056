/** A message as it was received. */
export interface Received {
  readonly id: string;
  readonly body: string;
  /** Names this receipt; the next receipt of the same message has another one. */
  readonly handle: string;
  /** How often it was received, this time included. */
  readonly receives: number;
}

export interface Part {
  ack(): Promise<void>;
  nack(reason: string): Promise<void>;
  /** It is not going to be delivered: the message may be received by others at once. */
  giveBack(): Promise<void>;
}

/** How a claim ended. `done` = delete the message; else it stays in the queue. */
export type Settlement = { readonly done: true } | { readonly done: false; readonly reason: string; readonly atOnce: boolean };

/**
 * A message that is being worked on. What it stands for is delivered in parts (the objects that it names, their chunks); it is
 * settled when the last part is, and no more will come.
 */
export class Claim {
  readonly id: string;
  readonly body: string;
  handle: string;
  receives: number;
  /** When the message was last made invisible for others, monotonic milliseconds. */
  hiddenAt: number;
  /** SQS did not know our receipt any more: somebody else may have the message. */
  isLost = false;
  readonly #onSettled: (claim: Claim, settlement: Settlement) => Promise<void>;
  /** One for the producer of parts. */
  #open = 1;
  #failure: string | null = null;
  #atOnce = false;

  constructor(received: Received, hiddenAt: number, onSettled: (claim: Claim, settlement: Settlement) => Promise<void>) {
    this.id = received.id;
    this.body = received.body;
    this.handle = received.handle;
    this.receives = received.receives;
    this.hiddenAt = hiddenAt;
    this.#onSettled = onSettled;
  }

  /** The same message came again while we work on it: from now on the new receipt counts. */
  renew({ handle, receives }: Received, hiddenAt: number): void {
    this.handle = handle;
    this.receives = receives;
    this.hiddenAt = hiddenAt;
    this.isLost = false;
  }

  part(): Part {
    this.#open += 1;
    let isOpen = true;
    const close = async (): Promise<void> => {
      if (!isOpen) return;
      isOpen = false;
      await this.#close();
    };
    return {
      ack: close,
      nack: async (reason) => {
        this.#failure ??= reason;
        await close();
      },
      giveBack: async () => {
        this.#markGivenBack();
        await close();
      },
    };
  }

  /** All parts have been made. */
  async finish(): Promise<void> {
    await this.#close();
  }

  /** Not all parts could be made, so the message is to come again; the parts that were made go on. */
  async fail(reason: string): Promise<void> {
    this.#failure ??= reason;
    await this.#close();
  }

  /** We will not work on it: others may have it as soon as the parts that were made are settled. */
  async giveBack(): Promise<void> {
    this.#markGivenBack();
    await this.#close();
  }

  #markGivenBack(): void {
    this.#atOnce ||= this.#failure === null;
    this.#failure ??= 'the process stops';
  }

  async #close(): Promise<void> {
    this.#open -= 1;
    if (this.#open > 0) return;
    const reason = this.#failure;
    await this.#onSettled(this, reason === null ? { done: true } : { done: false, reason, atOnce: this.#atOnce });
  }
}
