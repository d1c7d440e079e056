/**
 * The queues: name → payload. Payloads are claim checks: ids, never records. Postgres knows all unfinished work, so a job may
 * be lost, doubled or late without harm.
 */
import { z } from 'zod';
import { defineQueues } from '../platform/queues.ts';

const retries = { attempts: 6, backoff: { type: 'exponential', delay: 500, jitter: 0.5 } } as const;

/** Deliveries that one process ingests at a time; the configuration may say otherwise. */
const INGEST_CONCURRENCY: number = 2;

export const QUEUES = defineQueues({
  /** Open a delivery, normalize, store. One job a delivery. */
  ingest: { payload: z.strictObject({ batchId: z.int().positive() }), options: retries, concurrency: INGEST_CONCURRENCY },
  /** Derive the findings of the subjects that a stored batch touched. */
  detect: { payload: z.strictObject({ batchId: z.int().positive() }), options: retries, concurrency: 1 },
  /** Judge what time alone changes: rotation standing, expiry, escalation. */
  assess: { payload: z.strictObject({ asOf: z.int().nullable() }), options: retries, concurrency: 1 },
  /** Deliver what the outbox holds. */
  notify: { payload: z.strictObject({}), options: retries, concurrency: 1 },
});

export type QueueName = keyof typeof QUEUES;
