/** Processes quarantined inputs again, from the bytes that were kept. */
import { encodeFrames } from '../core/frames.ts';
import type { QuarantineReason } from '../core/quarantine.ts';
import type { Logger } from '../platform/logger.ts';
import type { Delivery, Source, SourceName } from '../sources/contract.ts';
import { type KeptInput, readKept, readSeen } from '../store/read/quarantine.ts';
import { newestEvent } from '../store/read/batches.ts';
import { releaseQuarantine } from '../store/quarantine.ts';
import type { Deps } from './deps.ts';
import { type AsOf, replay } from './replay.ts';
import type { Service } from './service.ts';

export interface RetryRun {
  /** Null = everything that waits. */
  readonly ids: readonly number[] | null;
  readonly runId: string;
  readonly inFlight: number;
  /** `newest` means the newest event that is stored at all. */
  readonly asOf: AsOf;
  readonly signal: AbortSignal;
  readonly logger: Logger;
}

export interface Retried {
  readonly tried: number;
  readonly released: number;
  /** Ids of inputs that what was kept cannot help: cut off, a damaged file as a whole, more than is kept. */
  readonly unusable: readonly number[];
  /** Ids that were asked for and do not wait in quarantine. */
  readonly unknown: readonly number[];
}

/** Inputs in memory at a time; each has up to 1 MiB. */
const PAGE = 16;

/** What is wrong with these is wrong with the file, not with a record in it: only the file can be tried again. */
const OF_THE_FILE: ReadonlySet<string> = new Set<QuarantineReason>([
  'truncated',
  'corrupt-gzip',
  'decompression-limit',
  'unreadable',
  'digest-file',
]);

/** @returns null when the signal ended it early; what had gone through by then may be tried again without harm */
export async function retryQuarantine({ deps, db }: Pick<Service, 'deps' | 'db'>, run: RetryRun): Promise<Retried | null> {
  const tried: Tried = { seen: new Map(), stored: new Set(), unusable: [] };
  const source: Source = { name: 'replay', run: (signal) => deliveries(deps, run, { signal, tried }) };
  const asOf = run.asOf === 'newest' ? ((await newestEvent(deps.pool)) ?? 'now') : run.asOf;
  const replayed = await replay(deps, { ...run, source, asOf });
  if (!replayed) return null;
  const seen = await readSeen(deps.pool, [...tried.seen.keys()]);
  // Put aside again is counted on the same row when the reason is the same. Another reason has got a row of its own: the old one goes.
  await releaseQuarantine(
    db,
    [...tried.stored].filter((id) => seen.get(id) === tried.seen.get(id)),
    deps.clock.now(),
  );
  const known = new Set([...tried.seen.keys(), ...tried.unusable]);
  return {
    tried: tried.seen.size,
    // One input is one record of one delivery.
    released: tried.stored.size - replayed.counts.quarantined,
    unusable: tried.unusable,
    unknown: (run.ids ?? []).filter((id) => !known.has(id)),
  };
}

interface Tried {
  /** How often each input had been put aside before. */
  readonly seen: Map<number, number>;
  /** Whose delivery was stored, whether it went through or was put aside again. */
  readonly stored: Set<number>;
  readonly unusable: number[];
}

async function* deliveries(deps: Deps, run: RetryRun, { signal, tried }: { signal: AbortSignal; tried: Tried }): AsyncGenerator<Delivery> {
  let after = 0;
  for (;;) {
    const page = await readKept(deps.pool, { ids: run.ids, after, limit: PAGE });
    for (const input of page) {
      if (signal.aborted) return;
      after = input.id;
      if (!input.complete || input.offset === null || input.bytes.length === 0 || OF_THE_FILE.has(input.reason)) {
        tried.unusable.push(input.id);
        continue;
      }
      tried.seen.set(input.id, input.seen);
      yield delivery(input, () => tried.stored.add(input.id));
    }
    if (page.length < PAGE) return;
  }
}

/** Source, locator and offset as they were, so that what is put aside again is recognized as the same. */
function delivery({ source, locator, offset, bytes }: KeptInput, onStored: () => void): Delivery {
  return {
    source: source as SourceName,
    locator,
    payload: encodeFrames([{ offset: offset ?? 0, bytes }]),
    quarantined: [],
    checkpoint: null,
    ack: async () => onStored(),
    nack: async () => undefined,
  };
}
