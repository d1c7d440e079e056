/** From a message to the deliveries of the objects that it names. */
import { cutIntoChunks } from '../chunks.ts';
import type { Delivery } from '../contract.ts';
import type { ReadLimits } from '../limits.ts';
import { type Claim, type DeliverContext, type OnQueueEvent, type Part, Poison, quarantineDelivery } from '../sqs.ts';
import type { Buckets } from './buckets.ts';
import { parseEnvelope } from './envelope.ts';
import { type TrailObject, toLocator } from './locator.ts';
import { classifyKey, holdsRecords } from './object-key.ts';
import { headObject, ObjectGone, readObject, readTail } from './read-object.ts';

export interface DeliverOptions {
  readonly buckets: Buckets;
  readonly limits: ReadLimits;
  /** By queue; a queue that is not in it may name any bucket. */
  readonly allowed: ReadonlyMap<string, ReadonlySet<string>>;
  readonly quarantineAfter: number;
  readonly onEvent: OnQueueEvent;
}

/** A gzip file of this size may inflate far; below it, none of CloudTrail's does. */
const SURELY_SMALL_BYTES = 1_048_576;

export class Deliverer {
  readonly #options: DeliverOptions;
  readonly #poison: Poison;
  /** One large object is streamed at a time. */
  #streaming: Promise<void> = Promise.resolve();

  constructor(options: DeliverOptions) {
    this.#options = options;
    this.#poison = new Poison({ source: 's3-trail', quarantineAfter: options.quarantineAfter, onEvent: options.onEvent });
  }

  async deliver(claims: readonly Claim[], context: DeliverContext): Promise<void> {
    await Promise.all(claims.map((claim) => this.#deliverOne(claim, context)));
  }

  async #deliverOne(claim: Claim, context: DeliverContext): Promise<void> {
    if (context.signal.aborted) return await claim.giveBack();
    if (await this.#poison.takes(claim, context)) return;
    const envelope = parseEnvelope(claim.body);
    for (const why of envelope.ignored) this.#tellIgnored(context, why);
    if (envelope.problem !== null) await this.#poison.putAside(claim, context, { reason: 'not-a-record', message: envelope.problem });
    let failure: string | null = null;
    for (const reference of envelope.objects) {
      try {
        await this.#deliverObject({ ...reference, queue: context.queue }, claim, context);
      } catch (error) {
        // The other objects of the message are not kept waiting for this one.
        failure ??= error instanceof Error ? error.message : String(error);
      }
    }
    if (failure === null) await claim.finish();
    else await claim.fail(failure);
  }

  async #deliverObject(object: TrailObject, claim: Claim, context: DeliverContext): Promise<void> {
    const { kind } = classifyKey(object.key);
    if (!holdsRecords(kind)) return this.#tellIgnored(context, kind);
    const allowed = this.#options.allowed.get(context.queue);
    if (allowed && !allowed.has(object.bucket)) {
      const message = `the message names the bucket ${object.bucket}, which is none of those that this queue may name`;
      return await this.#poison.putAside(claim, context, { reason: 'unreadable', message });
    }
    const sized = await this.#sized(object);
    if ('gone' in sized) return await this.#offer(gone(object, sized.gone, claim.part()), context);
    const whole = await this.#isReadWhole(sized);
    if (whole) return await this.#offer(delivery(sized, claim.part()), context);
    await this.#stream(sized, claim, context);
  }

  /** CloudTrail's own messages do not tell sizes. */
  async #sized(object: TrailObject): Promise<(TrailObject & { readonly size: number }) | { readonly gone: string }> {
    if (object.size !== null) return { ...object, size: object.size };
    const told = await headObject(this.#options.buckets, object);
    return 'gone' in told ? told : { ...object, size: told.size, etag: told.etag };
  }

  /**
   * Whether a worker may read the object into memory. The last four bytes of a gzip file say what its last member inflates to; only where
   * it is large enough for the answer to matter, they are asked for. Logs shrink eight times and more: where they say less, there are
   * more members, and it is streamed. A file that lies about it meets the worker's own limit.
   */
  async #isReadWhole(object: TrailObject & { readonly size: number }): Promise<boolean> {
    const { limits, buckets } = this.#options;
    if (object.size <= SURELY_SMALL_BYTES) return true;
    if (object.size > limits.wholeGzipBytes) return false;
    const tail = await readTail(buckets, object, 4);
    // The worker finds out the same, and puts it aside.
    if ('gone' in tail) return true;
    const inflated = tail.length < 4 ? 0 : tail.readUInt32LE(0);
    return inflated >= object.size * 4 && inflated <= limits.wholeInflatedBytes;
  }

  /** Chunk by chunk, each a delivery of its own: in memory there are never more than a few. */
  async #stream(object: TrailObject, claim: Claim, context: DeliverContext): Promise<void> {
    const before = this.#streaming;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#streaming = promise;
    await before;
    try {
      const bytes = untilAborted(readObject(this.#options.buckets, object), context.signal);
      for await (const { locator, payload, quarantined } of cutIntoChunks(toLocator(object), bytes, this.#options.limits)) {
        if (context.signal.aborted) return await this.#cutShort(claim);
        const part = claim.part();
        await this.#offer({ part, delivery: { ...delivery(object, part).delivery, locator, payload, quarantined } }, context);
      }
      if (context.signal.aborted) await this.#cutShort(claim);
    } catch (error) {
      if (!(error instanceof ObjectGone)) throw error;
      await this.#offer(gone(object, error.message, claim.part()), context);
    } finally {
      resolve();
    }
  }

  /** What was not read must not count as done. */
  async #cutShort(claim: Claim): Promise<void> {
    await claim.part().giveBack();
  }

  async #offer({ delivery: offered, part }: Offered, context: DeliverContext): Promise<void> {
    await context.put({ delivery: offered, giveBack: () => part.giveBack() });
  }

  #tellIgnored({ queue }: DeliverContext, why: string): void {
    this.#options.onEvent(queue, { kind: 'ignored', why });
  }
}

interface Offered {
  readonly delivery: Delivery;
  readonly part: Part;
}

function delivery(object: TrailObject, part: Part): Offered {
  return {
    part,
    delivery: {
      source: 's3-trail',
      locator: toLocator(object),
      payload: null,
      quarantined: [],
      checkpoint: null,
      ack: () => part.ack(),
      nack: (reason) => part.nack(reason),
    },
  };
}

function gone(object: TrailObject, message: string, part: Part): Offered {
  const bytes = new Uint8Array(0);
  return {
    part,
    delivery: quarantineDelivery({ source: 's3-trail', locator: toLocator(object), reason: 'unreadable', message, bytes }, part),
  };
}

async function* untilAborted(pieces: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) {
    if (signal.aborted) return;
    yield piece;
  }
}
