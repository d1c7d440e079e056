import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';

export interface TestDatabase extends AsyncDisposable {
  /** As its owner, who may create roles and databases. */
  readonly url: string;
  readonly name: string;
  /** Ends everybody's connections to it, as a restart of the server would. */
  disconnectAll(): Promise<void>;
  drop(): Promise<void>;
}

export interface TestDatabaseOptions {
  /** False for a database without any migration. */
  readonly migrated?: boolean;
}

/** A database of one's own on the server of this run, with all migrations; takes some tens of milliseconds. */
export async function testDatabase({ migrated = true }: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const adminUrl = inject('postgresAdminUrl');
  const name = `test_${randomBytes(6).toString('hex')}`;
  await asAdmin(adminUrl, `CREATE DATABASE ${name} ${migrated ? `TEMPLATE ${inject('postgresTemplate')}` : ''}`);
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  // The server's own workers, such as autovacuum's, are not ours to end: `WITH (FORCE)` would try to.
  const disconnectAll = (): Promise<void> =>
    asAdmin(
      adminUrl,
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}' AND backend_type = 'client backend'`,
    );
  const drop = async (): Promise<void> => {
    for (let attempt = 1; ; attempt++) {
      await disconnectAll();
      try {
        // Without FORCE the server itself sends autovacuum away and waits some seconds for everybody else.
        return await asAdmin(adminUrl, `DROP DATABASE IF EXISTS ${name}`);
      } catch (error) {
        if (attempt >= 5 || (error as { code?: string }).code !== OBJECT_IN_USE) throw error;
      }
    }
  };
  return {
    url: url.href,
    name,
    disconnectAll,
    drop,
    [Symbol.asyncDispose]: drop,
  };
}

const OBJECT_IN_USE = '55006';

async function asAdmin(url: string, statement: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
