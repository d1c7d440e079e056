/**
 * Typed queues on BullMQ, in Redis where there is a URL for it, else in PostgreSQL; the same code and the same promises on both.
 *
 * A job is delivered at least once: a worker that dies leaves its job to another one after the lock has run out. The
 * queue is a conveyor, not a memory: whoever adds a job must be able to add it again.
 */
import { type Queue, UnrecoverableError } from 'bullmq';
import { QUEUE_STATES, type QueueState } from '../core/metrics.ts';
import { monotonicMs, within } from './clock.ts';
import type { Logger } from './logger.ts';
import type { AddOptions, BackendQueue, BackendWorker, JobSettings, QueueBackend, RunningJob } from './queues/backend.ts';
import { checkHandled, checkJobId } from './queues/checks.ts';
import type { NameOf, PayloadOf, QueueMap, QueueSpec } from './queues/definition.ts';
import { bounded, complainer } from './queues/outage.ts';
import { openPostgresBackend } from './queues/postgres.ts';
import { openRedisBackend } from './queues/redis.ts';

export { defineQueues, type QueueMap, type QueueSpec } from './queues/definition.ts';
export type { AddOptions } from './queues/backend.ts';

export interface OpenQueuesOptions {
  /** Redis or Valkey; when missing, the queues are in PostgreSQL. */
  readonly redisUrl?: string | undefined;
  readonly postgresUrl: string;
  /** Namespace of the keys in Redis. In braces, so that all keys of it live on one node of a cluster. */
  readonly prefix?: string;
  readonly logger: Logger;
  /** After how long without a sign of life a worker's job is given to another one, milliseconds. */
  readonly lockMs?: number;
}

export interface JobContext {
  readonly id: string;
  /** 1 for the first try. */
  readonly attempt: number;
  /** No further try follows when this one fails. */
  readonly last: boolean;
  /** Aborted when the process cannot wait any longer for the job. */
  readonly signal: AbortSignal;
}

export type Handlers<D extends QueueMap, N extends NameOf<D>> = {
  readonly [K in N]: (payload: PayloadOf<D, K>, job: JobContext) => Promise<void>;
};

export interface Queues<D extends QueueMap> {
  readonly backend: 'redis' | 'postgres';
  /** A job whose `jobId` is still there is not added again. @throws KmswatchError QUEUE_UNREACHABLE; ZodError for a wrong payload */
  add<N extends NameOf<D>>(name: N, payload: PayloadOf<D, N>, options?: AddOptions): Promise<void>;
  addBulk<N extends NameOf<D>>(
    name: N,
    jobs: readonly { readonly payload: PayloadOf<D, N>; readonly options?: AddOptions }[],
  ): Promise<void>;
  /**
   * Starts working on the queues named (default: all), one handler each.
   *
   * @throws KmswatchError QUEUE_UNHANDLED when queues and handlers do not match exactly; then nothing is started
   */
  process<N extends NameOf<D>>(handlers: Handlers<D, N>, names?: readonly N[]): Promise<void>;
  counts(): Promise<Record<NameOf<D>, Record<QueueState, number>>>;
  /** Seconds that the oldest waiting job has been waiting, 0 when none does. */
  oldestAgeSeconds(): Promise<Record<NameOf<D>, number>>;
  /** Removes every job that is not being worked on. */
  drain(): Promise<void>;
  /** Removes every job, those being worked on too. */
  obliterate(): Promise<void>;
  /** Takes no further jobs here and waits for those in work, at most `timeoutMs` (default 15 s). */
  pause(timeoutMs?: number): Promise<void>;
  resume(): void;
  /** BullMQ's own queues, for the queue page. */
  board(): readonly Queue[];
  /** @throws KmswatchError QUEUE_UNREACHABLE */
  ping(): Promise<void>;
  /** Waits for the jobs in work, at most `timeoutMs` (default 15 s); what is not done then is left to another worker. */
  close(timeoutMs?: number): Promise<void>;
}

const LOCK_MS = 15_000;
const CLOSE_TIMEOUT_MS = 15_000;

