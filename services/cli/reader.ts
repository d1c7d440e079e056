import type { Kysely } from 'kysely';
import type pg from 'pg';
import type { Lifecycle } from '../platform/lifecycle.ts';
import type { Logger } from '../platform/logger.ts';
import { openPostgres } from '../platform/embedded.ts';
import { migrate, requireSchema } from '../platform/migrate.ts';
import { type Connection, connect } from '../platform/postgres.ts';
import type { Database } from '../store/schema.ts';
import type { Config } from '../workers/config.ts';
import { MIGRATIONS } from '../workers/migrations.ts';
import { WRITER_ROLE } from '../workers/service.ts';
import { type App, openLogger, readConfig, withLifecycle } from './app.ts';

/** Role that commands which only look work as: it can change nothing. */
const READER_ROLE = 'kmswatch_reader';

export interface Reader {
  readonly pool: pg.Pool;
  readonly db: Kysely<Database>;
  readonly config: Config;
}

/** For commands that only look: the database without queues, as the role that may only read. @throws KmswatchError */
export async function withReader<T>(app: App, work: (reader: Reader) => Promise<T>): Promise<T> {
  return await withRole(app, READER_ROLE, work);
}

/** For commands that write a word of a person's, such as a suppression: the same as the role that the service works as. @throws KmswatchError */
export async function withWriter<T>(app: App, work: (reader: Reader) => Promise<T>): Promise<T> {
  return await withRole(app, WRITER_ROLE, work);
}

async function withRole<T>(app: App, role: string, work: (reader: Reader) => Promise<T>): Promise<T> {
  const config = readConfig(app, { quiet: true });
  const logger = openLogger(app, config);
  return await withLifecycle(app, logger, async (lifecycle) => {
    const { pool, db } = await openDatabase(config, role, { logger, lifecycle });
    return await work({ pool, db, config });
  });
}

async function openDatabase(
  config: Config,
  role: string,
  { logger, lifecycle }: { logger: Logger; lifecycle: Lifecycle },
): Promise<Connection<Database>> {
  const server = await lifecycle.start(
    'postgres',
    () => openPostgres({ url: config.database_url, dataDir: config.data_dir, logger }),
    (open) => open.close(),
  );
  const owner = await connect<Database>({ url: server.url, max: 1, applicationName: 'kmswatch reader', statementTimeoutMs: 0, logger });
  try {
    // The embedded database is ours to keep in shape; somebody's server is migrated when they ask for it.
    await (server.embedded ? migrate(owner.db, MIGRATIONS) : requireSchema(owner.db, MIGRATIONS));
  } finally {
    await owner.close();
  }
  return await lifecycle.start(
    'database',
    () => connect<Database>({ url: server.url, role, max: 4, applicationName: 'kmswatch reader', logger }),
    (open) => open.close(),
  );
}
