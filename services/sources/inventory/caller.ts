/** Calls KMS in one account and Region: paced, and again after what may pass. */
import { KMSClient } from '@aws-sdk/client-kms';
import type { Clock } from '../../core/clock.ts';
import { type Aws, AwsFailure, awsFailure } from '../../platform/aws.ts';
import { sleep } from '../../platform/clock.ts';
import { Pacer } from './pacer.ts';
import type { InventoryPlace } from './place.ts';

export interface Asked<T> {
  /** When it was asked for, epoch milliseconds: what it tells is not older. */
  readonly at: number;
  readonly value: T;
}

export interface Caller {
  /** Epoch milliseconds. */
  now(): number;
  /** @throws AwsFailure, and the signal's reason when it aborts */
  call<T>(request: (client: KMSClient, http: { readonly abortSignal: AbortSignal }) => Promise<T>): Promise<Asked<T>>;
  close(): void;
}

export interface CallerOptions {
  readonly aws: Aws;
  readonly clock: Clock;
  readonly requestsPerSecond: number;
  readonly signal: AbortSignal;
  /** Pauses between attempts; tests make them short. */
  readonly pauses?: { readonly firstMs: number; readonly mostMs: number };
}

const PAUSES = { firstMs: 500, mostMs: 30_000 } as const;
/** Of a call that keeps failing: throttling takes as long as others use up the quota. */
const ATTEMPTS = { throttled: 40, other: 6 } as const;

export function createCaller(place: InventoryPlace, { aws, clock, requestsPerSecond, signal, pauses = PAUSES }: CallerOptions): Caller {
  const pacer = new Pacer(requestsPerSecond);
  let client: KMSClient | null = null;

  function forget(used: KMSClient): void {
    aws.forget(place);
    // Several calls may find out at the same time.
    if (client === used) client = null;
    used.destroy();
  }

  return {
    now: () => clock.now(),
    async call(request) {
      for (let failures = 0, others = 0; ; ) {
        await pacer.turn(signal);
        signal.throwIfAborted();
        client ??= new KMSClient(aws.settings(place));
        const used = client;
        const at = clock.now();
        try {
          const value = await request(used, { abortSignal: signal });
          pacer.answered();
          return { at, value };
        } catch (error) {
          signal.throwIfAborted();
          const failure = awsFailure(error);
          if (failure.reason === 'credentials-expired') forget(used);
          if (failure.reason === 'throttled') pacer.throttled();
          else others += 1;
          failures += 1;
          const isOver = others >= ATTEMPTS.other || failures >= ATTEMPTS.throttled;
          if (isOver || !failure.retryable || failure.reason === 'token-invalid') throw failure;
          await sleep(pauseAfter(failures, pauses), signal);
        }
      }
    },
    close() {
      client?.destroy();
      client = null;
    },
  };
}

/** Twice as long each time, and by chance between half of that and all of it, so that those who were refused together come back apart. */
function pauseAfter(failures: number, { firstMs, mostMs }: { readonly firstMs: number; readonly mostMs: number }): number {
  return Math.min(firstMs * 2 ** Math.min(failures - 1, 20), mostMs) * (0.5 + Math.random() / 2);
}

const PAGES_AT_MOST = 2_000;
const LISTINGS_AT_MOST = 3;

export interface Page<T> {
  readonly items: readonly T[];
  readonly next: string | undefined;
}

/** All pages of a listing; begun again when KMS no longer takes its marker. @throws AwsFailure */
export async function listed<T>(page: (marker: string | undefined) => Promise<Asked<Page<T>>>): Promise<Asked<T[]>> {
  for (let listings = 1; ; listings += 1) {
    try {
      return await pagesOf(page);
    } catch (error) {
      if (!(error instanceof AwsFailure) || error.reason !== 'token-invalid' || listings >= LISTINGS_AT_MOST) throw error;
    }
  }
}

async function pagesOf<T>(page: (marker: string | undefined) => Promise<Asked<Page<T>>>): Promise<Asked<T[]>> {
  const all: T[] = [];
  let first: number | null = null;
  let marker: string | undefined;
  for (let pages = 1; pages <= PAGES_AT_MOST; pages += 1) {
    const { at, value } = await page(marker);
    first ??= at;
    for (const item of value.items) all.push(item);
    if (value.next === undefined) return { at: first, value: all };
    marker = value.next;
  }
  throw new AwsFailure('service-error', { message: `a listing of more than ${PAGES_AT_MOST} pages`, code: 'TooManyPages' });
}
