/** What `kmswatch doctor` looks at. Every finding of it says what to do. */
import { existsSync } from 'node:fs';
import { access, constants, statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { MINUTE } from '../core/clock.ts';
import { KmswatchError } from '../core/errors.ts';
import { openPostgres } from '../platform/embedded.ts';
import type { Lifecycle } from '../platform/lifecycle.ts';
import type { Logger } from '../platform/logger.ts';
import { schemaStanding } from '../platform/migrate.ts';
import { type Connection, connect } from '../platform/postgres.ts';
import { openQueues } from '../platform/queues.ts';
import { readDatabaseHealth, readTrouble } from '../store/read/health.ts';
import type { Database } from '../store/schema.ts';
import type { Config } from '../workers/config.ts';
import { QUEUES } from '../workers/queues.ts';
import { MIGRATIONS } from '../workers/migrations.ts';
import { WRITER_ROLE } from '../workers/service.ts';
import { bytes, counted, when } from '../api/text/words.ts';
import { type SourceStanding, sourceStandings } from '../workers/source-standings.ts';
import { lagText, sourceWarnings } from '../api/text/sources.ts';
import type { App } from './app.ts';
import { type Check, fail, ok, warn } from './check.ts';

const GIB = 1024 ** 3;
const LITTLE_DISK = 2 * GIB;
const NO_DISK = GIB / 4;
const SKEW_WARN_MS = 5_000;
const SKEW_FAIL_MS = 5 * MINUTE;

export function checkNode(version: string): Check {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > 24 || (major === 24 && minor >= 3)) return ok('node', `Node ${version}`);
  return fail('node', `Node ${version}`, 'Run kmswatch on Node 24.3 or newer.');
}

