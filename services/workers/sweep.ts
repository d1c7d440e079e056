/** Postgres is the memory: whatever is unfinished there and not being worked on goes on the queue again. */
import { unfinished } from '../store/batches.ts';
import { sealBatches } from '../store/evidence.ts';
import type { Deps } from './deps.ts';

/** Work younger than this is presumed to be on the queue. */
const PATIENCE_MS = 5_000;
const LIMIT = 500;

/** @returns how many jobs were put on the queues again */
export async function sweep(deps: Deps, patience: number = PATIENCE_MS): Promise<number> {
  const now = deps.clock.now();
  const work = await unfinished(deps.pool, { olderThan: now - patience, limit: LIMIT });
  // A job id is in the queue at most once, so work that is merely waiting there is not doubled.
  await deps.queues.addBulk(
    'ingest',
    work.pending.map((batchId) => ({ payload: { batchId }, options: { jobId: `ingest-${batchId}` } })),
  );
  await deps.queues.addBulk(
    'detect',
    work.undetected.map((batchId) => ({ payload: { batchId }, options: { jobId: `detect-${batchId}` } })),
  );
  return work.pending.length + work.undetected.length;
}

/** Seals what has been detected into the hash chain, until nothing is left or another process is at it. */
export async function seal(deps: Deps): Promise<number> {
  let total = 0;
  for (;;) {
    const sealed = await sealBatches(deps.pool, deps.clock.now());
    total += sealed;
    if (sealed === 0) return total;
  }
}
