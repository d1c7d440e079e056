/**
 * One Postgres for the whole run: the embedded server, without durability, with a template database that has all
 * migrations. Test files clone it (see postgres.ts); the server goes away with the run, however that ends.
 */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runMigrations } from 'bullmq';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { openPostgres } from '../../services/platform/embedded.ts';
import { createLogger } from '../../services/platform/logger.ts';
import { migrate } from '../../services/platform/migrate.ts';
import { connect } from '../../services/platform/postgres.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** URL of a database on the run's server, as a user who may create databases and roles. */
    postgresAdminUrl: string;
    /** Name of the database to clone. */
    postgresTemplate: string;
  }
}

const TEMPLATE = 'kmswatch_template';
const MIGRATIONS = fileURLToPath(new URL('../../migrations', import.meta.url));
const NOT_DURABLE = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '200' };

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dataDir = await mkdtemp(join(tmpdir(), 'kmswatch-postgres-'));
  await chmod(dataDir, 0o755);
  const server = await openPostgres({ dataDir, logger: createLogger('warn'), settings: NOT_DURABLE });
  await createTemplate(server.url);
  project.provide('postgresAdminUrl', server.url);
  project.provide('postgresTemplate', TEMPLATE);
  return async () => {
    await server.close();
    await rm(dataDir, { recursive: true, force: true });
  };
}

async function createTemplate(adminUrl: string): Promise<void> {
  const admin = new pg.Client(adminUrl);
  await admin.connect();
  await admin.query(`CREATE DATABASE ${TEMPLATE}`);
  await admin.end();
  const url = new URL(adminUrl);
  url.pathname = `/${TEMPLATE}`;
  const { db, pool, close } = await connect({ url: url.href, max: 2, applicationName: 'kmswatch tests' });
  await migrate(db, MIGRATIONS);
  const client = await pool.connect();
  await runMigrations(client, 'bullmq');
  client.release();
  await close();
}
