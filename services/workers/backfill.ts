/** A backfill from its first day to its last finding, beside whatever is ingested live. */
import { monotonicMs, sleep } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { Source } from '../sources/contract.ts';
import { type RunCounts, runCounts } from '../store/batches.ts';
import type { Deps } from './deps.ts';
import { type Replayed, replay } from './replay.ts';

export interface BackfillRun {
  readonly source: Source;
  readonly runId: string;
  readonly inFlight: number;
  readonly signal: AbortSignal;
  readonly logger: Logger;
  /** Told now and then what has been stored. */
  readonly onCounts: (counts: RunCounts) => void;
}

/** Live deliveries have none, and go before: a worker that is free takes one of theirs first. */
const PRIORITY = 10;
const SETTLE_MS = 250;
const COUNT_MS = 1_000;
/** The more there is to count, the more seldom it is counted. */
const COUNT_SHARE = 20;

/** Judges as of now, as the service does. @returns null when the signal ended it early. @throws as `replay` does */
export async function runBackfill(deps: Deps, run: BackfillRun): Promise<Replayed | null> {
  const done = new AbortController();
  const counting = count(deps, run, AbortSignal.any([run.signal, done.signal]));
  const { source, runId, inFlight, signal, logger } = run;
  try {
    return await replay(deps, { source, runId, inFlight, asOf: 'now', priority: PRIORITY, settleEveryMs: SETTLE_MS, signal, logger });
  } finally {
    done.abort();
    await counting;
  }
}

async function count({ pool }: Deps, { runId, logger, onCounts }: BackfillRun, signal: AbortSignal): Promise<void> {
  for (let pause = COUNT_MS; !signal.aborted; await sleep(pause, signal)) {
    const since = monotonicMs();
    try {
      onCounts(await runCounts(pool, runId));
    } catch (err) {
      if (!signal.aborted) logger.warn({ err }, 'what is stored will be counted later');
    }
    pause = Math.max(COUNT_MS, (monotonicMs() - since) * COUNT_SHARE);
  }
}
