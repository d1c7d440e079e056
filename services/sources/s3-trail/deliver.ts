/** From a message to the deliveries of the objects that it names. */
import { cutIntoChunks } from '../chunks.ts';
import type { Delivery } from '../contract.ts';
import type { DeliveredDigest } from '../digest.ts';
import type { ReadLimits } from '../limits.ts';
import { type Claim, type DeliverContext, type OnQueueEvent, type Part, Poison, quarantineDelivery } from '../sqs.ts';
import type { Buckets } from './buckets.ts';
import { parseEnvelope } from './envelope.ts';
import { readDigestObject } from './digest-object.ts';
import { type TrailObject, toLocator } from './locator.ts';
import { denialOf } from './object-failure.ts';
import { classifyKey, holdsRecords } from './object-key.ts';
import { headObject, ObjectGone, readObject } from './read-object.ts';
import { isReadWhole } from './whole.ts';

export interface DeliverOptions {
  readonly buckets: Buckets;
  readonly limits: ReadLimits;
  /** By queue; a queue that is not in it may name any bucket. */
  readonly allowed: ReadonlyMap<string, ReadonlySet<string>>;
  readonly quarantineAfter: number;
  readonly onEvent: OnQueueEvent;
  /** What is done with digests; without it they are passed over. */
  readonly keepDigest?: ((digest: DeliveredDigest) => Promise<void>) | undefined;
}

/** Messages of which it is remembered why they failed last. */
const REMEMBERED = 10_000;

export class Deliverer {
  readonly #options: DeliverOptions;
  readonly #poison: Poison;
  /** Why messages failed last, by message id; insertion-ordered, oldest first. */
  readonly #failures = new Map<string, string>();
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
    if (await this.#poison.takes(claim, context, this.#failures.get(claim.id))) return;
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
    if (failure === null) return await claim.finish();
    this.#remember(claim, failure);
    await claim.fail(failure);
  }

  /** Of the message, whose failure is remembered: when it is given up, the reason is told. */
  #partOf(claim: Claim): Part {
    const part = claim.part();
    const nack = async (reason: string): Promise<void> => {
      this.#remember(claim, reason);
      await part.nack(reason);
    };
    return { ...part, nack };
  }

  #remember({ id }: Claim, failure: string): void {
    this.#failures.delete(id);
    this.#failures.set(id, failure);
    const [oldest] = this.#failures.keys();
    if (this.#failures.size > REMEMBERED && oldest !== undefined) this.#failures.delete(oldest);
  }

  async #deliverObject(object: TrailObject, claim: Claim, context: DeliverContext): Promise<void> {
    const { kind } = classifyKey(object.key);
    const allowed = this.#options.allowed.get(context.queue);
    const isAllowed = !allowed || allowed.has(object.bucket);
    if (!holdsRecords(kind)) {
      if (kind === 'digest' && isAllowed) await this.#keepDigest(object);
      return this.#tellIgnored(context, kind);
    }
    if (!isAllowed) {
      const message = `the message names the bucket ${object.bucket}, which is none of those that this queue may name`;
      return await this.#poison.putAside(claim, context, { reason: 'unreadable', message });
    }
    const sized = await this.#sized(object);
    if ('gone' in sized) return await this.#offer(gone(object, sized.gone, claim.part()), context);
    const whole = await isReadWhole(this.#options.buckets, sized, this.#options.limits);
    if (whole) return await this.#offer(delivery(sized, this.#partOf(claim)), context);
    await this.#stream(sized, claim, context);
  }

  /** A digest that may not be read is no reason to keep its message: the check of the trail tells that. */
  async #keepDigest(object: TrailObject): Promise<void> {
    const { keepDigest, buckets } = this.#options;
    if (!keepDigest) return;
    try {
      const read = await readDigestObject(buckets, object);
      if ('packed' in read) await keepDigest({ ...read, bucket: object.bucket, key: object.key });
    } catch (error) {
      if (denialOf(error) === null) throw error;
    }
  }

  /** CloudTrail's own messages do not tell sizes. */
  async #sized(object: TrailObject): Promise<(TrailObject & { readonly size: number }) | { readonly gone: string }> {
    if (object.size !== null) return { ...object, size: object.size };
    const told = await headObject(this.#options.buckets, object);
    return 'gone' in told ? told : { ...object, size: told.size, etag: told.etag };
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
        const part = this.#partOf(claim);
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
