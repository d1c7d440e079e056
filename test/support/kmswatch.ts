import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished } from 'vitest';
import { sleep } from '../../services/platform/clock.ts';

const COMMAND = fileURLToPath(new URL('../../bin/kmswatch.mjs', import.meta.url));

/** Halves the time that a process takes to start. */
const COMPILE_CACHE = join(tmpdir(), 'kmswatch-tests-compile-cache');

export interface Ended {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** From start to end. */
  readonly milliseconds: number;
}

/** A `kmswatch` process. */
export interface Running {
  readonly pid: number;
  /** What it has written so far. */
  stdout(): string;
  stderr(): string;
  isRunning(): boolean;
  /** Resolves when it has ended, however that was. */
  readonly ended: Promise<Ended>;
  /** Sends a signal and waits for the end. */
  end(signal: NodeJS.Signals): Promise<Ended>;
  /** The most memory it has had resident so far, bytes; where the system tells it (Linux), else null. */
  peakMemory(): number | null;
}

/** Environment for `kmswatch`: nothing of ours but what is given. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Starts a command of `kmswatch`, as a person would, in a directory without configuration. It does not outlive the test. */
export function start(args: readonly string[], environment: Environment): Running {
  const running = launch(args, environment);
  onTestFinished(async () => void (await running.end('SIGKILL')));
  return running;
}

/** Waits until a `kmswatch run` has started all its parts. */
export async function untilStarted(running: Running): Promise<void> {
  while (!running.stderr().includes('"msg":"started"')) {
    if (!running.isRunning()) throw new Error(`it has ended: ${running.stderr()}`);
    await sleep(20);
  }
}

/** Runs a command to its end. */
export function kmswatch(args: readonly string[], environment: Environment): Promise<Ended> {
  return launch(args, environment).ended;
}

function launch(args: readonly string[], environment: Environment): Running {
  const startedAt = performance.now();
  const child = spawn(process.execPath, [COMMAND, ...args], {
    cwd: tmpdir(),
    env: { PATH: process.env['PATH'], HOME: tmpdir(), NODE_COMPILE_CACHE: COMPILE_CACHE, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const written = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (written.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (written.stderr += text));
  const ended = closing(child).then(([code, signal]) => ({ code, signal, ...written, milliseconds: performance.now() - startedAt }));
  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null;
  return {
    pid: child.pid ?? 0,
    stdout: () => written.stdout,
    stderr: () => written.stderr,
    isRunning,
    ended,
    async end(signal) {
      if (isRunning()) child.kill(signal);
      return await ended;
    },
    peakMemory: () => peakOf(child.pid ?? 0),
  };
}

/** That it ended well; shows what it said where it did not. */
export function expectSuccess({ code, signal, stderr }: Ended): void {
  expect({ code, signal, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, signal: null, stderr: '' });
}

async function closing(child: ChildProcess): Promise<[number | null, NodeJS.Signals | null]> {
  return (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
}

function peakOf(pid: number): number | null {
  try {
    const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return kibibytes === undefined ? null : Number(kibibytes) * 1024;
  } catch {
    return null;
  }
}
