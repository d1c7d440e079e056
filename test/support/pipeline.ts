/**
 * The way of the data without processes and real queues: workers of their own pools, caches and names on one database, that take
 * jobs from one list. Everything between a delivery and its findings is the real thing.
 */
import pg from 'pg';
import { Registry } from 'prom-client';
import { type Clock, fixedClock } from '../../services/core/clock.ts';
import { encodeFrames } from '../../services/core/frames.ts';
import { METRICS } from '../../services/core/metrics.ts';
import type { JsonObject } from '../../services/core/json.ts';
import { type ConfiguredDetector, configureDetectors, relevanceFilter } from '../../services/detectors/configure.ts';
import type { Organization } from '../../services/detectors/contract.ts';
import { DETECTORS } from '../../services/detectors/registry.ts';
import { createLogger } from '../../services/platform/logger.ts';
import { createMetrics } from '../../services/platform/metrics.ts';
import { type Connection, connect } from '../../services/platform/postgres.ts';
import type { Queues } from '../../services/platform/queues.ts';
import { SOURCE_NAMES, type SourceName } from '../../services/sources/contract.ts';
import { DEFAULT_LIMITS } from '../../services/sources/limits.ts';
import { registerDelivery } from '../../services/store/batches.ts';
import { createNameCache } from '../../services/store/names.ts';
import { createPartitions } from '../../services/store/partitions.ts';
import type { Database } from '../../services/store/schema.ts';
import { createTermCache } from '../../services/store/terms.ts';
import { assess } from '../../services/workers/assess.ts';
import type { Deps } from '../../services/workers/deps.ts';
import { detect } from '../../services/workers/detect.ts';
import { ingest } from '../../services/workers/ingest.ts';
import { notify } from '../../services/workers/notify.ts';
import { type Alerting, createAlerting } from '../../services/workers/notify-alerting.ts';
import { alertingSchema } from '../../services/workers/notify-config.ts';
import { deliverAll } from '../../services/workers/notify-deliver.ts';
import { QUEUES } from '../../services/workers/queues.ts';
import type { Rules } from '../../services/workers/rules.ts';
import { seal, sweep } from '../../services/workers/sweep.ts';
import { createTelemetry } from '../../services/workers/telemetry.ts';

/** Moment at which everything here is stored and judged, unless a test says otherwise; records should be older. */
export const NOW = Date.UTC(2026, 5, 1);

export const CONFIGURED: readonly ConfiguredDetector[] = configureDetectors(DETECTORS, {});
export const NOBODY: Organization = { ownAccounts: new Set(), logKeys: new Set() };

export interface PipelineOptions {
  readonly workers?: number;
  readonly detectors?: readonly ConfiguredDetector[];
  readonly organization?: Organization;
  readonly clock?: Clock;
  /** Default: everything is told at once to a log that nobody reads. */
  readonly alerting?: Alerting;
  readonly rules?: Rules;
  /** Called with every statement of every worker. */
  readonly onStatement?: (text: string) => void;
}

type Job = { readonly queue: keyof typeof QUEUES; readonly payload: { readonly batchId?: number } };

export interface Pipeline extends AsyncDisposable {
  /** The first worker's. */
  readonly deps: Deps;
  readonly db: Connection<Database>['db'];
  /** Registers a delivery of records as written; they are stored once `work` is called. */
  deliver(records: readonly (Uint8Array | string)[], from?: { source?: SourceName; locator?: JsonObject }): Promise<number>;
  /** So many workers (default: all) take jobs until no work is left in Postgres either. */
  work(workers?: number): Promise<void>;
  /** Judges as of the newest event that is stored. */
  assess(): Promise<void>;
  /** Forgets everything: empties the tables, and the workers begin with empty caches. Ids go on where they were. */
  renew(): Promise<void>;
}

