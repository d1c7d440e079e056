import type { Event } from '@aws-sdk/client-cloudtrail';
import { AwsFailure } from '../../platform/aws.ts';
import type { Lease } from '../../platform/leases.ts';
import type { LookupApi, Question } from './api.ts';
import type { Filter } from './filter.ts';
import type { Pacer } from './pacer.ts';
import type { Time } from './time.ts';
import type { Window } from './window.ts';

/** Another process may be polling by now, or the process is to stop. */
export class Interruption extends Error {
  override readonly name = 'Interruption';
}

export interface ReaderParts {
  readonly api: LookupApi;
  readonly pacer: Pacer;
  readonly lease: Lease;
  readonly time: Time;
  readonly signal: AbortSignal;
  /** Called before a pause for a failure that may pass. */
  readonly onRetry: (failure: AwsFailure, pauseMs: number) => void;
}

const PAUSE_MS = { first: 1_000, most: 30_000 } as const;
/** Of a page that keeps failing for another reason than too many requests. */
const ATTEMPTS = 6;

export interface Page {
  readonly events: readonly Event[];
  /** Spent on this page: waiting for its turn, failed attempts, the answer. Milliseconds. */
  readonly readMs: number;
  readonly isLast: boolean;
}

/**
 * The pages of a window, newest first. The token that leads from one to the next is never kept longer than this. What may pass is tried
 * again after a pause: throttling for as long as it lasts, since others share the quota.
 * @throws AwsFailure, Interruption
 */
export async function* readPages(filter: Filter, window: Window, parts: ReaderParts): AsyncGenerator<Page, void, undefined> {
  let token: string | null = null;
  do {
    const since = parts.time.elapsed();
    const { events, next } = await ask({ filter, start: window.start, end: window.end, token }, parts);
    token = next;
    yield { events, readMs: parts.time.elapsed() - since, isLast: next === null };
  } while (token !== null);
}

async function ask(question: Question, parts: ReaderParts): ReturnType<LookupApi['ask']> {
  const { api, pacer, lease, time, signal } = parts;
  for (let failures = 0, attempts = 1; ; failures += 1) {
    await pacer.turn(signal, await lease.isShared());
    if (signal.aborted) throw new Interruption('the process is to stop');
    if (!(await lease.holds())) throw new Interruption('the lease is lost');
    let failure: unknown;
    try {
      return await api.ask(question, signal);
    } catch (error) {
      failure = error;
    } finally {
      pacer.answered();
    }
    if (signal.aborted) throw new Interruption('the process is to stop');
    if (!(failure instanceof AwsFailure) || !failure.retryable || failure.reason === 'token-invalid') throw failure;
    if (failure.reason !== 'throttled' && ++attempts > ATTEMPTS) throw failure;
    const pauseMs = pauseAfter(failures, { ...PAUSE_MS, random: time.random() });
    parts.onRetry(failure, pauseMs);
    await time.sleep(pauseMs, signal);
  }
}

/**
 * Twice as long each time, and by chance between half of that and all of it, so that those who were refused together do not come
 * back together.
 */
export function pauseAfter(
  failures: number,
  { first, most, random }: { readonly first: number; readonly most: number; readonly random: number },
): number {
  return Math.min(first * 2 ** Math.min(failures, 30), most) * (0.5 + random / 2);
}
