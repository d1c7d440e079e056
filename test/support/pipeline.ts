/**
 * The way of the data without processes and real queues: workers of their own pools, caches and names on one database, that take
 * jobs from one list. Everything between a delivery and its findings is the real thing.
 */
import pg from 'pg';
import { Registry } from 'prom-client';
import { type Clock, fixedClock } from '../../services/core/clock.ts';
import { encodeFrames } from '../../services/core/frames.ts';
import { METRICS } from '../../services/core/metrics.ts';
import type { KmsEvent } from '../../services/core/event.ts';
import type { JsonObject } from '../../services/core/json.ts';
import type { DerivedFinding } from '../../services/core/finding.ts';
import { type ConfiguredDetector, configureDetectors, relevanceFilter } from '../../services/detectors/configure.ts';
import type { Organization, Subject } from '../../services/detectors/contract.ts';
import { deriveFindings } from '../../services/detectors/engine.ts';
import { DETECTORS } from '../../services/detectors/registry.ts';
import { normalize } from '../../services/normalize/normalize.ts';
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
import { QUEUES } from '../../services/workers/queues.ts';
import { type NamedSubject, readSubjects } from '../../services/workers/subjects.ts';
import { seal, sweep } from '../../services/workers/sweep.ts';
import { createTelemetry } from '../../services/workers/telemetry.ts';

/** Moment at which everything here is stored and judged, unless a test says otherwise; records should be older. */
export const NOW = Date.UTC(2026, 5, 1);

export const CONFIGURED: readonly ConfiguredDetector[] = configureDetectors(DETECTORS, {});
export const RELEVANT = relevanceFilter(CONFIGURED);
const NOBODY: Organization = { ownAccounts: new Set(), logKeys: new Set() };

export interface PipelineOptions {
  readonly workers?: number;
  readonly detectors?: readonly ConfiguredDetector[];
  readonly organization?: Organization;
  readonly clock?: Clock;
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
  /** All workers take jobs until no work is left in Postgres either. */
  work(): Promise<void>;
  /** Judges as of the newest event that is stored. */
  assess(): Promise<void>;
}