/** @param url of a migrated database; the workers become the writer, as the service does */
export async function openPipeline(url: string, options: PipelineOptions = {}): Promise<Pipeline> {
  const jobs: Job[] = [];
  const registry = new Registry();
  const metrics = createMetrics(registry, METRICS, {
    source: SOURCE_NAMES,
    detector: (options.detectors ?? CONFIGURED).map(({ detector }) => detector.id),
    queue: Object.keys(QUEUES),
    receiver: [...(options.alerting?.receivers.keys() ?? ['log'])],
    version: ['test'],
    node: ['test'],
  });
  const telemetry = createTelemetry(metrics, createLogger('silent'));
  const alerting = options.alerting ?? silentAlerting(options.clock ?? fixedClock(NOW));
  const connections = await Promise.all(Array.from({ length: options.workers ?? 1 }, () => connectAsWriter(url)));
  const detectors = options.detectors ?? CONFIGURED;
  const begin = (): Deps[] =>
    connections.map(({ pool }) => ({
      pool,
      terms: createTermCache(pool),
      names: createNameCache(),
      partitions: createPartitions(pool),
      queues: listQueues(jobs),
      clock: options.clock ?? fixedClock(NOW),
      telemetry,
      limits: DEFAULT_LIMITS,
      relevant: relevanceFilter(detectors, options.organization ?? NOBODY),
      get detectors() {
        return [...detectors, ...(options.rules?.detectors ?? [])];
      },
      rules: options.rules,
      organization: options.organization ?? NOBODY,
      rotationPolicy: { maxAgeDays: 365, graceDays: 7 },
      judgeBy: 'events',
      alerting,
    }));
  for (const { pool } of connections) if (options.onStatement) listen(pool, options.onStatement);
  let all = begin();
  const first = (): Deps => all[0] as Deps;
  let deliveries = 0;
  return {
    get deps() {
      return first();
    },
    db: (connections[0] as Connection<Database>).db,
    async deliver(records, { source = 'replay', locator } = {}) {
      const frames = records.map((record, offset) => ({ offset, bytes: typeof record === 'string' ? Buffer.from(record) : record }));
      deliveries += 1;
      const batchId = await registerDelivery(first().pool, {
        runId: 'test',
        source,
        locator: locator ?? { path: `delivery-${deliveries}` },
        payload: encodeFrames(frames),
        checkpoint: null,
        quarantined: [],
        receivedAt: first().clock.now(),
      });
      jobs.push({ queue: 'ingest', payload: { batchId } });
      return batchId;
    },
    async work(workers = all.length) {
      do {
        await Promise.all(all.slice(0, workers).map((worker) => takeJobs(worker, jobs)));
      } while ((await sweep(first(), -1)) > 0);
      await seal(first());
    },
    async assess() {
      const { pool, clock } = first();
      const { rows } = await pool.query<{ newest: number | null }>('SELECT max(newest_event) AS newest FROM ingest_batch');
      await assess(first(), rows[0]?.newest ?? clock.now());
    },
    async renew() {
      await asOwner(
        url,
        `DO $$ BEGIN EXECUTE (SELECT 'TRUNCATE ' || string_agg(format('%I', tablename), ', ') FROM pg_tables
        WHERE schemaname = 'public' AND tablename !~ '^(kysely|bullmq|event_\\d)'); END $$`,
      );
      jobs.length = 0;
      all = begin();
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(connections.map((connection) => connection.close()));
    },
  };
}

/** A worker that waits for a lock lets the others go on; when they add jobs, it takes some of them. */
async function takeJobs(deps: Deps, jobs: Job[]): Promise<void> {
  for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) {
    const { batchId = 0 } = job.payload;
    if (job.queue === 'ingest') await ingest(deps, batchId);
    if (job.queue === 'detect') await detect(deps, batchId);
    if (job.queue === 'notify') {
      await notify(deps);
      await deliverAll(deps);
    }
  }
}

function silentAlerting(clock: Clock): Alerting {
  const config = alertingSchema.parse({ route: { group_wait: '0s', group_interval: '0s' } });
  return createAlerting({ config, externalUrl: null, runbooksUrl: null, clock, logger: createLogger('silent') });
}

function listQueues(jobs: Job[]): Queues<typeof QUEUES> {
  const nothing = (): Promise<void> => Promise.resolve();
  return {
    backend: 'postgres',
    async add(queue, payload) {
      jobs.push({ queue, payload: payload as Job['payload'] });
    },
    async addBulk(queue, many) {
      for (const { payload } of many) jobs.push({ queue, payload: payload as Job['payload'] });
    },
    process: nothing,
    counts: () => Promise.reject(new Error('nobody counts here')),
    oldestAgeSeconds: () => Promise.reject(new Error('nobody counts here')),
    drain: nothing,
    obliterate: nothing,
    pause: nothing,
    resume: () => undefined,
    board: () => [],
    ping: nothing,
    close: nothing,
  };
}

async function connectAsWriter(url: string): Promise<Connection<Database>> {
  return await connect<Database>({ url, role: 'kmswatch_writer', max: 4, applicationName: 'kmswatch pipeline' });
}

/** Statements of the pool's clients, and what they do in transactions. */
function listen(pool: pg.Pool, onStatement: (text: string) => void): void {
  pool.on('connect', (client) => {
    const query = client.query.bind(client) as (...args: unknown[]) => unknown;
    client.query = ((...args: unknown[]) => {
      const [statement] = args;
      onStatement(typeof statement === 'string' ? statement : (statement as { text: string }).text);
      return query(...args);
    }) as typeof client.query;
  });
}

/** Runs one statement as the owner of the database, who may do what the service may not. */
export async function asOwner<R extends pg.QueryResultRow>(url: string, statement: string, values: unknown[] = []): Promise<R[]> {
  const client = new pg.Client({ connectionString: url, options: '-c timezone=UTC' });
  await client.connect();
  try {
    return (await client.query<R>(statement, values)).rows;
  } finally {
    await client.end();
  }
}
