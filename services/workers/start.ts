/** Starts the parts of the service. Each role can be its own process, any number of times; `all` is one process for everything. */
import { HOUR } from '../core/clock.ts';
import { startApi } from '../api/server.ts';
import { raiseSetting } from '../store/settings.ts';
import { expireSuppressions } from '../store/suppressions.ts';
import { monthsAhead } from '../store/partitions.ts';
import type { Deps } from './deps.ts';
import { startIntegrity } from './integrity/loop.ts';
import { startSources } from './live.ts';
import { type Loop, startLoop } from './loop.ts';
import type { QueueName } from './queues.ts';
import { startNotifying } from './notify.ts';
import { type RoleName, ROLES } from './roles.ts';
import { recordEvaluations, type Service } from './service.ts';
import { seal, sweep } from './sweep.ts';
import { startWorkers } from './processors.ts';

export { startWorkers } from './processors.ts';

type Role = Exclude<RoleName, 'all'>;

const QUEUES_OF: Readonly<Record<Role, readonly QueueName[]>> = {
  collect: [],
  ingest: ['ingest'],
  detect: ['detect', 'assess'],
  notify: ['notify'],
  api: [],
};

const SWEEP_MS = 5_000;
const SEAL_MS = 2_000;
const ASSESS_CHECK_MS = 60_000;
const RULES_MS = 5_000;
const SUPPRESSIONS_MS = 30_000;
const HEALTH_MS = 15_000;
const PARTITIONS_MS = 24 * HOUR;

export interface Started {
  readonly roles: readonly Role[];
  /** Where the API answers; null when it is none of the roles. */
  readonly url: string | null;
}

/** Starts roles on an open service; its lifecycle stops them, the last started first. @throws KmswatchError LISTEN_FAILED */
export async function startRoles(service: Service, names: readonly RoleName[]): Promise<Started> {
  const { deps, lifecycle, logger } = service;
  const roles = rolesOf(names);
  const queues = [...new Set(roles.flatMap((role) => QUEUES_OF[role]))];
  await startWorkers(service, queues);
  for (const loop of loopsOf(deps, roles)) await startLoop(lifecycle, { ...loop, logger });
  if (roles.includes('detect')) await startIntegrity(service);
  if (roles.includes('notify')) await startNotifying(service);
  const sources = roles.includes('collect') ? await startSources(service) : [];
  // The SDK is loaded by those who need it.
  if (roles.includes('collect') && service.config.inventory) await (await import('./inventory-schedule.ts')).startInventory(service);
  if (roles.includes('collect') && sources.length === 0) logger.info('no live source is configured: records come by "kmswatch replay"');
  const url = roles.includes('api') ? await startApi(service) : null;
  logger.info(
    {
      roles,
      queues,
      sources,
      backend: deps.queues.backend,
      database: service.embedded ? 'embedded' : 'external',
      role: service.databaseRole,
    },
    'started',
  );
  return { roles, url };
}

/** The roles behind the names, each once, in the order in which they start. */
export function rolesOf(names: readonly RoleName[]): Role[] {
  const every = ROLES.filter((role) => role !== 'all');
  return names.includes('all') ? every : every.filter((role) => names.includes(role));
}

function loopsOf(deps: Deps, roles: readonly Role[]): Omit<Loop, 'logger'>[] {
  const works = roles.includes('ingest') || roles.includes('detect');
  return [
    ...(works ? [{ name: 'sweep', everyMs: SWEEP_MS, work: () => sweep(deps) }] : []),
    ...(works && deps.rules ? [{ name: 'rules', everyMs: RULES_MS, work: deps.rules.reload }] : []),
    ...(roles.includes('ingest') ? [{ name: 'partitions', everyMs: PARTITIONS_MS, work: () => makePartitions(deps) }] : []),
    ...(roles.includes('detect')
      ? [
          { name: 'seal', everyMs: SEAL_MS, work: () => seal(deps) },
          { name: 'suppressions', everyMs: SUPPRESSIONS_MS, work: () => expireSuppressions(deps.pool, deps.clock.now()) },
          { name: 'detector-health', everyMs: HEALTH_MS, work: () => recordEvaluations(deps) },
          { name: 'assess', everyMs: ASSESS_CHECK_MS, work: assessHourly(deps) },
        ]
      : []),
  ];
}

async function makePartitions(deps: Deps): Promise<void> {
  await deps.partitions.ensure(monthsAhead(deps.clock.now()));
}

/**
 * Asks for an assessment once when the process starts and then every hour of the clock. The hour is a fact in Postgres, so
 * that of many processes one asks.
 */
function assessHourly(deps: Deps): () => Promise<void> {
  let started = false;
  return async () => {
    const hour = Math.floor(deps.clock.now() / HOUR);
    const isFirst = await raiseSetting(deps.pool, 'assessed_hour', hour);
    if (isFirst || !started) await deps.queues.add('assess', { asOf: null }, { jobId: `assess-hour-${hour}` });
    started = true;
  };
}
