import type { Json } from '../../core/json.ts';
import { AwsFailure } from '../../platform/aws.ts';
import type { Logger } from '../../platform/logger.ts';
import type { Delivery } from '../contract.ts';
import type { Checkpoints, LiveContext } from '../live.ts';
import { type Draft, draftOf } from './draft.ts';
import { filterName } from './filter.ts';
import type { Handover } from './handover.ts';
import { type Progress, writeProgress } from './progress.ts';
import { Interruption, readPages, type ReaderParts } from './reader.ts';
import type { Seen } from './seen.ts';
import { nameOf, type Target } from './target.ts';
import type { Track } from './track.ts';
import type { Reading, Window } from './window.ts';

export interface IntakeParts extends Omit<ReaderParts, 'onRetry'>, Pick<LiveContext, 'relevant'> {
  readonly target: Target;
  readonly checkpoints: Checkpoints;
  readonly seen: Seen;
  readonly out: Handover<Delivery>;
  readonly logger: Logger;
  readonly pagesAtMost: number;
}

interface Page {
  readonly draft: Draft;
  /** From 1, newest first. */
  readonly number: number;
}

/** A delivery that was taken. In an object, for a promise of a promise would be that promise. */
interface Receipt {
  /** Fulfilled when its events are committed, rejected when they could not be. */
  readonly stored: Promise<void>;
}

/**
 * Reads one window and hands its pages over. The last of them goes when all others are committed, and carries the checkpoint: so
 * the checkpoint moves with the last events of the window, in their transaction. A window without news moves it by itself.
 * @throws AwsFailure, Interruption, Error when events could not be stored; the window is no progress then
 */
export async function takeIn(track: Track, window: Window, parts: IntakeParts): Promise<void> {
  const { time, logger, signal } = parts;
  const filter = filterName(track.filter);
  const checkpoint = checkpointName(parts.target, track);
  const startedAt = time.now();
  const receipts: Receipt[] = [];
  const hand = async (page: Page, value: Json): Promise<Receipt> =>
    await handOver(page, { parts, filter, window, checkpoint: value === null ? null : { name: checkpoint, value } });
  let reading: Reading = { startedAt, readMs: 0, pages: 0, events: 0, late: 0 };
  let last: Page | null = null;
  for await (const page of pagesOf(track, window, parts)) {
    const draft = draftOf(page.events, { filter: track.filter, relevant: parts.relevant, seen: parts.seen });
    reading = {
      startedAt,
      readMs: reading.readMs + page.readMs,
      pages: reading.pages + 1,
      events: reading.events + page.events.length,
      late: reading.late + (draft ? lateOnes(draft, { track, window, seen: parts.seen }) : 0),
    };
    if (draft && last) receipts.push(await hand(last, null));
    if (draft) last = { draft, number: reading.pages };
    if (page.isLast || reading.pages < parts.pagesAtMost || !track.mayHalve(window)) continue;
    // What was read of it is kept, but it is no progress.
    if (last) receipts.push(await hand(last, null));
    await allStored(receipts, signal);
    track.halve(window, page.events.at(-1)?.EventTime?.getTime());
    logger.debug({ filter, seconds: track.progress.sliceMs / 1000 }, 'too many events for one window: it is read in smaller ones');
    return;
  }
  await allStored(receipts, signal);
  const progress = track.after(window, reading);
  const value = progress && writeProgress(progress);
  if (last) await allStored([await hand(last, value)], signal);
  else if (value) await parts.checkpoints.write(checkpoint, value);
  if (progress) tellCapacity(logger, filter, { before: track.progress, after: progress });
  track.commit(window, { reading, progress, now: time.now() });
}

export function checkpointName(target: Target, { filter }: Track): string {
  return `${nameOf(target)}/${filterName(filter)}`;
}

async function* pagesOf(track: Track, window: Window, parts: IntakeParts): ReturnType<typeof readPages> {
  const onRetry = (failure: AwsFailure, pauseMs: number): void => {
    parts.logger.debug({ reason: failure.reason, detail: failure.message, pauseMs: Math.round(pauseMs) }, 'a request will be made again');
  };
  try {
    yield* readPages(track.filter, window, { ...parts, onRetry });
  } catch (error) {
    // The token leads nowhere any more: reading took too long. A smaller window takes less.
    if (error instanceof AwsFailure && error.reason === 'token-invalid' && track.mayHalve(window)) track.halve(window);
    throw error;
  }
}

/** How many of the page's events a pass would have found had they been there. */
function lateOnes({ records }: Draft, { track, window, seen }: { track: Track; window: Window; seen: Seen }): number {
  if (window.kind !== 'sweep' || !seen.isComplete) return 0;
  return records.filter(({ time }) => time >= track.watchedSince).length;
}

interface Handed {
  readonly parts: IntakeParts;
  readonly filter: string;
  readonly window: Window;
  readonly checkpoint: Delivery['checkpoint'];
}

/** Returns when the page was taken. @throws Interruption */
async function handOver({ draft, number }: Page, { parts, filter, window, checkpoint }: Handed): Promise<Receipt> {
  const { target, seen, out, signal } = parts;
  const { promise: stored, resolve, reject } = Promise.withResolvers<void>();
  stored.catch(() => undefined); // Whoever waits for it hears of it; nobody may be waiting any more.
  const delivery: Delivery = {
    source: 'lookup-events',
    locator: {
      account: target.account,
      region: target.region,
      filter,
      start: new Date(window.start).toISOString(),
      end: new Date(window.end).toISOString(),
      page: number,
      ...(draft.skippedOrdinals.length > 0 && { skippedOrdinals: draft.skippedOrdinals }),
    },
    payload: draft.payload,
    quarantined: draft.quarantined,
    checkpoint,
    async ack() {
      for (const { digest, time } of draft.records) seen.add(digest, time);
      resolve();
    },
    async nack(reason) {
      reject(new Error(`a page of ${target.account} in ${target.region} could not be stored: ${reason}`));
    },
  };
  await out.put(delivery, signal);
  if (signal.aborted) throw new Interruption('the process is to stop');
  return { stored };
}

/** @throws Interruption when the signal aborts before; Error when one could not be stored */
async function allStored(receipts: readonly Receipt[], signal: AbortSignal): Promise<void> {
  if (receipts.length === 0) return;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  aborted.catch(() => undefined);
  const abort = (): void => reject(new Interruption('the process is to stop'));
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    await Promise.race([Promise.all(receipts.map(({ stored }) => stored)), aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function tellCapacity(logger: Logger, filter: string, { before, after }: { readonly before: Progress; readonly after: Progress }): void {
  const { capacity } = after;
  if (!capacity || capacity.carries === (before.capacity?.carries ?? true)) return;
  const eventsPerSecond = Math.round(capacity.eventsPerSecond * 10) / 10;
  if (capacity.carries) logger.info({ filter, eventsPerSecond }, 'LookupEvents keeps up with this account again');
  else
    logger.error(
      { filter, eventsPerSecond },
      'LookupEvents cannot carry this account: reading takes longer than the events take to happen, for 2 requests a second give at most 100 events. Use mode write-only or operations here, and a trail for the rest',
    );
}
