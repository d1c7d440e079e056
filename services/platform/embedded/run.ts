import { spawn } from 'node:child_process';
import type { RunAs } from './account.ts';

export interface Ran {
  /** Exit code; null when a signal ended it or it could not be started. */
  readonly code: number | null;
  /** Standard output and error, at most 64 KiB of it. */
  readonly output: string;
}

/** The environment the server's programs get: nothing of ours, for it may hold secrets, and no locale but C. */
export const BARE_ENVIRONMENT = { PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin', LC_ALL: 'C', TZ: 'UTC' } as const;

/** Runs a program to its end under an account. Never throws: a program that cannot be started has code null. */
export function run(runAs: RunAs, command: string, args: readonly string[]): Promise<Ran> {
  const [file, ...rest] = runAs.command(command, args);
  return new Promise((resolve) => {
    const child = spawn(file, rest, {
      env: BARE_ENVIRONMENT,
      cwd: '/',
      stdio: ['ignore', 'pipe', 'pipe'],
      ...runAs.credentials,
    });
    let output = '';
    const collect = (chunk: Buffer): void => {
      if (output.length < 65_536) output += chunk.toString('utf8');
    };
    child.stdout?.on('data', collect);
    child.stderr?.on('data', collect);
    child.on('error', (error) => resolve({ code: null, output: error.message }));
    child.on('close', (code) => resolve({ code, output }));
  });
}
