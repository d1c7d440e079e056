/** Talking to the server as its superuser: whether it is there, and making what the service needs. */
import { Client, escapeIdentifier, escapeLiteral } from 'pg';
import { KmswatchError } from '../../core/errors.ts';
import { monotonicMs, sleep } from '../clock.ts';
import { type Access, type Layout, logTail } from './cluster.ts';
import type { Membership } from './membership.ts';

/** Recovery after a crash replays up to `max_wal_size` of log. */
const READY_TIMEOUT_MS = 300_000;

/** Owner of the service's database: may create roles and databases, and is no superuser. */
export const OWNER = 'kmswatch';

/** Waits until the server answers. False when its guard has gone, for then it never will. */
export async function untilReady(layout: Layout, access: Access, membership: Membership): Promise<boolean> {
  const deadline = monotonicMs() + READY_TIMEOUT_MS;
  for (let pause = 10; ; pause = Math.min(pause * 1.5, 500)) {
    if (await answers(access)) return true;
    if (!membership.alive()) return false;
    if (monotonicMs() > deadline) {
      const tail = await logTail(layout);
      throw new KmswatchError(
        'EMBEDDED_POSTGRES_FAILED',
        `The embedded Postgres does not become ready. The end of ${layout.log}:\n${tail}`,
      );
    }
    await sleep(pause);
  }
}

async function answers(access: Access): Promise<boolean> {
  const client = new Client({ ...connection(access), database: 'postgres' });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return true;
  } catch (cause) {
    const { code = '' } = cause as { code?: string };
    // Not listening yet, or "starting up" (57P03). Anything else will not get better by waiting.
    if (['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', '57P03'].includes(code)) return false;
    const message = `The embedded Postgres refuses us: ${cause instanceof Error ? cause.message : 'unknown reason'}`;
    throw new KmswatchError('EMBEDDED_POSTGRES_FAILED', message, { cause });
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Makes the service's login and database where they are missing. */
export async function ensureDatabase(layout: Layout, access: Access): Promise<void> {
  const client = new Client({ ...connection(access), database: 'postgres' });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const roles = await client.query('SELECT FROM pg_roles WHERE rolname = $1', [OWNER]);
    if (roles.rowCount === 0) {
      await client.query(`CREATE ROLE ${escapeIdentifier(OWNER)} LOGIN CREATEDB CREATEROLE PASSWORD ${escapeLiteral(access.password)}`);
    }
    const databases = await client.query('SELECT FROM pg_database WHERE datname = $1', [OWNER]);
    if (databases.rowCount === 0) await client.query(`CREATE DATABASE ${escapeIdentifier(OWNER)} OWNER ${escapeIdentifier(OWNER)}`);
  } catch (cause) {
    const message = `The embedded Postgres cannot make its database: ${cause instanceof Error ? cause.message : ''}\n${await logTail(layout)}`;
    throw new KmswatchError('EMBEDDED_POSTGRES_FAILED', message, { cause });
  } finally {
    await client.end().catch(() => undefined);
  }
}

function connection(access: Access): { host: string; port: number; user: string; password: string; connectionTimeoutMillis: number } {
  return { host: '127.0.0.1', port: access.port, user: 'postgres', password: access.password, connectionTimeoutMillis: 10_000 };
}