export async function checkDisk(app: App, config: Config): Promise<Check> {
  const folder = resolve(app.directory, config.data_dir);
  let present = folder;
  while (!existsSync(present) && dirname(present) !== present) present = dirname(present);
  try {
    await access(present, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch {
    return fail('disk', `${folder} cannot be written to`, 'Give this user the directory, or choose another one with --data-dir.');
  }
  const { bavail, bsize } = await statfs(present);
  const free = bavail * bsize;
  const message = `${folder}: ${bytes(free)} free`;
  if (free < NO_DISK) return fail('disk', message, 'Free some space: Postgres stops when the disk is full.');
  return free < LITTLE_DISK ? warn('disk', message, 'Free some space, or move the data directory with --data-dir.') : ok('disk', message);
}

/** Database, migrations, clock and what went wrong with the data; what cannot be asked is left out. */
export async function checkDatabase(
  app: App,
  config: Config,
  { logger, lifecycle }: { logger: Logger; lifecycle: Lifecycle },
): Promise<Check[]> {
  let connection: Connection<Database>;
  let embedded: boolean;
  try {
    const server = await openPostgres({ url: config.database_url, dataDir: config.data_dir, logger });
    await lifecycle.start(
      'postgres',
      () => server,
      (open) => open.close(),
    );
    embedded = server.embedded;
    const open = await connect<Database>({ url: server.url, role: WRITER_ROLE, max: 2, applicationName: 'kmswatch doctor', logger });
    connection = await lifecycle.start(
      'database',
      () => open,
      (each) => each.close(),
    );
  } catch (error) {
    if (!(error instanceof KmswatchError)) throw error;
    return [fail('database', error.message, error.hint ?? 'See the message.')];
  }
  const { pool, db, role } = connection;
  const health = await readDatabaseHealth(pool);
  const checks: Check[] = [];
  const what = `PostgreSQL ${health.version}, ${embedded ? 'embedded' : 'external'}, ${bytes(health.sizeBytes)}, as ${role}`;
  const standing = await schemaStanding(db, MIGRATIONS);
  const isFresh = standing.standing === 'behind';
  if (role !== WRITER_ROLE && !isFresh) {
    checks.push(
      warn(
        'database',
        what,
        `Create the role ${WRITER_ROLE} and grant it to ${role}, so that the service cannot change or delete evidence.`,
      ),
    );
  } else checks.push(ok('database', what));
  checks.push(migrationsCheck(standing));
  checks.push(checkClock(app.clock.now() - health.now));
  if (standing.standing !== 'up-to-date') return checks;
  const trouble = await readTrouble(pool, app.clock.now() - 10 * MINUTE);
  const failing = trouble.detectorFailures.map(({ detector, count }) => `${detector} (${count})`).join(', ');
  checks.push(
    trouble.quarantined === 0
      ? ok('quarantine', 'empty')
      : warn(
          'quarantine',
          `${counted(trouble.quarantined, 'input waits', 'inputs wait')}`,
          'See `kmswatch quarantine list`, then `kmswatch quarantine retry`.',
        ),
    trouble.failedBatches === 0
      ? ok('deliveries', 'none was given up')
      : warn(
          'deliveries',
          `${counted(trouble.failedBatches, 'delivery was', 'deliveries were')} given up`,
          'Mend what the log says of them, then replay the same files.',
        ),
    trouble.stale === 0
      ? ok('work', 'nothing has been waiting for long')
      : warn(
          'work',
          `${counted(trouble.stale, 'delivery has', 'deliveries have')} been waiting for more than 10 minutes`,
          'Is a worker running? `kmswatch run` finishes them.',
        ),
    failing === ''
      ? ok('detectors', 'none has failed')
      : warn('detectors', `failed on some subjects: ${failing}`, 'Please report it with what the log says; the other detectors go on.'),
  );
  for (const standing of await sourceStandings(pool, app.clock.now())) checks.push(coverageCheck(standing));
  return checks;
}

/** What a source has shown, and what it cannot. */
export function coverageCheck(standing: SourceStanding): Check {
  const { source, newestEvent, lag, lastSuccess, channels } = standing;
  const late = lag ? `; of the last day's events 95 % came within ${lagText(lag.p95).replace('≤ ', '')}` : '';
  const message = `${source}: ${counted(channels, 'account and Region', 'accounts and Regions')}, newest event ${when(newestEvent)}, last heard ${when(lastSuccess)}${late}`;
  const [first, ...others] = sourceWarnings(standing);
  if (first === undefined) return ok('coverage', message);
  return warn('coverage', message, [first, ...others].join('\n'));
}

function migrationsCheck(standing: Awaited<ReturnType<typeof schemaStanding>>): Check {
  if (standing.standing === 'up-to-date') return ok('migrations', 'up to date');
  if (standing.standing === 'behind')
    return warn(
      'migrations',
      `${counted(standing.missing.length, 'migration is', 'migrations are')} missing`,
      'Start the service, or run `kmswatch migrate`.',
    );
  return fail(
    'migrations',
    `the database was migrated by a newer release (${standing.unknown.join(', ')})`,
    'Start the newer release, or use another database.',
  );
}

export function checkClock(skewMs: number): Check {
  const message = `${(Math.abs(skewMs) / 1000).toFixed(1)} s apart from the database`;
  if (Math.abs(skewMs) > SKEW_FAIL_MS) return fail('clock', message, 'Set the clock: synchronize both machines by NTP.');
  return Math.abs(skewMs) > SKEW_WARN_MS ? warn('clock', message, 'Synchronize both machines by NTP.') : ok('clock', message);
}

export async function checkQueues(config: Config, logger: Logger): Promise<Check> {
  if (config.redis_url === undefined) return ok('queues', 'in PostgreSQL (no REDIS_URL)');
  try {
    const queues = await openQueues(QUEUES, { redisUrl: config.redis_url, postgresUrl: '', prefix: 'kmswatch', logger });
    await queues.ping();
    const counts = await queues.counts();
    await queues.close();
    const waiting = Object.values(counts).reduce((sum, states) => sum + states.waiting + states.delayed, 0);
    return ok('queues', `in Redis, ${counted(waiting, 'job waits', 'jobs wait')}`);
  } catch (error) {
    if (!(error instanceof KmswatchError)) throw error;
    return fail('queues', error.message, error.hint ?? 'See the message.');
  }
}
