import pg from 'pg';
import { onTestFinished } from 'vitest';
import { sleep } from '../../services/platform/clock.ts';

export interface Progress {
  /** Deliveries that are registered, of them stored, and of these detected. */
  readonly batches: number;
  readonly stored: number;
  readonly detected: number;
  /** Events that are stored. */
  readonly events: number;
}

const POLL_MS = 10;

/** Watches from outside how far the work in a database is, whatever happens to the connections. */
export function watch(url: string): { until(condition: (progress: Progress) => boolean, timeoutMs?: number): Promise<Progress> } {
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  pool.on('error', () => undefined);
  onTestFinished(() => pool.end());
  return {
    async until(condition, timeoutMs = 60_000) {
      let last: unknown = 'nothing';
      for (const end = performance.now() + timeoutMs; performance.now() < end; await sleep(POLL_MS)) {
        const progress = await read(pool).catch((error: unknown) => void (last = error));
        if (!progress) continue;
        if (condition(progress)) return progress;
        last = progress;
      }
      throw new Error(`it has not come about within ${timeoutMs} ms: ${last instanceof Error ? last.message : JSON.stringify(last)}`);
    },
  };
}

export function isFinished({ batches, detected }: Progress): boolean {
  return batches > 0 && detected === batches;
}

async function read(pool: pg.Pool): Promise<Progress | undefined> {
  const { rows } = await pool.query<Progress>(
    `SELECT count(*)::int AS batches, count(*) FILTER (WHERE state = 'stored')::int AS stored, count(detected_at)::int AS detected,
       coalesce(sum(inserted), 0)::int AS events FROM ingest_batch`,
  );
  return rows[0];
}
