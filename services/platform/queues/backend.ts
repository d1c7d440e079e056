/** The two stores a queue can live in, behind the few things that are asked of them. */
import type { WorkerOptions } from 'bullmq';
import type { QueueState } from '../../core/metrics.ts';

export interface QueueBackend {
  readonly kind: 'redis' | 'postgres';
  openQueue(name: string): BackendQueue;
  openWorker(
    name: string,
    work: Work,
    options: Pick<WorkerOptions, 'concurrency' | 'lockDuration' | 'stalledInterval' | 'maxStalledCount'>,
  ): BackendWorker;
  /** When the job at the head of the line was added, epoch milliseconds; null when none waits. */
  oldestWaiting(queue: BackendQueue): Promise<number | null>;
  /** Rejects when the store does not answer. */
  ping(): Promise<void>;
  /** Lets go of all connections at once; work that still uses them fails. */
  close(): Promise<void>;
}

export interface AddOptions {
  readonly jobId?: string | undefined;
  /** Milliseconds. */
  readonly delay?: number | undefined;
  /** From 1, the most urgent of those that have one; jobs without it go before all that have one. */
  readonly priority?: number | undefined;
}

export interface JobSettings extends AddOptions {
  readonly attempts: number;
  readonly backoff: { readonly type: string; readonly delay: number; readonly jitter: number };
  readonly removeOnComplete: true;
  readonly removeOnFail: boolean | number;
}

/** The part of BullMQ's `Queue` that is used. */
export interface BackendQueue {
  add(name: string, data: unknown, options: JobSettings): Promise<unknown>;
  addBulk(jobs: { name: string; data: unknown; opts: JobSettings }[]): Promise<unknown>;
  getJobCounts(...types: (QueueState | 'prioritized')[]): Promise<Record<string, number>>;
  getJobs(types: QueueState[], start: number, end: number, ascending: boolean): Promise<({ timestamp: number } | undefined)[]>;
  drain(delayed: boolean): Promise<void>;
  obliterate(options: { force: boolean }): Promise<void>;
  waitUntilReady(): Promise<unknown>;
  close(): Promise<void>;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/** The part of BullMQ's `Worker` that is used. */
export interface BackendWorker {
  pause(doNotWaitActive: boolean): Promise<void>;
  resume(): void;
  waitUntilReady(): Promise<unknown>;
  close(force: boolean): Promise<void>;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'failed', listener: (job: RunningJob | undefined, error: Error) => void): unknown;
}

export interface RunningJob {
  readonly id?: string | undefined;
  readonly data: unknown;
  /** Tries before this one. */
  readonly attemptsMade: number;
  readonly opts: { readonly attempts?: number | undefined };
}

export type Work = (job: RunningJob) => Promise<void>;
