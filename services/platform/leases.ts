/**
 * Leases: names that one process at a time may hold, for work that must not be done twice at once. A lease is a session-level advisory
 * lock of Postgres (https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS): it ends with the connection, whatever
 * happens to the process. All leases of a process share one connection.
 */
import { hash } from 'node:crypto';
import type pg from 'pg';
import type { Logger } from './logger.ts';

export interface Lease {
  /** Whether it is still ours; asks the server. */
  holds(): Promise<boolean>;
  /** Whether there is a guest beside us, or, for a guest, a holder; asks the server. Also true when it cannot be told. */
  isShared(): Promise<boolean>;
  /** Never rejects: a connection that is gone has given it up. */
  release(): Promise<void>;
}

export interface Leases {
  /** @returns null when somebody else, or we ourselves, hold it. @throws the driver's error */
  tryTake(name: string): Promise<Lease | null>;
  /**
   * The place of the one guest beside the holder, whether or not anybody holds the lease: for work that has to share something, a quota
   * for example, with the holder's. Each can ask whether the other is there.
   * @returns null when there is a guest. @throws the driver's error
   */
  tryJoin(name: string): Promise<Lease | null>;
  /** Gives everything up. */
  close(): Promise<void>;
}

/** @param pool of which one connection is kept as long as any lease is asked for */
export function createLeases(pool: pg.Pool, logger: Logger): Leases {
  const held = new Set<string>();
  let session: Promise<pg.PoolClient> | null = null;
  let isClosed = false;

  async function connect(): Promise<pg.PoolClient> {
    const client = await pool.connect();
    client.on('error', (err) => {
      logger.warn({ err }, 'lost the connection that holds the leases');
      drop(client);
    });
    return client;
  }

  /** The locks go with the connection. */
  function drop(client: pg.PoolClient): void {
    if (session === null || current !== client) return;
    session = null;
    current = null;
    held.clear();
    client.release(true);
  }
  let current: pg.PoolClient | null = null;

  async function open(): Promise<pg.PoolClient> {
    session ??= connect();
    try {
      current = await session;
      return current;
    } catch (error) {
      session = null;
      throw error;
    }
  }

  return {
    tryTake: (name) => take(name, guestOf(name)),
    tryJoin: (name) => take(guestOf(name), name),
    async close() {
      isClosed = true;
      const client = await session?.catch(() => null);
      if (client) drop(client);
    },
  };

  async function take(name: string, other: string): Promise<Lease | null> {
    if (isClosed || held.has(name)) return null;
    // Before anything is awaited: two who ask at the same moment would both be given the lock, the session being the same.
    held.add(name);
    let client: pg.PoolClient | null = null;
    try {
      client = await open();
      const { rows } = await client.query<{ taken: boolean }>('SELECT pg_try_advisory_lock($1::bigint) AS taken', [lockOf(name)]);
      if (rows[0]?.taken === true && client === current) return leaseOf(client, name, other);
      held.delete(name);
      return null;
    } catch (error) {
      held.delete(name);
      if (client) drop(client);
      throw error;
    }
  }

  function leaseOf(client: pg.PoolClient, name: string, other: string): Lease {
    return {
      async holds() {
        if (client !== current || !held.has(name)) return false;
        try {
          await client.query('SELECT 1');
          return client === current;
        } catch {
          drop(client);
          return false;
        }
      },
      async isShared() {
        // What we hold ourselves we would be given once more.
        if (client !== current || held.has(other)) return true;
        try {
          const { rows } = await client.query<{ free: boolean }>(
            'SELECT CASE WHEN pg_try_advisory_lock_shared($1::bigint) THEN pg_advisory_unlock_shared($1::bigint) ELSE false END AS free',
            [lockOf(other)],
          );
          return rows[0]?.free !== true;
        } catch {
          drop(client);
          return true;
        }
      },
      async release() {
        if (client !== current || !held.has(name)) return;
        try {
          await client.query('SELECT pg_advisory_unlock($1::bigint)', [lockOf(name)]);
          if (client === current) held.delete(name);
        } catch {
          drop(client);
        }
      },
    };
  }
}

function guestOf(name: string): string {
  return `${name} guest`;
}

/** 64 bits of the name's digest, as Postgres writes such a number. */
function lockOf(name: string): string {
  return Buffer.from(hash('sha256', `kmswatch lease ${name}`, 'hex'), 'hex')
    .readBigInt64BE(0)
    .toString();
}