/** @throws KmswatchError QUEUE_UNREACHABLE */
export async function openQueues<D extends QueueMap>(definition: D, options: OpenQueuesOptions): Promise<Queues<D>> {
  const { logger, prefix = '{kmswatch}', redisUrl, postgresUrl, lockMs = LOCK_MS } = options;
  const names = Object.keys(definition) as NameOf<D>[];
  const complain = complainer(logger);
  const backend: QueueBackend =
    redisUrl === undefined || redisUrl === ''
      ? await openPostgresBackend(postgresUrl, names.length, complain)
      : await openRedisBackend(redisUrl, prefix, complain);
  const queues = new Map<string, BackendQueue>();
  for (const name of names) {
    const queue = backend.openQueue(name);
    queue.on('error', complain);
    queues.set(name, queue);
  }
  const workers = new Map<string, BackendWorker>();
  const abandon = new AbortController();
  let closing: Promise<void> | undefined;

  const queueOf = (name: string): BackendQueue => {
    const queue = queues.get(name);
    if (!queue) throw new TypeError(`there is no queue ${name}`);
    return queue;
  };
  const settingsOf = (name: string, given: AddOptions = {}): JobSettings => {
    const { attempts, backoff, keepFailed = 0 } = specOf(definition, name).options;
    if (given.jobId !== undefined) checkJobId(given.jobId);
    return { ...given, attempts, backoff, removeOnComplete: true, removeOnFail: keepFailed > 0 ? keepFailed : true };
  };

  async function closeAll(timeoutMs: number): Promise<void> {
    const deadline = monotonicMs() + timeoutMs;
    const stopped = Promise.all([...workers.values()].map((worker) => worker.close(false)));
    await within(timeoutMs, stopped, () => new Error('jobs are still in work; others will take them over')).catch(complain);
    abandon.abort();
    const rest = Promise.all([...queues.values()].map((queue) => queue.close()));
    await within(Math.max(deadline - monotonicMs(), 500), rest, () => new Error('a queue does not close')).catch(complain);
    await backend.close();
  }

  return {
    backend: backend.kind,
    async add(name, payload, given) {
      const data: unknown = specOf(definition, name).payload.parse(payload);
      await bounded(queueOf(name).add(name, data, settingsOf(name, given)));
    },
    async addBulk(name, jobs) {
      const { payload: schema } = specOf(definition, name);
      const bulk = jobs.map((job) => ({ name, data: schema.parse(job.payload), opts: settingsOf(name, job.options) }));
      if (bulk.length > 0) await bounded(queueOf(name).addBulk(bulk));
    },
    async process(handlers, asked) {
      const wanted: readonly string[] = asked ?? names;
      checkHandled(wanted, Object.keys(handlers), [...queues.keys()]);
      for (const name of wanted) {
        if (workers.has(name)) throw new TypeError(`the queue ${name} is being processed already`);
      }
      for (const name of wanted) {
        const spec = specOf(definition, name);
        // Checked above; each handler takes what its queue's schema gives.
        const handle = (handlers as Record<string, (payload: unknown, job: JobContext) => Promise<void>>)[name];
        if (!handle) continue;
        const work = (job: RunningJob): Promise<void> => runJob(job, { name, spec, handle, signal: abandon.signal });
        const worker = backend.openWorker(name, work, {
          concurrency: spec.concurrency,
          lockDuration: lockMs,
          stalledInterval: Math.ceil(lockMs / 3),
          maxStalledCount: 10,
        });
        worker.on('error', complain);
        worker.on('failed', (job, err) => logger.warn({ queue: name, job: job?.id, attempt: job?.attemptsMade, err }, 'job failed'));
        workers.set(name, worker);
      }
      await Promise.all([...workers.values()].map((worker) => worker.waitUntilReady()));
    },
    async counts() {
      const count = async (name: string): Promise<[string, Record<QueueState, number>]> => {
        const counted = await bounded(queueOf(name).getJobCounts(...QUEUE_STATES, 'prioritized'));
        const { waiting = 0, prioritized = 0, active = 0, delayed = 0, failed = 0 } = counted;
        return [name, { waiting: waiting + prioritized, active, delayed, failed }];
      };
      return Object.fromEntries(await Promise.all(names.map(count))) as Record<NameOf<D>, Record<QueueState, number>>;
    },
    async oldestAgeSeconds() {
      const age = async (name: string): Promise<[string, number]> => {
        const since = await bounded(backend.oldestWaiting(queueOf(name)));
        return [name, since === null ? 0 : Math.max(0, (Date.now() - since) / 1000)];
      };
      return Object.fromEntries(await Promise.all(names.map(age))) as Record<NameOf<D>, number>;
    },
    async drain() {
      for (const queue of queues.values()) await queue.drain(true);
    },
    async obliterate() {
      for (const queue of queues.values()) await queue.obliterate({ force: true });
    },
    async pause(timeoutMs = CLOSE_TIMEOUT_MS) {
      // Not waiting for the jobs in work would leave a fetch open that takes one more.
      const paused = Promise.all([...workers.values()].map((worker) => worker.pause(false)));
      await within(timeoutMs, paused, () => new Error('jobs are still in work')).catch(complain);
    },
    resume() {
      for (const worker of workers.values()) worker.resume();
    },
    board: () => [...queues.values()] as unknown as readonly Queue[],
    ping: () => backend.ping(),
    close(timeoutMs = CLOSE_TIMEOUT_MS) {
      closing ??= closeAll(timeoutMs);
      return closing;
    },
  };
}

interface Running {
  readonly name: string;
  readonly spec: QueueSpec;
  readonly handle: (payload: unknown, job: JobContext) => Promise<void>;
  readonly signal: AbortSignal;
}

async function runJob(job: RunningJob, { name, spec, handle, signal }: Running): Promise<void> {
  const parsed = spec.payload.safeParse(job.data);
  // Another release put it there; trying again would not make it fit.
  if (!parsed.success) throw new UnrecoverableError(`payload of ${name} does not fit: ${parsed.error.message}`);
  const attempt = job.attemptsMade + 1;
  await handle(parsed.data, { id: job.id ?? '', attempt, last: attempt >= (job.opts.attempts ?? 1), signal });
}

function specOf(definition: QueueMap, name: string): QueueSpec {
  const spec = Object.hasOwn(definition, name) ? definition[name] : undefined;
  if (!spec) throw new TypeError(`there is no queue ${name}`);
  return spec;
}
