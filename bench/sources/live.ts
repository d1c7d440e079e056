/** The service itself, fed by `s3-trail`: collector, queues, ingest and detection in one process, until so many objects are stored and detected. */
import { setTimeout as pause } from 'node:timers/promises';
import { createAws } from '../../services/platform/aws.ts';
import { systemClock } from '../../services/platform/clock.ts';
import { createLifecycle } from '../../services/platform/lifecycle.ts';
import { createLogger } from '../../services/platform/logger.ts';
import { DEFAULT_LIMITS } from '../../services/sources/limits.ts';
import { createS3TrailSource } from '../../services/sources/s3-trail/source.ts';
import { collectLive } from '../../services/workers/collect-live.ts';
import { configSchema } from '../../services/workers/config.ts';
import type { Deps } from '../../services/workers/deps.ts';
import { startWorkers } from '../../services/workers/processors.ts';
import { openService } from '../../services/workers/service.ts';

export interface Collected {
  readonly events: number;
  readonly ms: number;
  /** Key of each object and when its events were committed, epoch milliseconds. */
  readonly committed: readonly (readonly [key: string, at: number])[];
}

const [url = '', objects = '0'] = process.argv.slice(2);
const logger = createLogger('error');
await using lifecycle = createLifecycle({ logger });
const queue = { url, region: process.env['AWS_REGION'] };
const service = await openService({
  config: configSchema.parse({ database_url: process.env['BENCH_DATABASE_URL'], sources: { s3_trail: { queues: [queue] } } }),
  clock: systemClock,
  logger,
  lifecycle,
  judgeBy: 'events',
  name: 'bench',
});
const { config } = service;
const committed: [string, number][] = [];
const deps = observed(service.deps);
const settings = config.sources.s3_trail;
if (!settings) throw new Error('s3_trail is not configured');
await startWorkers({ deps, lifecycle }, ['ingest', 'detect']);
const aws = createAws({ clock: systemClock, version: 'bench' });
// Loads what the SDK takes credentials with: a service does that once.
await aws.settings({ region: queue.region ?? '', role: null }).credentials();
const source = createS3TrailSource(settings, { aws, limits: DEFAULT_LIMITS, onEvent: () => undefined });

const began = performance.now();
const collecting = collectLive(deps, source, { inFlight: config.ingest.in_flight, signal: lifecycle.signal, logger });
await told('ready');
let counts = await count();
for (; counts.done < Number(objects); counts = await count()) await pause(20);
const ms = performance.now() - began;
await told({ events: counts.events, ms, committed } satisfies Collected);
const stopped = lifecycle.stop();
await collecting;
await stopped;
process.disconnect();

/** The same, with the moments of the commits noted. */
function observed(given: Deps): Deps {
  const { telemetry } = given;
  return {
    ...given,
    telemetry: {
      ...telemetry,
      batchStored(batch, stored) {
        const { key } = batch.locator;
        if (typeof key === 'string') committed.push([key, Date.now()]);
        telemetry.batchStored(batch, stored);
      },
    },
  };
}

async function count(): Promise<{ done: number; events: number }> {
  const { rows } = await deps.pool.query<{ done: number; events: number }>(
    `SELECT count(*) FILTER (WHERE state = 'stored' AND detected_at IS NOT NULL)::int AS done,
       (coalesce(sum(inserted), 0) - coalesce(sum(conflicts), 0))::int AS events FROM ingest_batch`,
  );
  return rows[0] ?? { done: 0, events: 0 };
}

async function told(message: string | Collected): Promise<void> {
  await new Promise<void>((resolve) => process.send?.(message, undefined, undefined, () => resolve()));
}
