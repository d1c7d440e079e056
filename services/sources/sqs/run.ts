import type { Delivery } from '../contract.ts';
import { Channel } from './channel.ts';
import type { Claim } from './claim.ts';
import type { Consumer } from './consumer.ts';

/** A delivery that nobody has taken yet. */
export interface Offer {
  readonly delivery: Delivery;
  /** When nobody will. */
  giveBack(): Promise<void>;
}

/** Makes deliveries of what was received from a queue, and settles every claim. */
export type Deliver = (claims: readonly Claim[], context: DeliverContext) => Promise<void>;

export interface DeliverContext {
  readonly queue: string;
  /** Resolves when there is room for more. What comes after the abort is given back. */
  put(offer: Offer): Promise<void>;
  readonly signal: AbortSignal;
}

/** Deliveries that may wait for the next step; with more of them nothing is received. */
const CAPACITY = 8;

/**
 * Deliveries of several queues, until the signal aborts. What was received and not taken by then is given back. Deliveries may be
 * acknowledged after the end too.
 */
export async function* runQueues(consumers: readonly Consumer[], deliver: Deliver, signal: AbortSignal): AsyncGenerator<Delivery> {
  const channel = new Channel<Offer>(CAPACITY);
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const put = async (offer: Offer): Promise<void> => {
    if (!(await channel.put(offer))) await offer.giveBack();
  };
  const giveBack = (): void => void Promise.all(channel.close().map((offer) => offer.giveBack()));
  either.addEventListener('abort', giveBack, { once: true });
  const running = Promise.all(
    consumers.map((consumer) =>
      consumer.run(
        (claims) => deliver(claims, { queue: consumer.name, put, signal: either }),
        () => channel.room(),
        either,
      ),
    ),
  );
  running.then(
    () => channel.end(),
    (error: Error) => channel.end(error),
  );
  try {
    for await (const { delivery } of channel.read()) yield delivery;
  } finally {
    stop.abort();
    giveBack();
    await running.catch(() => undefined);
  }
}
