import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { sleep } from '../../services/platform/clock.ts';
import { freePort } from './port.ts';

export interface TestRedis extends AsyncDisposable {
  readonly url: string;
  /** Stops the server; what was in it is there again after `start`. */
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Empties it. */
  flush(): Promise<void>;
}

/**
 * A Redis of one's own on a free port, with its files in a temporary directory.
 *
 * @throws Error naming the command that installs it, where there is none: such a test fails, it is not passed over
 */
export async function testRedis(): Promise<TestRedis> {
  const directory = await mkdtemp(join(tmpdir(), 'kmswatch-redis-'));
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  let server: ChildProcess | null = null;
  const start = async (): Promise<void> => {
    server = await launch(port, directory);
  };
  const stop = async (): Promise<void> => {
    const running = server;
    server = null;
    if (running?.exitCode !== null) return;
    const gone = once(running, 'exit');
    running.kill('SIGTERM');
    await gone;
  };
  await start();
  return {
    url,
    start,
    stop,
    async flush() {
      const redis = new Redis(url);
      await redis.flushall();
      redis.disconnect();
    },
    async [Symbol.asyncDispose]() {
      await stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function launch(port: number, directory: string): Promise<ChildProcess> {
  const flags = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--dir',
    directory,
    '--save',
    '',
    '--appendonly',
    'yes',
    '--maxmemory-policy',
    'noeviction',
  ];
  const server = spawn('redis-server', flags, { stdio: 'ignore' });
  const failed = once(server, 'error').then(([error]: unknown[]) => {
    throw new Error('redis-server is not installed: run scripts/setup-tests.sh, or `apt-get install redis-server`', { cause: error });
  });
  await Promise.race([failed, untilAnswering(port)]);
  failed.catch(() => undefined);
  return server;
}

async function untilAnswering(port: number): Promise<void> {
  const redis = new Redis({ port, host: '127.0.0.1', retryStrategy: () => 50, maxRetriesPerRequest: null });
  redis.on('error', () => undefined);
  try {
    // Loading its files it refuses commands.
    for (let tries = 0; tries < 200; tries += 1) {
      if ((await redis.ping().catch(() => '')) === 'PONG') return;
      await sleep(50);
    }
    throw new Error(`redis-server does not answer on port ${port}`);
  } finally {
    redis.disconnect();
  }
}
