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

/** Watches from outside how far the work in a database is, whatever happens to the server and its connections. */
export function watch(url: string | (() => string)): {
  until(condition: (progress: Progress) => boolean, timeoutMs?: number): Promise<Progress>;
} {
  let client: pg.Client | null = null;
  onTestFinished(() => client?.end().catch(() => undefined));
  const connect = async (): Promise<pg.Client> => {
    const fresh = new pg.Client(typeof url === 'string' ? url : url());
    fresh.on('error', () => undefined);
    await fresh.connect();
    return fresh;
  };
  return {
    async until(condition, timeoutMs = 180_000) {
      let last: unknown = 'nothing';
      for (const end = performance.now() + timeoutMs; performance.now() < end; await sleep(POLL_MS)) {
        try {
          client ??= await connect();
          const progress = await read(client);
          if (condition(progress)) return progress;
          last = progress;
        } catch (error) {
          last = error;
          client = null;
        }
      }
      throw new Error(`it has not come about within ${timeoutMs} ms: ${last instanceof Error ? last.message : JSON.stringify(last)}`);
    },
  };
}

export function isFinished({ batches, detected }: Progress): boolean {
  return batches > 0 && detected === batches;
}

async function read(client: pg.Client): Promise<Progress> {
  const { rows } = await client.query<Progress>(
    `SELECT count(*)::int AS batches, count(*) FILTER (WHERE state = 'stored')::int AS stored, count(detected_at)::int AS detected,
       coalesce(sum(inserted), 0)::int AS events FROM ingest_batch`,
  );
  return rows[0] ?? { batches: 0, stored: 0, detected: 0, events: 0 };
}
