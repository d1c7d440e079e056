/**
 * Under load many batches become one detection: most of its cost is per subject, and busy subjects are touched by every batch.
 * While deliveries are waiting to be stored, detection lets batches gather, for a second at most; otherwise it begins at once.
 */
import { sleep } from '../platform/clock.ts';
import { hasFreshPending } from '../store/batches.ts';
import type { Deps } from './deps.ts';

const LONGEST_MS = 1_000;
const STEP_MS = 100;
/** A delivery that has been waiting for longer is stuck; it must not slow detection down. */
const FRESH_MS = 30_000;

export async function gather(deps: Deps, signal: AbortSignal): Promise<void> {
  for (let waited = 0; waited < LONGEST_MS && !signal.aborted; waited += STEP_MS) {
    if (!(await hasFreshPending(deps.pool, deps.clock.now() - FRESH_MS))) return;
    await sleep(STEP_MS, signal);
  }
}
