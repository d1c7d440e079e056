/** A replay from its first file to its last finding: everything that a source has is stored, detected, sealed and assessed. */
import { KmswatchError } from '../core/errors.ts';
import { monotonicMs, sleep } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { Source } from '../sources/contract.ts';
import { type RunCounts, runCounts } from '../store/batches.ts';
import { newestEvent } from '../store/read/batches.ts';
import { assess } from './assess.ts';
import { collect } from './collect.ts';
import type { Deps } from './deps.ts';
import { repeat } from './loop.ts';
import { patiently } from './patience.ts';
import { seal, sweep } from './sweep.ts';

/** The moment as of which is judged at the end: the newest event of the run, now, or epoch milliseconds. */
export type AsOf = 'newest' | 'now' | number;

export interface ReplayRun {
  readonly source: Source;
  readonly runId: string;
  readonly inFlight: number;
  readonly asOf: AsOf;
  /** Of its jobs; see `collect`. */
  readonly priority?: number | undefined;
  readonly settleEveryMs?: number | undefined;
  readonly signal: AbortSignal;
  readonly logger: Logger;
  /** Told now and then how far it is. */
  readonly onCounts?: (counts: RunCounts) => void;
}

export interface Replayed {
  readonly counts: RunCounts;
  readonly asOf: number;
  readonly elapsedMs: number;
}

const SWEEP_MS = 2_000;
const COUNT_MS = 500;
const STALLED_MS = 300_000;

/**
 * Needs a process that works on `ingest` and `detect`; whatever the queue loses on the way, the sweep puts on it again.
 * @returns null when the signal ended it early; what is registered by then is finished by the next run
 * @throws KmswatchError SOURCE_UNREADABLE before anything is ingested, QUEUE_UNREACHABLE when nothing moves any more
 */
export async function replay(deps: Deps, run: ReplayRun): Promise<Replayed | null> {
  const startedAt = monotonicMs();
  const done = new AbortController();
  const signal = AbortSignal.any([run.signal, done.signal]);
  const beside = [
    repeat({ name: 'sweep', everyMs: SWEEP_MS, logger: run.logger, work: () => sweep(deps) }, signal),
    repeat(
      { name: 'count', everyMs: COUNT_MS, logger: run.logger, work: async () => run.onCounts?.(await runCounts(deps.pool, run.runId)) },
      signal,
    ),
  ];
  let counts: RunCounts;
  try {
    const { runId, inFlight, priority, settleEveryMs } = run;
    await collect(deps, run.source, { runId, inFlight, priority, settleEveryMs, signal: run.signal });
    counts = await untilDetected(deps, run);
  } finally {
    done.abort();
    await Promise.all(beside);
  }
  run.onCounts?.(counts);
  if (run.signal.aborted) return null;
  const asOf = await momentOf(deps, run, counts);
  await patiently(() => seal(deps), run.signal);
  await patiently(() => assess(deps, asOf), run.signal);
  return { counts, asOf, elapsedMs: monotonicMs() - startedAt };
}

async function untilDetected(deps: Deps, run: ReplayRun): Promise<RunCounts> {
  let [left, movedAt] = [Number.POSITIVE_INFINITY, monotonicMs()];
  for (let pause = 10; ; pause = Math.min(pause * 1.5, 250)) {
    const counts = await patiently(() => runCounts(deps.pool, run.runId), run.signal);
    if (counts.unfinished === 0 || run.signal.aborted) return counts;
    if (counts.unfinished !== left) [left, movedAt] = [counts.unfinished, monotonicMs()];
    if (monotonicMs() - movedAt > STALLED_MS) {
      throw new KmswatchError(
        'QUEUE_UNREACHABLE',
        `Nothing has moved for ${STALLED_MS / 60_000} minutes; ${left} deliveries are stored or waiting, but not detected.`,
        {
          hint: 'The log says what fails; `kmswatch doctor` checks the rest. Nothing is lost: `kmswatch run` goes on with them.',
        },
      );
    }
    await sleep(pause, run.signal);
  }
}

async function momentOf(deps: Deps, { asOf, signal }: ReplayRun, counts: RunCounts): Promise<number> {
  if (typeof asOf === 'number') return asOf;
  if (asOf === 'now') return deps.clock.now();
  return counts.newestEvent ?? (await patiently(() => newestEvent(deps.pool), signal)) ?? deps.clock.now();
}
