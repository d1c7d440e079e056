/**
 * Puts the parts together: database, queues, dictionaries, detectors. Commands and the long-running service open the same
 * thing; what they start on top of it differs.
 */
import type { Kysely } from 'kysely';
import { Registry } from 'prom-client';
import type { Clock } from '../core/clock.ts';
import { METRICS } from '../core/metrics.ts';
import { configureDetectors, relevanceFilter } from '../detectors/configure.ts';
import { DETECTORS } from '../detectors/registry.ts';
import { openPostgres } from '../platform/embedded.ts';
import type { Lifecycle } from '../platform/lifecycle.ts';
import type { Logger } from '../platform/logger.ts';
import { createMetrics, type Metrics, observeProcess } from '../platform/metrics.ts';
import { migrate } from '../platform/migrate.ts';
import { openNetworks } from '../platform/networks.ts';
import { connect } from '../platform/postgres.ts';
import { openQueues } from '../platform/queues.ts';
import { SOURCE_NAMES } from '../sources/contract.ts';
import { DEFAULT_LIMITS } from '../sources/limits.ts';
import { addEvaluations } from '../store/detector-health.ts';
import { createNameCache } from '../store/names.ts';
import { createPartitions } from '../store/partitions.ts';
import type { Database } from '../store/schema.ts';
import { createTermCache } from '../store/terms.ts';
import type { Config } from './config.ts';
import type { Deps } from './deps.ts';
import { createAlerting, externalUrlOf } from './notify-alerting.ts';
import { MIGRATIONS } from './migrations.ts';
import { QUEUES } from './queues.ts';
import { openersFor } from './openers.ts';
import { organizationOf } from './organization.ts';
import { openRules } from './rules.ts';
import { createTelemetry, SIGMA_LABEL } from './telemetry.ts';
import { VERSION } from './version.ts';

/** Role that the service works as: it may add events and evidence, and neither change nor remove them. */
export const WRITER_ROLE = 'kmswatch_writer';

export interface Service {
  readonly config: Config;
  readonly deps: Deps;
  readonly db: Kysely<Database>;
  readonly registry: Registry;
  readonly metrics: Metrics<typeof METRICS>;
  readonly logger: Logger;
  readonly lifecycle: Lifecycle;
  /** Role that statements run as; the login itself where `kmswatch_writer` could not be made. */
  readonly databaseRole: string;
  readonly embedded: boolean;
}

export interface ServiceOptions {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly lifecycle: Lifecycle;
  readonly judgeBy: Deps['judgeBy'];
  /** Names the process in `pg_stat_activity`. */
  readonly name: string;
}

/** Opens database and queues, migrating when needed. Everything is registered with the lifecycle, which also closes it. */
export async function openService(options: ServiceOptions): Promise<Service> {
  const { config, clock, logger, lifecycle } = options;
  const postgres = await lifecycle.start(
    'postgres',
    () => openPostgres({ url: config.database_url, dataDir: config.data_dir, logger }),
    (server) => server.close(),
  );
  await migrateAsOwner(postgres.url, logger);
  const connection = await lifecycle.start(
    'database',
    () => connect<Database>({ url: postgres.url, role: WRITER_ROLE, max: 10, applicationName: `kmswatch ${options.name}`, logger }),
    (open) => open.close(),
  );
  const queues = await lifecycle.start(
    'queues',
    () => openQueues(queuesFor(config), { redisUrl: config.redis_url, postgresUrl: postgres.url, logger }),
    (open) => open.close(),
  );
  const detectors = configureDetectors(DETECTORS, config.detectors);
  const organization = organizationOf(config);
  const nameNetwork = await openNetworks(config.networks);
  const rules = config.sigma.folder === undefined ? undefined : await openRules(config.sigma.folder, logger);
  const registry = new Registry();
  const metrics = createMetrics(registry, METRICS, {
    source: SOURCE_NAMES,
    detector: [...DETECTORS.map((detector) => detector.id), SIGMA_LABEL],
    queue: Object.keys(QUEUES),
    receiver: config.alerting.receivers.map(({ name }) => name),
    version: [VERSION],
    node: [process.version],
  });
  metrics.kmswatch_build_info.set({ version: VERSION, node: process.version }, 1);
  observeProcess(registry);
  const deps: Deps = {
    pool: connection.pool,
    terms: createTermCache(connection.pool),
    names: createNameCache(),
    partitions: createPartitions(connection.pool),
    queues,
    clock,
    telemetry: createTelemetry(metrics, logger),
    limits: DEFAULT_LIMITS,
    openers: openersFor(config, clock),
    relevant: relevanceFilter(detectors, organization),
    ...(nameNetwork && { nameNetwork }),
    get detectors() {
      return rules ? [...detectors, ...rules.detectors] : detectors;
    },
    rules,
    organization,
    rotationPolicy: { maxAgeDays: config.rotation.max_age_days, graceDays: config.rotation.grace_days },
    judgeBy: options.judgeBy,
    alerting: createAlerting({
      config: config.alerting,
      externalUrl: externalUrlOf(config),
      runbooksUrl: config.runbooks_url?.replace(/\/+$/, '') ?? null,
      clock,
      logger,
    }),
  };
  await lifecycle.start(
    'detector-health',
    () => undefined,
    () => recordEvaluations(deps),
  );
  return {
    config,
    deps,
    db: connection.db,
    registry,
    metrics,
    logger,
    lifecycle,
    databaseRole: connection.role,
    embedded: postgres.embedded,
  };
}

/** What detectors did goes on record every few seconds, and when the process ends. */
export async function recordEvaluations({ pool, telemetry, clock }: Deps): Promise<void> {
  await addEvaluations(pool, telemetry.takeEvaluations(), clock.now());
}

/** Migrations need the owner; everything after them works as the writer. */
async function migrateAsOwner(url: string, logger: Logger): Promise<void> {
  const owner = await connect<Database>({ url, max: 1, applicationName: 'kmswatch migrate', statementTimeoutMs: 0, logger });
  try {
    const { applied } = await migrate(owner.db, MIGRATIONS);
    if (applied.length > 0) logger.info({ applied }, 'database migrated');
  } finally {
    await owner.close();
  }
}

function queuesFor(config: Config): typeof QUEUES {
  return { ...QUEUES, ingest: { ...QUEUES.ingest, concurrency: config.ingest.concurrency } };
}
