/** Reads the keys of one account in one Region and stores what KMS answers: resumable, and by one process at a time. */
import type { Clock } from '../core/clock.ts';
import { HOUR } from '../core/clock.ts';
import type { KeyAnswers } from '../core/inventory.ts';
import { type Aws, type AwsFailure, awsFailure } from '../platform/aws.ts';
import type { Lease, Leases } from '../platform/leases.ts';
import type { Logger } from '../platform/logger.ts';
import type { CallerOptions } from '../sources/inventory/caller.ts';
import { type InventoryReader, openInventory } from '../sources/inventory/inventory.ts';
import { type InventoryPlace, placeName } from '../sources/inventory/place.ts';
import { failRun, finishRun, type InventoryRun, knownKeys, openRun, readInRun } from '../store/inventory-runs.ts';
import type { Deps } from './deps.ts';
import { storeAliases, storeAnswers } from './inventory-store.ts';

export interface InventoryParts {
  readonly deps: Deps;
  readonly aws: Aws;
  readonly leases: Leases;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly requestsPerSecond: number;
  readonly graceMs: number;
  readonly signal: AbortSignal;
  /** Keys stored at a time: as many are read again after a crash. Default 25. */
  readonly keysAtATime?: number;
  readonly pauses?: CallerOptions['pauses'];
  readonly onProgress?: (place: InventoryPlace, progress: Progress) => void;
}

export interface Progress {
  /** Keys that were read in this run, and all that there are to read. */
  readonly done: number;
  readonly keys: number;
}

/** `busy`: another process is at it. */
export type Synced =
  | { readonly outcome: 'finished'; readonly run: number }
  | { readonly outcome: 'failed'; readonly run: number; readonly failure: AwsFailure }
  | { readonly outcome: 'busy' | 'interrupted'; readonly run: number | null };

/** Answers of an unfinished run are kept and gone on with, unless they are older than this. */
const STALE_MS = 12 * HOUR;
const KEYS_AT_A_TIME = 25;

/** @throws what is no failure of AWS: of the database, for example */
export async function syncPlace(parts: InventoryParts, place: InventoryPlace): Promise<Synced> {
  const lease = await parts.leases.tryTake(placeName(place));
  if (!lease) return { outcome: 'busy', run: null };
  try {
    return await syncUnder(lease, parts, place);
  } finally {
    await lease.release();
  }
}

/** Another process may be reading the place by now. */
class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}

async function syncUnder(lease: Lease, parts: InventoryParts, place: InventoryPlace): Promise<Synced> {
  const { deps, clock, signal } = parts;
  const logger = parts.logger.child({ account: place.account, region: place.region });
  const now = clock.now();
  const run = await openRun(deps.pool, place, { now, notBefore: now - STALE_MS });
  const reader = openInventory(place, { ...parts });
  try {
    const listed = await readAll(reader, { lease, logger, parts, place, run });
    await finishRun(deps.pool, run.id, { listed, now: clock.now() });
    await deps.queues.add('notify', {});
    logger.info({ run: run.id, keys: listed, resumed: run.isResumed }, 'inventory finished');
    return { outcome: 'finished', run: run.id };
  } catch (error) {
    if (signal.aborted || error instanceof LeaseLost) return { outcome: 'interrupted', run: run.id };
    const failure = awsFailure(error);
    if (failure !== error) throw error;
    await failRun(deps.pool, run.id, { failure: failure.reason, now: clock.now() });
    const { reason, code, message: detail, hint } = failure;
    logger.error({ run: run.id, reason, code, detail, hint, role: place.role?.arn ?? null }, 'inventory failed; it will be gone on with');
    return { outcome: 'failed', run: run.id, failure };
  } finally {
    reader.close();
  }
}

interface Scope {
  readonly lease: Lease;
  readonly logger: Logger;
  readonly parts: InventoryParts;
  readonly place: InventoryPlace;
  readonly run: InventoryRun;
}

/** @returns how many keys there are */
async function readAll(reader: InventoryReader, { lease, logger, parts, place, run }: Scope): Promise<number> {
  const { deps, graceMs, keysAtATime = KEYS_AT_A_TIME, onProgress } = parts;
  const listing = await reader.list();
  if (listing.aliases === null)
    logger.warn({ call: 'ListAliases' }, 'aliases may not be listed: keys go without those that no event tells of');
  await storeAliases(deps, { account: place.account, region: place.region, aliases: listing.aliases }, run.id);
  // A key that is known and not listed is asked about too: it is gone, or was missed by the listing.
  const all = [...new Set([...listing.keys, ...(await knownKeys(deps.pool, place))])].toSorted();
  const done = run.isResumed ? await readInRun(deps.pool, run.id) : new Set<string>();
  const left = all.filter((arn) => !done.has(arn));
  let stored = all.length - left.length;
  const store = async (answers: readonly KeyAnswers[]): Promise<void> => {
    if (!(await lease.holds())) throw new LeaseLost();
    await storeAnswers(deps, answers, { runId: run.id, graceMs });
    stored += answers.length;
    onProgress?.(place, { done: stored, keys: all.length });
  };
  onProgress?.(place, { done: stored, keys: all.length });
  let waiting: KeyAnswers[] = [];
  for await (const answers of reader.read(left)) {
    waiting.push(answers);
    if (waiting.length < keysAtATime) continue;
    await store(waiting);
    waiting = [];
  }
  if (waiting.length > 0) await store(waiting);
  return all.length;
}
