import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sleep } from '../../services/platform/clock.ts';
import type { CommandResult } from './out.ts';

const ENTRY = fileURLToPath(new URL('../../bin/kmswatch.mjs', import.meta.url));

export interface RunningCommand {
  readonly stdout: string;
  readonly stderr: string;
  /** Waits until standard output or error holds the text; fails when the command ends without. */
  until(text: string, timeoutMs?: number): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  /** The exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
}

export interface CommandOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | Buffer;
}

/** Starts the real command as its users do, with nothing of our environment but the path. */
export function startCommand(argv: readonly string[], { env = {}, input }: CommandOptions = {}): RunningCommand {
  const child = spawn(process.execPath, [ENTRY, ...argv], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const text = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (more: string) => (text.stdout += more));
  child.stderr.setEncoding('utf8').on('data', (more: string) => (text.stderr += more));
  child.stdin.on('error', () => undefined).end(input);
  let over = false;
  const ended = once(child, 'close').then(([code, signal]) => {
    over = true;
    return (code ?? signal) as number | NodeJS.Signals;
  });
  return {
    get stdout() {
      return text.stdout;
    },
    get stderr() {
      return text.stderr;
    },
    async until(wanted, timeoutMs = 120_000) {
      for (let waited = 0; waited < timeoutMs; waited += 50) {
        if (text.stdout.includes(wanted) || text.stderr.includes(wanted)) return;
        if (over) break;
        await sleep(50);
      }
      throw new Error(`never said ${JSON.stringify(wanted)}:\n${text.stdout}\n${text.stderr}`);
    },
    kill: (signal) => void child.kill(signal),
    ended,
  };
}

/** Runs the real command to its end. */
export async function command(argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const running = startCommand(argv, options);
  const code = await running.ended;
  return { code: typeof code === 'number' ? code : -1, stdout: running.stdout, stderr: running.stderr };
}

export interface TestFolder extends AsyncDisposable {
  readonly path: string;
}

/** A folder of one's own that goes away with its scope. */
export async function testFolder(): Promise<TestFolder> {
  const path = await mkdtemp(join(tmpdir(), 'kmswatch-cli-'));
  // Where the tests run as root, the embedded server works as another account, which has to get in.
  await chmod(path, 0o755);
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
