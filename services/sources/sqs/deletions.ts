import { DeleteMessageBatchCommand } from '@aws-sdk/client-sqs';
import { sleep } from '../../platform/clock.ts';
import { BATCH_LIMIT, type FailedEntry, indexOf } from './batches.ts';
import type { Claim } from './claim.ts';
import type { QueueConnection } from './connection.ts';
import type { QueueEvent } from './events.ts';

/** So long a deletion waits for others to be made with it. */
const LINGER_MS = 20;
const ATTEMPTS = 5;
const PAUSE_MS = 200;

interface Deletion {
  readonly claim: Claim;
  attempts: number;
  readonly settle: () => void;
}

/**
 * Deletes messages, ten at a time. A deletion that fails is tried again; one that cannot be made is given up, for the message comes again,
 * is recognized or ingested once more without effect, and is deleted then.
 */
export class Deletions {
  readonly #queue: QueueConnection;
  readonly #onEvent: (event: QueueEvent) => void;
  #waiting: Deletion[] = [];
  #running: Promise<void> | null = null;
  #hurry = new AbortController();

  constructor(queue: QueueConnection, onEvent: (event: QueueEvent) => void) {
    this.#queue = queue;
    this.#onEvent = onEvent;
  }

  /** Resolves when the message is deleted, or was given up. Never throws. */
  async add(claim: Claim, atOnce: boolean): Promise<void> {
    await new Promise<void>((settle) => {
      this.#waiting.push({ claim, attempts: 0, settle });
      if (atOnce || this.#waiting.length >= BATCH_LIMIT) this.#hurry.abort();
      this.#running ??= this.#run();
    });
  }

  async drain(): Promise<void> {
    this.#hurry.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      if (this.#waiting.length < BATCH_LIMIT) await sleep(LINGER_MS, this.#hurry.signal);
      this.#hurry = new AbortController();
      await this.#deleteSome(this.#waiting.splice(0, BATCH_LIMIT));
    }
    this.#running = null;
  }

  async #deleteSome(batch: readonly Deletion[]): Promise<void> {
    const problems = await this.#request(batch);
    const gone = batch.filter((_, index) => !problems.has(index));
    if (gone.length > 0) this.#onEvent({ kind: 'deleted', messages: gone.length });
    for (const deletion of gone) deletion.settle();
    let again = 0;
    for (const [index, problem] of problems) {
      const deletion = batch[index];
      if (!deletion) continue;
      deletion.attempts += 1;
      if (problem.SenderFault === true || deletion.attempts >= ATTEMPTS) {
        this.#onEvent({ kind: 'lost', id: deletion.claim.id });
        deletion.settle();
        continue;
      }
      again += 1;
      this.#waiting.push(deletion);
    }
    if (again > 0) await sleep(PAUSE_MS);
  }

  /** What failed, by position in the batch. */
  async #request(batch: readonly Deletion[]): Promise<ReadonlyMap<number, FailedEntry>> {
    const Entries = batch.map(({ claim }, index) => ({ Id: String(index), ReceiptHandle: claim.handle }));
    try {
      const { Failed: failed = [] } = await this.#queue.client.send(new DeleteMessageBatchCommand({ QueueUrl: this.#queue.url, Entries }));
      return new Map(failed.map((entry: FailedEntry) => [indexOf(entry), entry]));
    } catch (error) {
      this.#onEvent({ kind: 'failed', call: 'DeleteMessageBatch', message: this.#queue.failed(error) });
      return new Map(batch.map((_, index) => [index, {}]));
    }
  }
}
