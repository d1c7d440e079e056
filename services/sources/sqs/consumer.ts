/**
 * Takes messages from one queue. A message stays hidden from others for as long as we work on it, and is deleted only when all that
 * it stands for is committed.
 */
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import type { Message } from '@aws-sdk/client-sqs';
import { monotonicMs, sleep } from '../../platform/clock.ts';
import { Claim, type Received, type Settlement } from './claim.ts';
import { Deletions } from './deletions.ts';
import type { OnQueueEvent, QueueEvent } from './events.ts';
import { changeVisibility } from './visibility.ts';
import type { QueueConnection } from './connection.ts';

export interface ConsumerOptions {
  readonly queue: QueueConnection;
  readonly pollers: number;
  readonly maxMessages: number;
  readonly visibilityMs: number;
  readonly onEvent: OnQueueEvent;
}

/** Gets what one request received, and settles every claim sooner or later. */
export type Handle = (claims: readonly Claim[]) => Promise<void>;

/** The longest that SQS waits for a message: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-short-and-long-polling.html */
const POLL_SECONDS = 20;
const PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;
/** How long messages are kept hidden after the process began to stop. */
const STOP_GRACE_MS = 30_000;
/** Message ids that are remembered as deleted: standard queues may deliver them once more. */
const REMEMBERED = 10_000;

export class Consumer {
  readonly #options: ConsumerOptions;
  readonly #held = new Map<string, Claim>();
  readonly #deletions: Deletions;
  /** Insertion-ordered, oldest first. */
  readonly #deleted = new Set<string>();
  readonly #idle = new AbortController();
  readonly #settling = new Set<Promise<void>>();
  #stopping = false;

  constructor(options: ConsumerOptions) {
    this.#options = options;
    this.#deletions = new Deletions(options.queue, (event) => this.#tell(event));
  }

  get name(): string {
    return this.#options.queue.name;
  }

  /** Messages that are not settled. */
  get held(): number {
    return this.#held.size;
  }

  /** @param room resolves when there is use for more messages. Ends when the signal aborts; claims may still be settled then. */
  async run(handle: Handle, room: () => Promise<void>, signal: AbortSignal): Promise<void> {
    void this.#heartbeat(signal);
    const pollers = Array.from({ length: this.#options.pollers }, () => this.#poll(handle, room, signal));
    try {
      await Promise.all(pollers);
    } finally {
      this.#stopping = true;
      await this.#deletions.drain();
      await Promise.all(this.#settling);
      if (this.#held.size === 0) this.#idle.abort();
    }
  }

  async #poll(handle: Handle, room: () => Promise<void>, signal: AbortSignal): Promise<void> {
    for (let pause = PAUSE_MS; !signal.aborted; ) {
      await room();
      if (signal.aborted) return;
      let messages: readonly Message[];
      try {
        messages = await this.#receive(signal);
        pause = PAUSE_MS;
      } catch (error) {
        if (signal.aborted) return;
        this.#tell({ kind: 'failed', call: 'ReceiveMessage', message: this.#options.queue.failed(error) });
        await sleep(pause, signal);
        pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
        continue;
      }
      const claims = messages.flatMap((message) => this.#claim(message));
      if (claims.length > 0) await handle(claims);
    }
  }

  async #receive(signal: AbortSignal): Promise<readonly Message[]> {
    const { queue, maxMessages, visibilityMs } = this.#options;
    const command = new ReceiveMessageCommand({
      QueueUrl: queue.url,
      MaxNumberOfMessages: maxMessages,
      WaitTimeSeconds: POLL_SECONDS,
      VisibilityTimeout: Math.ceil(visibilityMs / 1000),
      MessageSystemAttributeNames: ['ApproximateReceiveCount'],
    });
    const { Messages: messages = [] } = await queue.client.send(command, { abortSignal: signal });
    if (messages.length > 0) this.#tell({ kind: 'received', messages: messages.length });
    return messages;
  }

  /** Nothing when we have the message already, or have deleted it. */
  #claim({ MessageId: id = '', Body: body = '', ReceiptHandle: handle = '', Attributes: attributes }: Message): Claim[] {
    const received: Received = { id, body, handle, receives: Number(attributes?.ApproximateReceiveCount ?? 1) };
    const now = monotonicMs();
    const known = this.#held.get(id);
    if (known) {
      known.renew(received, now);
      return [];
    }
    const claim = new Claim(received, now, (settled, settlement) => this.#settle(settled, settlement));
    this.#held.set(id, claim);
    if (!this.#deleted.has(id)) return [claim];
    void claim.finish();
    return [];
  }

  async #settle(claim: Claim, settlement: Settlement): Promise<void> {
    const settled = settlement.done ? this.#delete(claim) : this.#return(claim, settlement);
    this.#settling.add(settled);
    void settled.then(() => this.#settling.delete(settled));
    // Whoever stores deliveries need not wait for SQS, unless the process is about to end.
    if (this.#stopping) await settled;
  }

  async #delete(claim: Claim): Promise<void> {
    this.#deleted.add(claim.id);
    const [oldest] = this.#deleted;
    if (this.#deleted.size > REMEMBERED && oldest !== undefined) this.#deleted.delete(oldest);
    await this.#deletions.add(claim, this.#stopping);
    this.#forget(claim);
  }

  /** Given back at once when we merely stop; after a failure it comes when its time is over, so that it is not tried again and again without a pause. */
  async #return(claim: Claim, { reason, atOnce }: { reason: string; atOnce: boolean }): Promise<void> {
    this.#forget(claim);
    this.#tell({ kind: 'returned', id: claim.id, reason });
    const seconds = atOnce ? 0 : Math.ceil(this.#options.visibilityMs / 1000);
    await this.#hide([claim], seconds);
  }

  #forget(claim: Claim): void {
    this.#held.delete(claim.id);
    if (this.#stopping && this.#held.size === 0) this.#idle.abort();
  }

  async #heartbeat(signal: AbortSignal): Promise<void> {
    const { visibilityMs } = this.#options;
    const tick = Math.min(5_000, Math.max(100, visibilityMs / 8));
    let stoppedAt: number | null = null;
    // After the end of `run` it goes on for a while, for what is being stored.
    while (!this.#idle.signal.aborted) {
      await sleep(tick, this.#idle.signal);
      const now = monotonicMs();
      if (signal.aborted) stoppedAt ??= now;
      if (stoppedAt !== null && now - stoppedAt > STOP_GRACE_MS) break;
      const due = [...this.#held.values()].filter((claim) => !claim.isLost && now - claim.hiddenAt >= visibilityMs / 2);
      const extended = await this.#hide(due, Math.ceil(visibilityMs / 1000));
      if (extended > 0) this.#tell({ kind: 'extended', messages: extended });
    }
    this.#options.queue.close();
  }

  /** @returns how many messages are hidden for so long from now on */
  async #hide(claims: readonly Claim[], seconds: number): Promise<number> {
    const { queue } = this.#options;
    let hidden = 0;
    for (const outcome of await changeVisibility(queue, claims, seconds)) {
      if (outcome.result === 'hidden') {
        hidden += 1;
        outcome.claim.hiddenAt = outcome.at;
      } else if (outcome.result === 'lost') {
        outcome.claim.isLost = true;
        this.#tell({ kind: 'lost', id: outcome.claim.id });
      } else this.#tell({ kind: 'failed', call: 'ChangeMessageVisibilityBatch', message: outcome.message });
    }
    return hidden;
  }

  #tell(event: QueueEvent): void {
    this.#options.onEvent(this.#options.queue.name, event);
  }
}
