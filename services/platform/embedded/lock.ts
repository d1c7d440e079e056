import { dirname } from 'node:path';
import { KmswatchError } from '../../core/errors.ts';
import { monotonicMs, sleep } from '../clock.ts';
import { dataDirUnusable } from './cluster.ts';

/**
 * One process at a time, whatever becomes of it: the lock is the kernel's own on an (always empty) SQLite file, so it ends
 * with its holder, by `kill -9` too, and no stale lock can exist. Within one process it excludes as well.
 *
 * @throws KmswatchError EMBEDDED_POSTGRES_FAILED when the lock is not free after `waitMs`; DATA_DIR_UNUSABLE when there can be none
 */
export async function withLock<T>(file: string, waitMs: number, work: () => Promise<T>): Promise<T> {
  const release = await acquire(file, waitMs);
  try {
    return await work();
  } finally {
    release();
  }
}

const SQLITE_BUSY = 5;

async function acquire(file: string, waitMs: number): Promise<() => void> {
  // Loaded only where it is needed: most commands of a service with its own database never come here.
  const { DatabaseSync } = await import('node:sqlite');
  const deadline = monotonicMs() + waitMs;
  for (;;) {
    let database: InstanceType<typeof DatabaseSync> | undefined;
    try {
      database = new DatabaseSync(file, { timeout: 0 });
      database.exec('BEGIN EXCLUSIVE');
      const held = database;
      return () => held.close();
    } catch (cause) {
      database?.close();
      if ((cause as { errcode?: number }).errcode !== SQLITE_BUSY) throw dataDirUnusable(dirname(file), cause);
      if (monotonicMs() > deadline) throw busy(waitMs, cause);
      await sleep(20 + Math.random() * 30);
    }
  }
}

function busy(waitMs: number, cause: unknown): KmswatchError {
  const message = `Another process has been starting or stopping the embedded Postgres for ${Math.round(waitMs / 1000)} s.`;
  return new KmswatchError('EMBEDDED_POSTGRES_FAILED', message, {
    hint: 'Look for hanging kmswatch processes on this data directory.',
    cause,
  });
}
