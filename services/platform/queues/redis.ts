import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { KmswatchError } from '../../core/errors.ts';
import { within } from '../clock.ts';
import { withoutCredentials } from '../logger.ts';
import type { QueueBackend } from './backend.ts';

const CONNECT_TIMEOUT_MS = 10_000;
const LONGEST_RETRY_MS = 2_000;

/**
 * Queues in Redis or Valkey. One connection for all of them and a blocking one for each worker; all reconnect for as long
 * as it takes, and commands wait for that.
 *
 * @throws KmswatchError QUEUE_UNREACHABLE
 */
export async function openRedisBackend(url: string, prefix: string, onError: (error: Error) => void): Promise<QueueBackend> {
  const redis = new Redis(url, {
    lazyConnect: true,
    // BullMQ's blocking commands must never be given up.
    maxRetriesPerRequest: null,
    connectTimeout: CONNECT_TIMEOUT_MS,
    retryStrategy: (times) => Math.min(times * 100, LONGEST_RETRY_MS),
  });
  // Many queues listen on the one connection.
  redis.setMaxListeners(100);
  let lastError: Error | undefined;
  redis.on('error', (error: Error) => {
    lastError = error;
    onError(error);
  });
  try {
    await within(
      CONNECT_TIMEOUT_MS,
      redis.connect().then(() => redis.ping()),
      () => lastError ?? new Error('no answer'),
    );
  } catch (cause) {
    redis.disconnect();
    throw unreachable(url, lastError ?? cause);
  }
  const connection = redis;
  return {
    kind: 'redis',
    openQueue(name) {
      const queue = new Queue(name, { connection, prefix });
      return queue;
    },
    openWorker: (name, work, options) => new Worker(name, work, { connection, prefix, ...options }),
    async oldestWaiting(queue) {
      const [job] = await queue.getJobs(['waiting'], 0, 0, true);
      return job?.timestamp ?? null;
    },
    async ping() {
      await within(CONNECT_TIMEOUT_MS, redis.ping(), () => unreachable(url, lastError ?? new Error('no answer')));
    },
    async close() {
      redis.disconnect();
    },
  };
}

function unreachable(url: string, cause: unknown): KmswatchError {
  const reason = cause instanceof Error ? withoutCredentials(cause.message) : 'unknown reason';
  return new KmswatchError('QUEUE_UNREACHABLE', `Redis at ${placeOf(url)} cannot be reached: ${reason}`, {
    hint: 'Check that it runs and REDIS_URL; or unset REDIS_URL to keep the queues in PostgreSQL.',
    cause,
  });
}

function placeOf(url: string): string {
  try {
    return new URL(url).host;
  } catch {
    return 'REDIS_URL';
  }
}
