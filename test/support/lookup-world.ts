/** One account in one Region and a source that polls it, in a time of their own that passes only while somebody sleeps or a request is under way. */
import type { Event } from '@aws-sdk/client-cloudtrail';
import type { Json } from '../../services/core/json.ts';
import { type Aws, AwsFailure } from '../../services/platform/aws.ts';
import type { Leases } from '../../services/platform/leases.ts';
import { createLogger } from '../../services/platform/logger.ts';
import { decodeFrames } from '../../services/core/frames.ts';
import type { Delivery } from '../../services/sources/contract.ts';
import type { Question } from '../../services/sources/lookup-events/api.ts';
import { type LookupEventsConfig, lookupEventsSchema } from '../../services/sources/lookup-events/config.ts';
import { createLookupEventsSource } from '../../services/sources/lookup-events/lookup-events.ts';
import type { LiveContext } from '../../services/sources/live.ts';

export const WORLD_START = Date.UTC(2026, 5, 1);
const PLACE = { account: '111122223333', region: 'eu-west-1' } as const;
export const KMS_CHECKPOINT = `lookup-events/${PLACE.account}/${PLACE.region}/EventSource=kms.amazonaws.com`;

interface Happened {
  readonly id: string;
  readonly time: number;
  readonly availableAt: number;
}

export class LookupWorld {
  now = WORLD_START;
  /** Of one request, milliseconds. */
  latencyMs = 100;
  /** Arrival of each request. */
  readonly requests: { readonly at: number; readonly question: Question }[] = [];
  readonly checkpoints = new Map<string, Json>();
  /** Times each event was delivered, by its id. */
  readonly delivered = new Map<string, number>();
  /** When it was first. */
  readonly deliveredAt = new Map<string, number>();
  readonly log: string[] = [];
  /** Asked for each request; what it returns is thrown. */
  failWith: (question: Question) => AwsFailure | null = () => null;
  /** What becomes of a delivery: its events are stored and acknowledged, unless a test says otherwise. */
  receive: (delivery: Delivery) => Promise<void> = async (delivery) => {
    this.store(delivery);
    await delivery.ack();
  };
  readonly #events: Happened[] = [];
  readonly #logger = createLogger('info', { write: (line: string) => void this.log.push(line) });

  /** @param lateMs how long after its time it can first be looked up */
  happen(id: string, time: number, lateMs = 0): void {
    this.#events.push({ id, time: Math.floor(time / 1000) * 1000, availableAt: time + lateMs });
  }

  /** Lets a source poll until `until`, epoch milliseconds, or until the receiver aborts it. */
  async poll(
    until: number,
    settings: Partial<LookupEventsConfig> = {},
    options: { pagesAtMost?: number; stop?: AbortController } = {},
  ): Promise<void> {
    const stop = options.stop ?? new AbortController();
    const time = {
      now: () => this.now,
      elapsed: () => this.now,
      random: () => 0.5,
      sleep: async (ms: number) => {
        await turn();
        // Time ends there: nobody is woken later.
        this.now = Math.max(this.now, Math.min(this.now + Math.max(ms, 1), until));
        if (this.now >= until) stop.abort();
      },
    };
    const config = lookupEventsSchema.parse({
      accounts: [{ account: PLACE.account, regions: [PLACE.region], role_arn: `arn:aws:iam::${PLACE.account}:role/reader` }],
      ...settings,
    });
    const source = createLookupEventsSource(config, this.#context(), {
      time,
      apiOf: () => ({
        ask: async (question) => {
          const answer = await this.#ask(question);
          if (this.now >= until) stop.abort();
          return answer;
        },
        close: () => undefined,
      }),
      ...(options.pagesAtMost !== undefined && { pagesAtMost: options.pagesAtMost }),
    });
    for await (const delivery of source!.run(stop.signal)) await this.receive(delivery);
  }

  store(delivery: Delivery): void {
    if (delivery.checkpoint) this.checkpoints.set(delivery.checkpoint.name, delivery.checkpoint.value);
    for (const { bytes } of decodeFrames(Buffer.from(delivery.payload ?? []))) {
      const { eventID } = JSON.parse(Buffer.from(bytes).toString()) as { eventID: string };
      this.delivered.set(eventID, (this.delivered.get(eventID) ?? 0) + 1);
      if (!this.deliveredAt.has(eventID)) this.deliveredAt.set(eventID, this.now);
    }
  }

  /** The checkpoint of the filter for KMS. */
  get checkpoint(): Readonly<Record<string, Json>> {
    return this.checkpoints.get(KMS_CHECKPOINT) as Readonly<Record<string, Json>>;
  }

  /** How far it says that everything was read, epoch milliseconds. */
  get highWater(): number {
    const { high_water: text } = this.checkpoint;
    return typeof text === 'string' ? Date.parse(text) : Number.NaN;
  }

  get missing(): string[] {
    return this.#events.map(({ id }) => id).filter((id) => !this.delivered.has(id));
  }

  async #ask(question: Question): Promise<{ events: Event[]; next: string | null }> {
    this.now += this.latencyMs / 2;
    this.requests.push({ at: this.now, question });
    const failure = this.failWith(question);
    const found = this.#events
      .filter(({ time, availableAt }) => availableAt <= this.now && time >= question.start && time <= question.end)
      .sort((a, b) => b.time - a.time || (a.id < b.id ? 1 : -1));
    this.now += this.latencyMs / 2;
    await turn();
    if (failure) throw failure;
    const offset = Number(question.token ?? 0);
    const page = found.slice(offset, offset + 50);
    const isLast = offset + 50 >= found.length;
    return { events: page.map(({ id, time }) => eventOf(id, time)), next: isLast ? null : String(offset + 50) };
  }

  #context(): LiveContext {
    const leases: Leases = {
      tryTake: async () => ({ holds: async () => true, isShared: async () => false, release: async () => undefined }),
      tryJoin: async () => null,
      close: async () => undefined,
    };
    return {
      clock: { now: () => this.now },
      logger: this.#logger,
      aws: null as unknown as Aws,
      leases,
      checkpoints: {
        read: async (name) => this.checkpoints.get(name) ?? null,
        write: async (name, value) => void this.checkpoints.set(name, value),
      },
      services: ['kms'],
      relevant: () => true,
    };
  }
}

/** Lets everything that is ready go on. */
async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

function eventOf(id: string, time: number): Event {
  const EventTime = new Date(time);
  return {
    EventId: id,
    EventName: 'Decrypt',
    EventSource: 'kms.amazonaws.com',
    EventTime,
    CloudTrailEvent: JSON.stringify({ eventID: id, eventTime: EventTime.toISOString() }),
  };
}
