import { createPostgresBackend, Queue, runMigrations, Worker } from 'bullmq';
import { Pool } from 'pg';
import { KmswatchError } from '../../core/errors.ts';
import { within } from '../clock.ts';
import { databaseError } from '../postgres/errors.ts';
import type { QueueBackend } from './backend.ts';

/** BullMQ's tables lie in a schema of their own. With a pool given it uses this name and no other. */
const SCHEMA = 'bullmq';
const CONNECT_TIMEOUT_MS = 10_000;
const QUERIES_AT_A_TIME = 4;

/**
 * Queues in PostgreSQL, on one pool for all: a listening connection for each worker and a few for the rest.
 *
 * @param queues how many queues may get a worker
 * @throws KmswatchError QUEUE_UNREACHABLE
 */
export async function openPostgresBackend(url: string, queues: number, onError: (error: Error) => void): Promise<QueueBackend> {
  const pool = new Pool({
    connectionString: url,
    max: queues + QUERIES_AT_A_TIME,
    application_name: 'kmswatch queues',
    // A job that a crash of Postgres takes away is put on the queue again, because its work is unfinished in our tables (workers/sweep.ts):
    // four commits a delivery need not wait for the disk.
    options: `-c search_path=${SCHEMA} -c timezone=UTC -c synchronous_commit=off`,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: 60_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  });
  pool.setMaxListeners(100);
  pool.on('error', onError);
  // A client in use that breaks says so itself; whoever uses it learns it from its query.
  pool.on('connect', (client) => client.on('error', () => undefined));
  try {
    const client = await pool.connect();
    try {
      // The tables themselves do not come back by the sweep, so they wait for the disk.
      await client.query('SET synchronous_commit = on');
      await runMigrations(client, SCHEMA);
      await client.query('RESET synchronous_commit');
    } finally {
      client.release();
    }
  } catch (error) {
    await pool.end().catch(() => undefined);
    throw unreachable(error, url);
  }
  return {
    kind: 'postgres',
    openQueue(name) {
      const queue = new Queue(name, { connection: pool, streams: { events: { maxLen: 1_000 } } }, createPostgresBackend);
      return queue;
    },
    openWorker: (name, work, options) => new Worker(name, work, { connection: pool, ...options }, createPostgresBackend),
    async oldestWaiting(queue) {
      // This store counts a range from the newest on, whichever order is asked for.
      const { waiting = 0 } = await queue.getJobCounts('waiting');
      const [job] = waiting > 0 ? await queue.getJobs(['waiting'], waiting - 1, waiting - 1, true) : [];
      return job?.timestamp ?? null;
    },
    async ping() {
      try {
        await pool.query('SELECT');
      } catch (error) {
        throw unreachable(error, url);
      }
    },
    async close() {
      // Waits for clients that are out; one that a stuck job holds must not keep us.
      await within(2_000, pool.end(), () => new Error('connections are still in use')).catch(onError);
    },
  };
}

function unreachable(error: unknown, url: string): KmswatchError {
  const { message, hint } = databaseError(error, url);
  return new KmswatchError('QUEUE_UNREACHABLE', `The queues cannot be reached: ${message}`, { hint, cause: error });
}