/** @param url of a migrated database; the workers become the writer, as the service does */
export async function openPipeline(url: string, options: PipelineOptions = {}): Promise<Pipeline> {
  const jobs: Job[] = [];
  const registry = new Registry();
  const metrics = createMetrics(registry, METRICS, {
    source: SOURCE_NAMES,
    detector: (options.detectors ?? CONFIGURED).map(({ detector }) => detector.id),
    queue: Object.keys(QUEUES),
    receiver: ['log'],
    version: ['test'],
    node: ['test'],
  });
  const telemetry = createTelemetry(metrics, createLogger('silent'));
  const connections = await Promise.all(Array.from({ length: options.workers ?? 1 }, () => connectAsWriter(url)));
  const all = connections.map(({ pool }): Deps => {
    if (options.onStatement) listen(pool, options.onStatement);
    const detectors = options.detectors ?? CONFIGURED;
    return {
      pool,
      terms: createTermCache(pool),
      names: createNameCache(),
      partitions: createPartitions(pool),
      queues: listQueues(jobs),
      clock: options.clock ?? fixedClock(NOW),
      telemetry,
      limits: DEFAULT_LIMITS,
      relevant: relevanceFilter(detectors),
      detectors,
      organization: options.organization ?? NOBODY,
      rotationPolicy: { maxAgeDays: 365, graceDays: 7 },
      judgeBy: 'events',
    };
  });
  const [deps] = all as [Deps];
  const [{ db }] = connections as [Connection<Database>];
  let deliveries = 0;
  return {
    deps,
    db,
    async deliver(records, { source = 'replay', locator } = {}) {
      const frames = records.map((record, offset) => ({ offset, bytes: typeof record === 'string' ? Buffer.from(record) : record }));
      deliveries += 1;
      const batchId = await registerDelivery(deps.pool, {
        runId: 'test',
        source,
        locator: locator ?? { path: `delivery-${deliveries}` },
        payload: encodeFrames(frames),
        checkpoint: null,
        quarantined: [],
        receivedAt: deps.clock.now(),
      });
      jobs.push({ queue: 'ingest', payload: { batchId } });
      return batchId;
    },
    async work() {
      do {
        await Promise.all(all.map((worker) => takeJobs(worker, jobs)));
      } while ((await sweep(deps, -1)) > 0);
      await seal(deps);
    },
    async assess() {
      const { rows } = await deps.pool.query<{ newest: number | null }>('SELECT max(newest_event) AS newest FROM ingest_batch');
      await assess(deps, rows[0]?.newest ?? deps.clock.now());
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
    if (job.queue === 'notify') await notify(deps);
  }
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

/** Events of records as the service takes them; what it drops or puts aside is left out. */
export function eventsOf(records: readonly (Uint8Array | string)[]): KmsEvent[] {
  return records.flatMap((record) => {
    const result = normalize(typeof record === 'string' ? Buffer.from(record) : record, RELEVANT);
    return result.outcome === 'ok' ? [result.event] : [];
  });
}

/** All subjects that the database can tell of, in the order of `subjectsOf`: keys, aliases, accounts, actors by name. */
export async function storedSubjects({ deps }: Pipeline): Promise<Subject[]> {
  const client = await deps.pool.connect();
  const idsOf = async (query: string): Promise<number[]> => (await client.query<{ id: number }>(query)).rows.map((row) => row.id);
  try {
    const ids = {
      keys: await idsOf("SELECT id FROM kms_key WHERE kind = 'key'"),
      aliases: await idsOf("SELECT id FROM kms_key WHERE kind = 'alias'"),
      accounts: await idsOf(
        'SELECT account_id AS id FROM event WHERE operation_class = 3 AND key_id IS NULL UNION SELECT account_id FROM event_conflict',
      ),
      actors: await idsOf("SELECT actor_id AS id FROM event WHERE outcome = 1 UNION SELECT id FROM actor WHERE type = 'root'"),
    };
    return (await readSubjects(client, ids, deps)).map(({ subject }: NamedSubject) => subject).toSorted(byKindAndName);
  } finally {
    client.release();
  }
}

function byKindAndName(a: Subject, b: Subject): number {
  const order = ['key', 'alias', 'account', 'actor'];
  if (a.kind !== b.kind) return order.indexOf(a.kind) - order.indexOf(b.kind);
  return nameOf(a) < nameOf(b) ? -1 : 1;
}

export function nameOf(subject: Subject): string {
  return subject.kind === 'account' ? subject.account : subject.kind === 'actor' ? subject.actor.id : subject.arn;
}

/** What the detectors find of subjects, by finding id; a detector that throws fails the test. */
export function findingsOf(subjects: readonly Subject[], asOf: number, organization: Organization = NOBODY): DerivedFinding[] {
  return subjects
    .flatMap((subject) => {
      const { findings, failures } = deriveFindings(subject, CONFIGURED, { asOf, organization, now: () => 0 });
      if (failures.length > 0) throw new Error(JSON.stringify(failures));
      return findings;
    })
    .toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

/** The findings in the database, in the form in which detection derives them. */
export async function storedFindings({ deps }: Pipeline): Promise<DerivedFinding[]> {
  const { rows } = await deps.pool.query<DerivedFinding>(
    `SELECT id, detector, dedup_key AS "dedupKey", severity, title, status <> 'resolved' AS open, resolved_at AS "resolvedAt", resolution,
       key_arn AS "keyArn", actor, account, region, first_seen AS "firstSeen", last_seen AS "lastSeen", occurrences,
       ARRAY(SELECT event_id FROM finding_evidence e WHERE e.finding_id = f.id ORDER BY position) AS evidence, explanation, details
     FROM finding f ORDER BY id COLLATE "C"`,
  );
  return rows;
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
