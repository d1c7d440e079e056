import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const COMMAND = fileURLToPath(new URL('../../bin/kmswatch.mjs', import.meta.url));

export interface Ended {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** From start to end. */
  readonly milliseconds: number;
}

/** A `kmswatch` process of its own. It does not outlive the test. */
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

/** Starts a command of `kmswatch`, as a person would, in a directory without configuration. */
export function start(args: readonly string[], environment: Environment): Running {
  const startedAt = performance.now();
  const child = spawn(process.execPath, [COMMAND, ...args], {
    cwd: tmpdir(),
    env: { PATH: process.env['PATH'], HOME: tmpdir(), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const written = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (written.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (written.stderr += text));
  const ended = closing(child).then(([code, signal]) => ({ code, signal, ...written, milliseconds: performance.now() - startedAt }));
  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null;
  const end = async (signal: NodeJS.Signals): Promise<Ended> => {
    if (isRunning()) child.kill(signal);
    return ended;
  };
  onTestFinished(async () => void (await end('SIGKILL')));
  return {
    pid: child.pid ?? 0,
    stdout: () => written.stdout,
    stderr: () => written.stderr,
    isRunning,
    ended,
    end,
    peakMemory: () => peakOf(child.pid ?? 0),
  };
}

/** Runs a command to its end. */
export function kmswatch(args: readonly string[], environment: Environment): Promise<Ended> {
  return start(args, environment).ended;
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
