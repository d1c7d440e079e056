/** The service itself: collector, queues, ingest and detection in one process, from file to detected event. */
import { setTimeout as pause } from 'node:timers/promises';
import { systemClock } from '../../services/platform/clock.ts';
import { createLifecycle } from '../../services/platform/lifecycle.ts';
import { createLogger } from '../../services/platform/logger.ts';
import { createReplaySource } from '../../services/sources/replay/replay.ts';
import { runCounts } from '../../services/store/batches.ts';
import { collect } from '../../services/workers/collect.ts';
import { configSchema } from '../../services/workers/config.ts';
import { openService } from '../../services/workers/service.ts';
import { startWorkers } from '../../services/workers/processors.ts';
import { DATABASE_URL, databaseSize, FOLDER, print, watchMemory } from './measure.ts';

const peak = watchMemory();
const logger = createLogger('error');
await using lifecycle = createLifecycle({ logger });
const service = await openService({
  config: configSchema.parse({ database_url: DATABASE_URL }),
  clock: systemClock,
  logger,
  lifecycle,
  judgeBy: 'events',
  name: 'bench',
});
const { deps } = service;
await startWorkers(service, ['ingest', 'detect']);
const before = await databaseSize(deps.pool);
const began = performance.now();
const source = createReplaySource({ paths: [FOLDER], stdin: null, limits: deps.limits });
await collect(deps, source, { runId: 'bench', inFlight: service.config.ingest.in_flight, signal: lifecycle.signal });
let counts = await runCounts(deps.pool, 'bench');
while (counts.unfinished > 0) {
  await pause(20);
  counts = await runCounts(deps.pool, 'bench');
}
const ms = performance.now() - began;
const detectors = deps.telemetry
  .takeEvaluations()
  .map(({ detector, milliseconds }) => ({ detector, share: milliseconds / ms }))
  .toSorted((a, b) => b.share - a.share);
print({ events: counts.new, ms, rss_mb: peak(), bytes: (await databaseSize(deps.pool)) - before, detectors });
