import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { sleep } from '../../services/platform/clock.ts';
import { openPostgres } from '../../services/platform/embedded.ts';
import { createLogger } from '../../services/platform/logger.ts';

const USER = fileURLToPath(new URL('../support/embedded-user.ts', import.meta.url));
const isRoot = process.geteuid?.() === 0;
const logger = createLogger('silent');
const cleanups: (() => void | Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A data directory for all tests that leave it as it was: making its files takes longer than all the rest. */
let common: string;

beforeAll(async () => {
  const path = mkdtempSync(join(tmpdir(), 'kmswatch-embedded-'));
  chmodSync(path, 0o755);
  common = join(path, 'data');
  await (await openPostgres({ dataDir: common, logger })).close();
  return () => rmSync(path, { recursive: true, force: true });
});

/** A data directory of the test's own. */
function directory(mode = 0o755): string {
  const path = mkdtempSync(join(tmpdir(), 'kmswatch-embedded-'));
  chmodSync(path, mode);
  cleanups.push(async () => {
    await until(() => postmasterOf(join(path, 'data')) === null, 30_000);
    rmSync(path, { recursive: true, force: true });
  });
  return join(path, 'data');
}

async function until(condition: () => boolean | Promise<boolean>, ms = 20_000): Promise<void> {
  for (const end = performance.now() + ms; !(await condition()); await sleep(20)) {
    if (performance.now() > end) throw new Error('it has not come about in time');
  }
}

/** The running server's process id, or null. */
function postmasterOf(dataDir: string): number | null {
  const file = join(dataDir, 'postgres', 'postmaster.pid');
  if (!existsSync(file)) return null;
  const pid = Number(readFileSync(file, 'utf8').split('\n', 1)[0]);
  return existsSync(`/proc/${pid}`) || !existsSync('/proc/self') ? pid : null;
}

/** Another process that uses the server until its standard input ends. Prints the URL when it is in. */
async function user(
  dataDir: string,
): Promise<{ child: ChildProcessByStdio<Writable, Readable, null>; url: string; leave(): Promise<void> }> {
  const child = spawn(process.execPath, [USER, dataDir], { stdio: ['pipe', 'pipe', 'inherit'] });
  cleanups.push(() => void child.kill('SIGKILL'));
  const [chunk] = (await once(child.stdout, 'data')) as [Buffer];
  return {
    child,
    url: chunk.toString().trim(),
    async leave() {
      const gone = once(child, 'exit');
      child.stdin.end();
      expect(await gone).toEqual([0, null]);
    },
  };
}

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client(url);
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query(text)).rows as Record<string, unknown>[];
  } finally {
    await client.end();
  }
}

