/** Starting the server. All of it happens under the data directory's lock. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { chown, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KmswatchError } from '../../core/errors.ts';
import type { Logger } from '../logger.ts';
import type { RunAs } from './account.ts';
import { ensureDatabase, OWNER, untilReady } from './answer.ts';
import { GUARD, type PostgresBinaries } from './binaries.ts';
import { type Access, freshDirectory, type Layout, logTail, prepareCluster, readAccess, writeAccess } from './cluster.ts';
import { joinServer, type Membership, openPipe } from './membership.ts';
import { freePort, isFree } from './port.ts';
import { stopOrphan } from './postmaster.ts';
import { BARE_ENVIRONMENT, run } from './run.ts';

const LOG_LIMIT_BYTES = 5_000_000;

export interface ServerOptions {
  readonly binaries: PostgresBinaries;
  readonly runAs: RunAs;
  /** Settings beyond Postgres's durable defaults, by name. */
  readonly settings: Readonly<Record<string, string>>;
  readonly logger: Logger;
}

/** @throws KmswatchError EMBEDDED_POSTGRES_FAILED with the end of the server's log */
export async function startServer(layout: Layout, options: ServerOptions): Promise<Membership> {
  await stopOrphan(layout);
  await prepareCluster(layout, options.binaries, options.runAs);
  for (let attempt = 1; ; attempt += 1) {
    const { password, port: lastPort } = await readAccess(layout);
    // The port stays the same if it can, so that whoever was connected finds the server again.
    const access: Access = { password, port: (await isFree(lastPort)) ? lastPort : await freePort() };
    await writeAccess(layout, access);
    const membership = await launch(layout, access, options);
    if (membership) {
      try {
        await ensureDatabase(layout, access);
        return membership;
      } catch (error) {
        membership.leave();
        throw error;
      }
    }
    const tail = await logTail(layout);
    if (attempt < 3 && tail.includes('could not bind')) continue;
    throw new KmswatchError('EMBEDDED_POSTGRES_FAILED', `The embedded Postgres did not start. The end of ${layout.log}:\n${tail}`, {
      hint: 'Look for a full disk or too little memory, or set DATABASE_URL to a server of your own.',
    });
  }
}

async function launch(layout: Layout, access: Access, options: ServerOptions): Promise<Membership | null> {
  const { runAs, logger } = options;
  await freshDirectory(layout.runDir, runAs);
  const pipe = join(layout.runDir, 'users');
  const made = await run(runAs, 'mkfifo', ['-m', '600', pipe]);
  if (made.code !== 0)
    throw new KmswatchError('EMBEDDED_POSTGRES_FAILED', `No named pipe can be made in ${layout.runDir}: ${made.output.trim()}`);
  await rotateLog(layout);
  // A name of its own: a supervisor left over from an earlier start must not take it for its own.
  const ready = join(layout.runDir, `ready-${randomBytes(6).toString('hex')}`);
  const { reader, writer } = openPipe(layout.runDir);
  const guard = spawnGuard(layout, { ...options, reader, ready, port: access.port });
  closeSync(reader);
  const membership = await joinServer(layout.runDir, writer);
  if (!membership) return null;
  logger.debug({ pid: guard.pid, port: access.port, as: runAs.label }, 'embedded Postgres started');
  try {
    if (await untilReady(layout, access, membership)) {
      await writeFile(ready, '');
      return membership;
    }
  } catch (error) {
    membership.leave();
    throw error;
  }
  membership.leave();
  return null;
}

function spawnGuard(layout: Layout, options: ServerOptions & { reader: number; ready: string; port: number }): ChildProcess {
  const { runAs, binaries, reader, ready, port } = options;
  const settings = {
    port: String(port),
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    timezone: 'UTC',
    log_timezone: 'UTC',
    cluster_name: OWNER,
    log_checkpoints: 'off',
    // Statements and details of errors would carry values of records into a file.
    log_min_error_statement: 'panic',
    log_error_verbosity: 'terse',
    ...options.settings,
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const [file, ...args] = runAs.command('/bin/sh', [GUARD, layout.runDir, ready, binaries.postgres, '-D', layout.cluster, ...flags]);
  const log = openSync(layout.log, 'a', 0o600);
  // A session of its own: Ctrl-C in the terminal is for us, and we stop the server when we are done with it.
  const guard = spawn(file, args, {
    cwd: '/',
    env: BARE_ENVIRONMENT,
    detached: true,
    stdio: [reader, log, log],
    ...runAs.credentials,
  });
  guard.on('error', () => undefined);
  guard.unref();
  closeSync(log);
  return guard;
}

async function rotateLog(layout: Layout): Promise<void> {
  const { size } = await stat(layout.log).catch(() => ({ size: 0 }));
  if (size > LOG_LIMIT_BYTES) await rename(layout.log, `${layout.log}.1`);
  closeSync(openSync(layout.log, 'a', 0o600));
  const { uid, gid } = await stat(layout.dataDir);
  await chown(layout.log, uid, gid).catch(() => undefined);
}
