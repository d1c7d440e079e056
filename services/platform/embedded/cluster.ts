/** The files of an embedded server within the data directory, and how they come to be. */
import { randomBytes } from 'node:crypto';
import { chown, lchown, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KmswatchError } from '../../core/errors.ts';
import type { RunAs } from './account.ts';
import type { PostgresBinaries } from './binaries.ts';
import { run } from './run.ts';

export interface Layout {
  readonly dataDir: string;
  /** Postgres's own data directory. */
  readonly cluster: string;
  /** Lives as long as a running server: the guard's pipe and its users' files. */
  readonly runDir: string;
  readonly lock: string;
  readonly log: string;
  readonly access: string;
}

/** How to get in. In a file that only we can read. */
export interface Access {
  readonly port: number;
  readonly password: string;
}

export function layoutOf(dataDir: string): Layout {
  return {
    dataDir,
    cluster: join(dataDir, 'postgres'),
    runDir: join(dataDir, 'postgres.run'),
    lock: join(dataDir, 'postgres.lock'),
    log: join(dataDir, 'postgres.log'),
    access: join(dataDir, 'postgres.json'),
  };
}

export async function readAccess(layout: Layout): Promise<Access> {
  try {
    const access: unknown = JSON.parse(await readFile(layout.access, 'utf8'));
    if (isAccess(access)) return access;
  } catch (cause) {
    throw lostAccess(layout, cause);
  }
  throw lostAccess(layout);
}

export async function writeAccess(layout: Layout, access: Access): Promise<void> {
  const fresh = `${layout.access}.new`;
  await rm(fresh, { force: true });
  await writeFile(fresh, `${JSON.stringify(access)}\n`, { mode: 0o600, flag: 'wx' });
  await rename(fresh, layout.access);
}

/** Makes the cluster where there is none; otherwise sees to it that it is of this version and belongs to the account. */
export async function prepareCluster(layout: Layout, binaries: PostgresBinaries, runAs: RunAs): Promise<void> {
  const version = await readFile(join(layout.cluster, 'PG_VERSION'), 'utf8').catch(() => null);
  if (version === null) return createCluster(layout, binaries, runAs);
  const { output } = await run(runAs, binaries.postgres, ['--version']);
  const ours = / (\d+)\./.exec(output)?.[1] ?? '';
  if (version.trim() !== ours) {
    throw new KmswatchError(
      'EMBEDDED_POSTGRES_FAILED',
      `${layout.cluster} was made by Postgres ${version.trim()}; this is Postgres ${ours}.`,
      {
        hint: 'Move it away with the old release (pg_dump), or start anew with another KMSWATCH_DATA_DIR.',
      },
    );
  }
  if ((await stat(layout.cluster)).uid !== runAs.owner.uid) await giveTree(layout.cluster, runAs);
}

/** A fresh, empty directory that belongs to the account and lets nobody else in. */
export async function freshDirectory(path: string, runAs: RunAs): Promise<void> {
  await rm(path, { recursive: true, force: true });
  await mkdir(path, { mode: 0o700 });
  await chown(path, runAs.owner.uid, runAs.owner.gid);
}

/** The end of the server's log, for error messages. */
export async function logTail(layout: Layout, lines = 12): Promise<string> {
  try {
    await using file = await open(layout.log, 'r');
    const { size } = await file.stat();
    const length = Math.min(size, 8192);
    const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.toString('utf8').trimEnd().split('\n').slice(-lines).join('\n');
  } catch {
    return '';
  }
}

/** Into a directory of another name first, so that an interrupted initdb leaves nothing that looks like a cluster. */
async function createCluster(layout: Layout, binaries: PostgresBinaries, runAs: RunAs): Promise<void> {
  const fresh = `${layout.cluster}.new`;
  const secret = `${layout.runDir}.secret`;
  await freshDirectory(fresh, runAs);
  await freshDirectory(secret, runAs);
  const password = randomBytes(24).toString('base64url');
  const passwordFile = join(secret, 'password');
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  await chown(passwordFile, runAs.owner.uid, runAs.owner.gid);
  // The builtin provider knows UTF-8 without any locale of the operating system.
  const made = await run(runAs, binaries.initdb, [
    `--pgdata=${fresh}`,
    '--username=postgres',
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--no-instructions',
  ]);
  await rm(secret, { recursive: true, force: true });
  if (made.code !== 0) {
    await rm(fresh, { recursive: true, force: true });
    const why = made.output.trim().split('\n').slice(-6).join('\n');
    throw new KmswatchError('EMBEDDED_POSTGRES_FAILED', `The embedded Postgres could not make its files in ${layout.cluster}:\n${why}`, {
      hint: 'Look for a full disk or a read-only file system, or set DATABASE_URL to a server of your own.',
    });
  }
  await writeAccess(layout, { port: 0, password });
  await rm(layout.cluster, { recursive: true, force: true });
  await rename(fresh, layout.cluster);
}

async function giveTree(path: string, runAs: RunAs): Promise<void> {
  const { uid, gid } = runAs.owner;
  await chown(path, uid, gid);
  for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
    await lchown(join(entry.parentPath, entry.name), uid, gid);
  }
}

export function dataDirUnusable(path: string, cause: unknown): KmswatchError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new KmswatchError('DATA_DIR_UNUSABLE', `The data directory ${path} cannot be used: ${reason}`, {
    hint: 'Make it writable for this user (it may belong to root from an earlier run), free disk space, or set KMSWATCH_DATA_DIR to another one.',
    cause,
  });
}

function isAccess(value: unknown): value is Access {
  if (typeof value !== 'object' || value === null) return false;
  return 'port' in value && typeof value.port === 'number' && 'password' in value && typeof value.password === 'string';
}

function lostAccess(layout: Layout, cause?: unknown): KmswatchError {
  return new KmswatchError(
    'EMBEDDED_POSTGRES_FAILED',
    `${layout.access}, which holds the password of the embedded Postgres, is missing or damaged.`,
    {
      hint: 'Put it back from a backup; its form is {"port":0,"password":"…"}.',
      cause,
    },
  );
}