describe('the embedded Postgres', () => {
  test('keeps its data, stops with its only user, and is durable, local, UTF-8 and not entered as superuser', async () => {
    const dataDir = directory();
    const first = await openPostgres({ dataDir, logger });
    expect(first.embedded).toBe(true);
    await query(first.url, `CREATE TABLE kept AS SELECT 'größer 漢字' AS word`);
    const settings = ['fsync', 'synchronous_commit', 'full_page_writes', 'listen_addresses', 'server_encoding', 'TimeZone', 'is_superuser'];
    const [row] = await query(first.url, `SELECT ${settings.map((name) => `current_setting('${name}') AS "${name}"`).join(', ')}`);
    expect(row).toEqual({
      fsync: 'on',
      synchronous_commit: 'on',
      full_page_writes: 'on',
      listen_addresses: '127.0.0.1',
      server_encoding: 'UTF8',
      TimeZone: 'UTC',
      is_superuser: 'off',
    });
    expect(await query(first.url, `SELECT upper('größer') AS u, 'a' < 'B' AS c`)).toEqual([{ u: 'GRÖßER', c: false }]);
    await first.close();
    await first.close();
    expect(postmasterOf(dataDir)).toBeNull();

    const second = await openPostgres({ dataDir, logger });
    expect(second.url).toBe(first.url);
    expect(await query(second.url, 'SELECT word FROM kept')).toEqual([{ word: 'größer 漢字' }]);
    await second.close();
  });

  test('lets nobody in without the password, which only the owner can read', async () => {
    const dataDir = common;
    const server = await openPostgres({ dataDir, logger });
    const wrong = new URL(server.url);
    wrong.password = 'wrong';
    await expect(query(wrong.href, 'SELECT 1')).rejects.toMatchObject({ code: '28P01' });
    expect(statSync(join(dataDir, 'postgres.json')).mode & 0o777).toBe(0o600);
    expect(statSync(join(dataDir, 'postgres')).mode & 0o777).toBe(0o700);
    expect(readFileSync(join(dataDir, 'postgres.log'), 'utf8')).not.toContain(new URL(server.url).password);
    await server.close();
  });

  test('is shared: whoever started it may leave first, the last one stops it', async () => {
    const dataDir = common;
    const first = await user(dataDir);
    const second = await user(dataDir);
    expect(second.url).toBe(first.url);
    const pid = postmasterOf(dataDir);
    await first.leave();
    expect(await query(second.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect(postmasterOf(dataDir)).toBe(pid);
    await second.leave();
    expect(postmasterOf(dataDir)).toBeNull();
  });

  test('several that open it at the same moment get the same server', async () => {
    const dataDir = directory();
    const users = await Promise.all([user(dataDir), user(dataDir), user(dataDir), user(dataDir)]);
    expect(new Set(users.map(({ url }) => url)).size).toBe(1);
    await Promise.all(users.map(({ leave }) => leave()));
    expect(postmasterOf(dataDir)).toBeNull();
  });

  test('users that come and go at the same time always find a server that works', async () => {
    const dataDir = common;
    const visit = async (): Promise<void> => {
      for (let i = 0; i < 6; i += 1) {
        const server = await openPostgres({ dataDir, logger });
        expect(await query(server.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
        await server.close();
      }
    };
    await Promise.all([visit(), visit(), visit()]);
    await until(() => postmasterOf(dataDir) === null);
  });

  test('kill -9 of the one who started it does not disturb the others', async () => {
    const dataDir = common;
    const first = await user(dataDir);
    const second = await user(dataDir);
    first.child.kill('SIGKILL');
    await once(first.child, 'exit');
    await sleep(300);
    expect(await query(second.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await second.leave();
    expect(postmasterOf(dataDir)).toBeNull();
  });

  test('kill -9 of the last user stops the server too, cleanly, and the next start finds it well', async () => {
    const dataDir = common;
    const only = await user(dataDir);
    const logged = statSync(join(dataDir, 'postgres.log')).size;
    await query(only.url, 'CREATE TABLE killed_user AS SELECT 1 AS one');
    only.child.kill('SIGKILL');
    await until(() => postmasterOf(dataDir) === null);
    await until(() => readFileSync(join(dataDir, 'postgres.log'), 'utf8').slice(logged).includes('database system is shut down'));
    const server = await openPostgres({ dataDir, logger });
    expect(await query(server.url, 'SELECT one FROM killed_user')).toEqual([{ one: 1 }]);
    await server.close();
  });

  test('a server that is killed while in use comes back under the same URL with what was committed', async () => {
    const dataDir = common;
    const server = await openPostgres({ dataDir, logger });
    await query(server.url, 'CREATE TABLE killed_server AS SELECT 1 AS one');
    const pid = postmasterOf(dataDir)!;
    process.kill(pid, 'SIGKILL');
    await until(
      () =>
        query(server.url, 'SELECT one FROM killed_server').then(
          (rows) => rows[0]?.['one'] === 1,
          () => false,
        ),
      60_000,
    );
    expect(postmasterOf(dataDir)).not.toBe(pid);
    await server.close();
    expect(postmasterOf(dataDir)).toBeNull();
  });

  test('a guard that is killed leaves a server that the next start replaces', async () => {
    const dataDir = common;
    const first = await user(dataDir);
    const pid = postmasterOf(dataDir)!;
    for (const guard of guardsOf(dataDir)) process.kill(guard, 'SIGKILL');
    await until(() => guardsOf(dataDir).length === 0);
    const second = await openPostgres({ dataDir, logger });
    expect(postmasterOf(dataDir)).not.toBe(pid);
    expect(await query(second.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await second.close();
    expect(postmasterOf(dataDir)).toBeNull();
    await first.leave();
  });

  test('a stale postmaster.pid that names a living process of another kind does not stand in the way', async () => {
    const dataDir = common;
    const first = await openPostgres({ dataDir, logger });
    await first.close();
    const file = join(dataDir, 'postgres', 'postmaster.pid');
    writeFileSync(file, `${process.pid}\n${join(dataDir, 'postgres')}\n1700000000\n5432\n\n127.0.0.1\n  1  2\nready\n`);
    const second = await openPostgres({ dataDir, logger });
    expect(await query(second.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await second.close();
  });

  test('a start that was interrupted while making the files begins anew', async () => {
    const dataDir = directory();
    mkdirSync(join(dataDir, 'postgres.new'), { recursive: true });
    writeFileSync(join(dataDir, 'postgres.new', 'PG_VERSION'), '18\n');
    const server = await openPostgres({ dataDir, logger });
    expect(await query(server.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await server.close();
    expect(readdirSync(dataDir)).not.toContain('postgres.new');
  });

  test('a taken port is exchanged for a free one', async () => {
    const dataDir = common;
    const first = await openPostgres({ dataDir, logger });
    await first.close();
    const { createServer } = await import('node:net');
    const squatter = createServer().listen(Number(new URL(first.url).port), '127.0.0.1');
    await once(squatter, 'listening');
    const second = await openPostgres({ dataDir, logger });
    expect(new URL(second.url).port).not.toBe(new URL(first.url).port);
    await second.close();
    squatter.close();
  });

  test('a server that cannot start says why, with the end of its log', async () => {
    const dataDir = common;
    const failure = await openPostgres({ dataDir, logger, settings: { shared_buffers: '900TB' } }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'EMBEDDED_POSTGRES_FAILED', message: expect.stringContaining('shared_buffers') });
    const server = await openPostgres({ dataDir, logger });
    await server.close();
  });

  test('files of another major version are left alone', async () => {
    const dataDir = directory();
    mkdirSync(join(dataDir, 'postgres'), { recursive: true });
    writeFileSync(join(dataDir, 'postgres', 'PG_VERSION'), '12\n');
    await expect(openPostgres({ dataDir, logger })).rejects.toMatchObject({
      code: 'EMBEDDED_POSTGRES_FAILED',
      message: expect.stringContaining('Postgres 12'),
    });
    expect(readFileSync(join(dataDir, 'postgres', 'PG_VERSION'), 'utf8')).toBe('12\n');
  });

  test('a data directory that is a file is DATA_DIR_UNUSABLE', async () => {
    const dataDir = directory();
    writeFileSync(dataDir, '');
    await expect(openPostgres({ dataDir, logger })).rejects.toMatchObject({
      code: 'DATA_DIR_UNUSABLE',
      hint: expect.stringContaining('KMSWATCH_DATA_DIR'),
    });
  });

  test('with a URL nothing is started', async () => {
    const dataDir = directory();
    const server = await openPostgres({ url: 'postgres://db.example.com/x', dataDir, logger });
    expect(server).toMatchObject({ url: 'postgres://db.example.com/x', embedded: false });
    await server.close();
    expect(existsSync(dataDir)).toBe(false);
  });

  test('root runs it as another user, beneath a closed directory in a user namespace; everybody else as themselves', async () => {
    const dataDir = await (isRoot ? asRoot() : asOurselves());
    expect(postmasterOf(dataDir)).toBeNull();
  });
});

/** Processes that run the guard of this data directory: itself and its supervisor. */
function guardsOf(dataDir: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
        return command[1]?.endsWith('guard.sh') && command[2] === join(dataDir, 'postgres.run');
      } catch {
        return false;
      }
    });
}

function ownerOf(pid: number): number {
  return statSync(`/proc/${pid}`).uid;
}

async function asOurselves(): Promise<string> {
  const dataDir = directory(0o700);
  const server = await openPostgres({ dataDir, logger });
  expect(ownerOf(postmasterOf(dataDir)!)).toBe(process.geteuid?.());
  await server.close();
  return dataDir;
}

async function asRoot(): Promise<string> {
  const open = directory();
  const shared = await openPostgres({ dataDir: open, logger });
  expect(ownerOf(postmasterOf(open)!)).not.toBe(0);
  expect(statSync(join(open, 'postgres')).uid).not.toBe(0);
  await shared.close();

  const closed = directory(0o700);
  const own = await openPostgres({ dataDir: closed, logger });
  expect(await query(own.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  expect(statSync(join(closed, 'postgres')).uid).toBe(0);
  const second = await user(closed);
  expect(second.url).toBe(own.url);
  await own.close();
  await second.leave();
  expect(postmasterOf(closed)).toBeNull();

  // The same files after the directory was opened up, and closed again.
  chmodSync(join(closed, '..'), 0o755);
  const opened = await openPostgres({ dataDir: closed, logger });
  await opened.close();
  chmodSync(join(closed, '..'), 0o700);
  const again = await openPostgres({ dataDir: closed, logger });
  expect(await query(again.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  await again.close();
  return closed;
}
