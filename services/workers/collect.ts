/**
 * Runs a source: every delivery is registered in Postgres, queued, and acknowledged upstream when its events are committed.
 * At most `inFlight` deliveries are open, so that memory and queue stay small however much the source has.
 */
import type { Delivery, Source } from '../sources/contract.ts';
import { newestOfRun, type PendingDelivery, registerDelivery, standings } from '../store/batches.ts';
import { sleep } from '../platform/clock.ts';
import type { Deps } from './deps.ts';
import { isOutage, patiently } from './patience.ts';

export interface CollectOptions {
  readonly runId: string;
  readonly inFlight: number;
  readonly signal: AbortSignal;
  /** Of the jobs that it makes; without one they go before all that have one. */
  readonly priority?: number | undefined;
  /** How often deliveries are acknowledged while the source takes its time, milliseconds; without it when no more of them may be open. */
  readonly settleEveryMs?: number | undefined;
  /** Called after each acknowledged delivery. */
  readonly onStored?: (delivery: Delivery) => void;
}

const POLL_MS = 50;

/**
 * The only collector of its run. Outlasts a database that restarts and queues that are away.
 * @returns number of deliveries taken and how many of them were given up
 */
export async function collect(deps: Deps, source: Source, options: CollectOptions): Promise<{ deliveries: number; failed: number }> {
  const { runId, signal } = options;
  const open = new Map<number, Delivery>();
  let newest = await patiently(() => newestOfRun(deps.pool, runId), signal);
  let deliveries = 0;
  let failed = 0;

  const register = async (delivery: Delivery): Promise<number> => {
    let isFirstTry = true;
    return await patiently(async () => {
      // A connection may break after the commit and before its word: then it is registered.
      const registered = isFirstTry ? newest : await newestOfRun(deps.pool, runId);
      isFirstTry = false;
      return registered > newest ? registered : await registerDelivery(deps.pool, pendingOf(deps, delivery, runId));
    }, signal);
  };
  const settle = async (): Promise<void> => {
    const states = await patiently(() => standings(deps.pool, [...open.keys()]), signal);
    for (const [id, delivery] of open) {
      const standing = states.get(id);
      if (standing?.state === 'stored') {
        open.delete(id);
        await delivery.ack();
        options.onStored?.(delivery);
      } else if (standing?.state === 'failed') {
        open.delete(id);
        failed += 1;
        await delivery.nack(standing.failure ?? 'could not be stored');
      }
    }
  };

  const read = new AbortController();
  const beside = settleBeside(read.signal);
  // Whoever waits for it below hears of it.
  beside.catch(() => undefined);
  try {
    for await (const delivery of source.run(signal)) {
      newest = await register(delivery);
      open.set(newest, delivery);
      deliveries += 1;
      await enqueue(deps, newest, options.priority);
      while (open.size >= options.inFlight && !signal.aborted) {
        await settle();
        if (open.size >= options.inFlight) await sleep(POLL_MS, signal);
      }
      if (signal.aborted) break;
    }
  } finally {
    read.abort();
  }
  await beside;
  while (open.size > 0 && !signal.aborted) {
    await settle();
    if (open.size > 0) await sleep(POLL_MS, signal);
  }
  // What is still open stays pending in Postgres: the sweep finishes it.
  return { deliveries, failed };

  async function settleBeside(until: AbortSignal): Promise<void> {
    if (options.settleEveryMs === undefined) return;
    while (!until.aborted && !signal.aborted) {
      if (open.size > 0) await settle();
      await sleep(options.settleEveryMs, until);
    }
  }
}

export function pendingOf(deps: Deps, delivery: Delivery, runId: string): PendingDelivery {
  const { source, locator, payload, checkpoint, quarantined } = delivery;
  return {
    runId,
    source,
    locator,
    payload,
    checkpoint: checkpoint ? { name: checkpoint.name, value: checkpoint.value } : null,
    quarantined,
    receivedAt: deps.clock.now(),
  };
}

/** What the queue does not take while it is away, the sweep puts on it later. */
export async function enqueue(deps: Deps, batchId: number, priority?: number): Promise<void> {
  try {
    await deps.queues.add('ingest', { batchId }, { jobId: `ingest-${batchId}`, ...(priority !== undefined && { priority }) });
  } catch (error) {
    if (!isOutage(error)) throw error;
  }
}
