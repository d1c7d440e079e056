import { mkdir, realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import { chooseAccount } from './embedded/account.ts';
import { OWNER, untilReady } from './embedded/answer.ts';
import { findBinaries } from './embedded/binaries.ts';
import { type Access, dataDirUnusable, type Layout, layoutOf, readAccess } from './embedded/cluster.ts';
import { withLock } from './embedded/lock.ts';
import { joinServer, type Membership } from './embedded/membership.ts';
import { leaveServer } from './embedded/postmaster.ts';
import { startServer } from './embedded/server.ts';
import type { Logger } from './logger.ts';

export interface OpenPostgres {
  /** Connection URL of the service's database, with its password: never log it. */
  readonly url: string;
  /** False when the server is somebody else's. */
  readonly embedded: boolean;
  /** Stops using the server; the last user of an embedded one waits until it has stopped. May be called again. */
  close(): Promise<void>;
}

export interface OpenPostgresOptions {
  /** The user's own server; then nothing is started. */
  readonly url?: string | undefined;
  readonly dataDir: string;
  readonly logger: Logger;
  /** Server settings beyond Postgres's durable defaults; they hold from the start of the server. */
  readonly settings?: Readonly<Record<string, string>>;
}

const LOCK_TIMEOUT_MS = 330_000;

/**
 * The database: the user's own where there is a URL, else an embedded server in `<dataDir>/postgres`. Processes that
 * open the same data directory share one server; it starts with the first and stops with the last of them, however that ends.
 *
 * @throws KmswatchError DATA_DIR_UNUSABLE, EMBEDDED_POSTGRES_UNAVAILABLE, EMBEDDED_POSTGRES_FAILED
 */
export async function openPostgres(options: OpenPostgresOptions): Promise<OpenPostgres> {
  if (options.url !== undefined && options.url !== '') return { url: options.url, embedded: false, close: () => Promise.resolve() };
  const layout = layoutOf(await openDataDir(options.dataDir));
  const { membership, access } = await translated(layout, () => withLock(layout.lock, LOCK_TIMEOUT_MS, () => enter(layout, options)));
  let closing: Promise<void> | undefined;
  return {
    url: `postgres://${OWNER}:${access.password}@127.0.0.1:${access.port}/${OWNER}`,
    embedded: true,
    close: () => {
      closing ??= leaveServer(layout, membership);
      return closing;
    },
  };
}

async function enter(layout: Layout, options: OpenPostgresOptions): Promise<{ membership: Membership; access: Access }> {
  const running = await joinServer(layout.runDir);
  if (running) {
    const access = await readAccess(layout);
    if (await untilReady(layout, access, running)) return { membership: running, access };
    running.leave();
  }
  const binaries = findBinaries();
  const runAs = await chooseAccount(layout.dataDir, layout.cluster, binaries);
  const membership = await startServer(layout, { binaries, runAs, settings: options.settings ?? {}, logger: options.logger });
  return { membership, access: await readAccess(layout) };
}

async function openDataDir(dataDir: string): Promise<string> {
  const path = resolve(dataDir);
  try {
    await mkdir(path, { recursive: true });
    return await realpath(path);
  } catch (cause) {
    throw dataDirUnusable(path, cause);
  }
}

/** Errors of the file system become ours here: whatever it was, the data directory cannot be used as it is. */
async function translated<T>(layout: Layout, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT', 'ENOTDIR', 'EIO'].includes(code)) throw dataDirUnusable(layout.dataDir, error);
    throw error;
  }
}
