/** Runs one live source: as `collect` does, except that it never ends by itself and acknowledges while it waits for the next delivery. */
import { randomUUID } from 'node:crypto';
import type { Logger } from '../platform/logger.ts';
import { monotonicMs, sleep } from '../platform/clock.ts';
import type { Delivery, Source } from '../sources/contract.ts';
import { registerDelivery, standings } from '../store/batches.ts';
import { enqueue, pendingOf } from './collect.ts';
import type { Deps } from './deps.ts';
import { patiently } from './patience.ts';

export interface LiveOptions {
  readonly inFlight: number;
  readonly signal: AbortSignal;
  readonly logger: Logger;
}

const POLL_MS = 50;
const IDLE_MS = 250;
const DRAIN_MS = 3_000;

/**
 * Until the signal aborts, or the source ends. What is open a little later stays pending in Postgres: the sweep finishes it, and the source is
 * given it again where it was not acknowledged.
 * @throws what the source throws, and an outage of the database that lasts
 */
export async function collectLive(deps: Deps, source: Source, { inFlight, signal, logger }: LiveOptions): Promise<void> {
  const runId = `${source.name}-${randomUUID()}`;
  const ending = new AbortController();
  const until = AbortSignal.any([signal, ending.signal]);
  const open = new Map<number, Delivery>();
  const settling = settle();
  // When acknowledging fails, nothing more is taken.
  settling.catch(() => ending.abort());

  try {
    for await (const delivery of source.run(until)) {
      // A connection that breaks between a commit and its word makes this register twice: further observations, no harm.
      const batchId = await patiently(() => registerDelivery(deps.pool, pendingOf(deps, delivery, runId)), until);
      open.set(batchId, delivery);
      await enqueue(deps, batchId);
      while (open.size >= inFlight && !until.aborted) await sleep(POLL_MS, until);
      if (until.aborted) break;
    }
  } finally {
    ending.abort();
    await settling;
    await drain();
  }

  async function settle(): Promise<void> {
    while (!until.aborted) {
      if (open.size > 0) await settleOnce();
      await sleep(open.size > 0 ? POLL_MS : IDLE_MS, until);
    }
  }

  /** What is just being stored is waited for, so that it need not come again. */
  async function drain(): Promise<void> {
    for (const end = monotonicMs() + DRAIN_MS; open.size > 0 && monotonicMs() < end; await sleep(POLL_MS)) await settleOnce();
  }

  async function settleOnce(): Promise<void> {
    const states = await patiently(() => standings(deps.pool, [...open.keys()]), until);
    for (const [id, delivery] of open) {
      const standing = states.get(id);
      if (standing?.state !== 'stored' && standing?.state !== 'failed') continue;
      open.delete(id);
      try {
        if (standing.state === 'stored') await delivery.ack();
        else await delivery.nack(standing.failure ?? 'could not be stored');
      } catch (err) {
        logger.warn({ source: source.name, err, batch: id }, 'a delivery could not be acknowledged: it will come again');
      }
    }
  }
}
