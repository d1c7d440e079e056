/** The collecting role: the configured live sources run as long as the process does, and are begun again when they fail. */
import { servicesOf as servicesOfRules } from '../detectors/sigma/rule-set.ts';
import { createAws } from '../platform/aws.ts';
import { monotonicMs, sleep } from '../platform/clock.ts';
import { createLeases } from '../platform/leases.ts';
import type { Source, SourceName } from '../sources/contract.ts';
import type { LiveContext, LiveSource } from '../sources/live.ts';
import { LIVE_SOURCES } from '../sources/registry.ts';
import { readCheckpoint, writeCheckpoint } from '../store/checkpoints.ts';
import { collectLive } from './collect-live.ts';
import { keepDigests } from '../store/digests.ts';
import type { Deps } from './deps.ts';
import { keptDigest } from './integrity/kept-digest.ts';
import { keepCoverage } from './keep-coverage.ts';
import { startLoop } from './loop.ts';
import type { Service } from './service.ts';
import { VERSION } from './version.ts';
import { sourceQueues, watchDeadLetters } from './watch-dead-letters.ts';

const PAUSE_MS = { first: 1_000, most: 60_000 } as const;
/** A source that ran this long has recovered. */
const STEADY_MS = 5 * 60_000;
const COVERAGE_MS = 60_000;

/** Starts the sources that the configuration speaks of, as parts of the process. @returns their names */
export async function startSources(service: Service): Promise<string[]> {
  const { deps, config, logger, lifecycle } = service;
  const leases = await lifecycle.start(
    'leases',
    () => createLeases(deps.pool, logger),
    (open) => open.close(),
  );
  const context: LiveContext = {
    clock: deps.clock,
    logger,
    aws: createAws({ clock: deps.clock, version: VERSION }),
    leases,
    checkpoints: {
      read: (name) => readCheckpoint(deps.pool, name),
      write: (name, value) => writeCheckpoint(deps.pool, name, { value, at: deps.clock.now() }),
    },
    services: servicesOf(deps),
    relevant: deps.relevant,
    keepDigest: async (digest) => {
      const kept = await keptDigest(digest);
      if (kept) await keepDigests(deps.pool, [kept], deps.clock.now());
    },
    countMessages: (source, outcome, count) => service.metrics.kmswatch_source_messages_total.inc({ source, outcome }, count),
  };
  const names: SourceName[] = [];
  for (const [section, described] of Object.entries<LiveSource<unknown>>(LIVE_SOURCES)) {
    const settings = (config.sources as Readonly<Record<string, unknown>>)[section];
    const source = settings === undefined ? null : await described.create(settings, context);
    if (!source) continue;
    names.push(source.name);
    await lifecycle.start(
      `source ${source.name}`,
      () => ({ ended: keepRunning(service, source) }),
      ({ ended }) => ended,
    );
  }
  if (names.length > 0) {
    const collected = { sources: names, lookupEvents: config.sources.lookup_events, services: context.services };
    await startLoop(lifecycle, { name: 'coverage', everyMs: COVERAGE_MS, logger, work: keepCoverage(deps, collected) });
  }
  const queues = sourceQueues(config);
  if (queues.length > 0) {
    const told = (source: SourceName, messages: number): void =>
      service.metrics.kmswatch_source_dead_letter_messages.set({ source }, messages);
    const work = watchDeadLetters(queues, { aws: context.aws, logger, told });
    await startLoop(lifecycle, { name: 'dead letters', everyMs: COVERAGE_MS, logger, work });
  }
  return names;
}

async function keepRunning({ deps, config, logger, lifecycle: { signal } }: Service, source: Source): Promise<void> {
  for (let pause: number = PAUSE_MS.first; !signal.aborted; pause = Math.min(pause * 2, PAUSE_MS.most)) {
    const since = monotonicMs();
    try {
      await collectLive(deps, source, { inFlight: config.ingest.in_flight, signal, logger });
    } catch (err) {
      if (!signal.aborted) logger.error({ source: source.name, err, retryInMs: pause }, 'a source failed and will be begun again');
    }
    if (monotonicMs() - since > STEADY_MS) pause = PAUSE_MS.first;
    await sleep(pause, signal);
  }
}

/** Whose records any enabled detector needs. */
export function servicesOf({ detectors, rules }: Pick<Deps, 'detectors' | 'rules'>): string[] {
  const named = detectors.flatMap(({ detector }) => detector.events.map((pattern) => pattern.slice(0, pattern.indexOf(':'))));
  return [...new Set(['kms', ...named, ...(rules ? servicesOfRules(rules.current) : [])])];
}
