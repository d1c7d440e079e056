/** The service around one source, without the processes: the real collector, queues, ingest, detection and metrics on one database. */
import { randomUUID } from 'node:crypto';
import { createRefresh } from '../../services/api/scrape.ts';
import { createAws } from '../../services/platform/aws.ts';
import { sleep, systemClock } from '../../services/platform/clock.ts';
import { createLeases } from '../../services/platform/leases.ts';
import { createLifecycle, type Lifecycle } from '../../services/platform/lifecycle.ts';
import { createLogger } from '../../services/platform/logger.ts';
import type { Source } from '../../services/sources/contract.ts';
import type { LiveContext } from '../../services/sources/live.ts';
import { readCheckpoint, writeCheckpoint } from '../../services/store/checkpoints.ts';
import { collect } from '../../services/workers/collect.ts';
import { collectLive } from '../../services/workers/collect-live.ts';
import { configSchema } from '../../services/workers/config.ts';
import { startWorkers } from '../../services/workers/processors.ts';
import { openService, type Service } from '../../services/workers/service.ts';
import { seal } from '../../services/workers/sweep.ts';
import { asOwner } from './pipeline.ts';
import type { SourceCase, Upstream } from './source-contract.ts';

export interface Counts {
  /** Stored, each once. */
  readonly events: number;
  /** Sightings of what was known. */
  readonly duplicates: number;
  /** Sightings of what is no record. */
  readonly quarantined: number;
}

const NOTHING: Counts = { events: 0, duplicates: 0, quarantined: 0 };
const TIMEOUT_MS = 60_000;

export class Stage implements AsyncDisposable {
  readonly upstream: Upstream;
  readonly #url: string;
  readonly #service: Service;
  readonly #context: LiveContext;
  #collecting: { readonly stop: AbortController; readonly ended: Promise<unknown> } | null = null;

  private constructor(url: string, upstream: Upstream, { service, context }: { service: Service; context: LiveContext }) {
    this.#url = url;
    this.upstream = upstream;
    this.#service = service;
    this.#context = context;
  }

  static async open({ prepare }: SourceCase, url: string): Promise<Stage> {
    const logger = createLogger('silent');
    const lifecycle = createLifecycle({ logger });
    const upstream = await prepare(url);
    const service = await openService({
      config: configSchema.parse({ database_url: url, sources: upstream.sources }),
      clock: systemClock,
      logger,
      lifecycle,
      judgeBy: 'clock',
      name: 'test',
    });
    const context = await contextOf(service, lifecycle);
    await startWorkers(service, ['ingest', 'detect']);
    return new Stage(url, upstream, { service, context });
  }

  async source(): Promise<Source> {
    return await this.upstream.open(this.#service.config, this.#context);
  }

  /** Begins to collect, with a source as a new process has it. @param dies it never comes to acknowledging anything */
  async collect({ dies = false }: { readonly dies?: boolean } = {}): Promise<void> {
    const opened = await this.source();
    const source = dies ? dying(opened) : opened;
    const { deps, config, logger } = this.#service;
    const stop = new AbortController();
    const [inFlight, { signal }] = [config.ingest.in_flight, stop];
    const ended =
      source.name === 'replay'
        ? collect(deps, source, { runId: randomUUID(), inFlight, signal })
        : collectLive(deps, source, { inFlight, signal, logger });
    // Told by `end`.
    ended.catch(() => undefined);
    this.#collecting = { stop, ended };
  }

  /** Collects no more, and seals what is judged. @throws what the collector failed with */
  async end(): Promise<void> {
    this.#collecting?.stop.abort();
    await this.#collecting?.ended;
    this.#collecting = null;
    await seal(this.#service.deps);
  }

  async counts(): Promise<Counts> {
    const [row = NOTHING] = await asOwner<Counts & Record<string, number>>(
      this.#url,
      `SELECT (SELECT count(*) FROM event)::int AS events, (SELECT count(*) FROM observation)::int AS duplicates,
         (SELECT coalesce(sum(seen), 0) FROM quarantine)::int AS quarantined`,
    );
    return row;
  }

  /** Until so much was counted, everything is acknowledged, stored and judged. */
  async settled(wanted: Partial<Counts>): Promise<void> {
    const expected = JSON.stringify({ ...NOTHING, ...wanted });
    await this.until(async () => {
      const counts = JSON.stringify(await this.counts());
      const outstanding = await this.upstream.outstanding();
      const isThere = counts === expected && outstanding === 0 && (await this.unfinished()) === 0;
      return isThere || `${counts} and ${outstanding} not acknowledged instead of ${expected}`;
    });
  }

  /** Deliveries that are not stored and judged. */
  async unfinished(): Promise<number> {
    const query = "SELECT count(*)::int AS n FROM ingest_batch WHERE state = 'pending' OR (state = 'stored' AND detected_at IS NULL)";
    return (await asOwner<{ n: number }>(this.#url, query))[0]?.n ?? 0;
  }

  /** @param condition true, or what is there instead */
  async until(condition: () => Promise<true | string>): Promise<void> {
    let state: true | string = '';
    for (const end = performance.now() + TIMEOUT_MS; performance.now() < end; await sleep(30)) {
      state = await condition();
      if (state === true) return;
    }
    throw new Error(`within ${TIMEOUT_MS} ms: ${state}`);
  }

  /** Samples of one source by metric name. */
  async scrape(source: string): Promise<Record<string, number>> {
    await createRefresh(this.#service)();
    const samples: Record<string, number> = {};
    for (const line of (await this.#service.registry.metrics()).split('\n')) {
      const [, name = '', labels = '', value] = /^(\w+)\{([^}]*)\} (\S+)$/.exec(line) ?? [];
      if (labels.split(',').includes(`source="${source}"`)) samples[name] = (samples[name] ?? 0) + Number(value);
    }
    return samples;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end().catch(() => undefined);
    await this.#service.lifecycle.stop();
  }
}

async function contextOf({ deps, logger }: Service, lifecycle: Lifecycle): Promise<LiveContext> {
  const { pool, clock } = deps;
  const leases = await lifecycle.start(
    'leases',
    () => createLeases(pool, logger),
    (open) => open.close(),
  );
  return {
    clock,
    logger,
    aws: createAws({ clock, version: 'test' }),
    leases,
    checkpoints: {
      read: (name) => readCheckpoint(pool, name),
      write: (name, value) => writeCheckpoint(pool, name, { value, at: clock.now() }),
    },
    services: ['kms'],
    relevant: deps.relevant,
  };
}

/** As if the process were killed between the commit and the acknowledgement, each time. */
function dying(source: Source): Source {
  return {
    name: source.name,
    async *run(signal) {
      const nothing = (): Promise<void> => Promise.resolve();
      for await (const delivery of source.run(signal)) yield { ...delivery, ack: nothing, nack: nothing };
    },
  };
}
