/** `kmswatch` as the processes that a user has, and what they cost. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const COMMAND = fileURLToPath(new URL('../../bin/kmswatch.mjs', import.meta.url));
const START_MS = 60_000;
const TICKS_PER_SECOND = 100;

export type Environment = Readonly<Record<string, string>>;

/** Runs a command to its end. @returns what it printed */
export async function command(args: readonly string[], environment: Environment): Promise<string> {
  const child = launch(args, environment, []);
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  let complaints = '';
  child.stderr?.on('data', (chunk: Buffer) => (complaints += chunk.toString()));
  const code = await ended(child);
  if (code !== 0) throw new Error(`kmswatch ${args.join(' ')} ended with ${code}: ${complaints}`);
  return output;
}

export interface ServiceProcess {
  readonly port: number;
  /** CPU time that the process has taken so far, milliseconds, as it tells Prometheus. */
  cpuMs(): Promise<number>;
  stop(): Promise<void>;
}

export interface ServiceOptions {
  readonly args: readonly string[];
  readonly environment: Environment;
  /** Of the configuration file but for where it listens; JSON is YAML. */
  readonly config: object;
  /** Where the configuration file may be written. */
  readonly folder: string;
  readonly nodeOptions?: readonly string[];
}

/** Starts `kmswatch run`. @throws when it ends or does not start in a minute */
export async function startService({ args, environment, config, folder, nodeOptions = [] }: ServiceOptions): Promise<ServiceProcess> {
  const port = await freePort();
  const file = join(folder, 'kmswatch.yaml');
  writeFileSync(file, JSON.stringify({ ...config, listen: `127.0.0.1:${port}` }));
  const child = launch(['run', ...args], { ...environment, KMSWATCH_CONFIG: file }, nodeOptions);
  process.once('exit', () => child.kill('SIGKILL'));
  let log = '';
  const listen = (chunk: Buffer): void => void (log += chunk.toString());
  child.stdout?.resume();
  child.stderr?.on('data', listen);
  const deadline = Date.now() + START_MS;
  while (!log.includes('"msg":"started"')) {
    if (child.exitCode !== null || Date.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`the service does not start: ${log}`);
    }
    await pause(50);
  }
  child.stderr?.off('data', listen).resume();
  return {
    port,
    async cpuMs() {
      const response = await fetch(`http://127.0.0.1:${port}/metrics`);
      const [, seconds] = /^process_cpu_seconds_total (\S+)/m.exec(await response.text()) ?? [];
      return Number(seconds) * 1000;
    },
    async stop() {
      const done = ended(child);
      child.kill('SIGTERM');
      await done;
    },
  };
}

/**
 * CPU time of the processes below one, those that have ended included, milliseconds; NaN where the system does not tell it (it is Linux that
 * does, in hundredths of a second).
 */
export function cpuMsBelow(pid: number): number {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
    const [, , , , , , , , , , , user = 0, system = 0, endedUser = 0, endedSystem = 0] = statOf(pid);
    const own = ((user + system + endedUser + endedSystem) * 1000) / TICKS_PER_SECOND;
    return own + children.reduce((sum, child) => sum + (cpuMsBelow(child) || 0), 0);
  } catch {
    return NaN;
  }
}

/** Fields of /proc/PID/stat from the third on; the second, the name, may hold anything. */
function statOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
}

function launch(args: readonly string[], environment: Environment, nodeOptions: readonly string[]): ChildProcess {
  return spawn(process.execPath, [...nodeOptions, COMMAND, ...args], {
    cwd: tmpdir(),
    env: { PATH: process.env['PATH'], HOME: tmpdir(), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    if (child.exitCode === null && child.signalCode === null) child.on('close', resolve);
    else resolve(child.exitCode);
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new TypeError('a port was expected');
  return address.port;
}
