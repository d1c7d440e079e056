/**
 * Being one of the users of the running server: an open write end of its guard's named pipe (see guard.sh).
 * A pipe without a reader cannot be opened (ENXIO), which is how one learns that there is no guard.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, constants, existsSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { KmswatchError } from '../../core/errors.ts';
import { monotonicMs, sleep } from '../clock.ts';

const ANSWER_TIMEOUT_MS = 20_000;

export interface Membership {
  /** Whether the guard is still there. */
  alive(): boolean;
  /** Leaves; the guard stops the server when this was the last one. Says whether others seem to be there. */
  leave(): { readonly others: boolean };
}

/** The two ends of a fresh pipe: `reader` for the guard about to be started, `writer` held by the one who starts it. */
export function openPipe(runDir: string): { reader: number; writer: number } {
  const pipe = join(runDir, 'users');
  // Opening one end waits for the other; a descriptor that is both breaks the tie.
  const both = openSync(pipe, constants.O_RDWR);
  const reader = openSync(pipe, constants.O_RDONLY);
  const writer = openSync(pipe, constants.O_WRONLY);
  closeSync(both);
  return { reader, writer };
}

/** Joins the running server, or null when there is none (any more). `writer` is an end that is open already. */
export async function joinServer(runDir: string, writer?: number): Promise<Membership | null> {
  const pipe = writer ?? tryOpen(runDir);
  if (pipe === null) return null;
  const id = `user-${process.pid}-${randomBytes(6).toString('hex')}`;
  const leave = (): { others: boolean } => {
    closeSync(pipe);
    rmSync(join(runDir, id), { force: true });
    return { others: hasOthers(runDir) };
  };
  try {
    writeSync(pipe, `${id}\n`);
    const deadline = monotonicMs() + ANSWER_TIMEOUT_MS;
    while (!existsSync(join(runDir, id))) {
      if (!hasReader(runDir)) throw Object.assign(new Error('the guard has gone'), { code: 'EPIPE' });
      if (monotonicMs() > deadline) {
        throw new KmswatchError('EMBEDDED_POSTGRES_FAILED', 'The guard of the embedded Postgres does not answer.', {
          hint: 'Look for a stopped guard.sh process on this data directory.',
        });
      }
      await sleep(5);
    }
  } catch (error) {
    leave();
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') return null;
    throw error;
  }
  return { alive: () => hasReader(runDir), leave };
}

function tryOpen(runDir: string): number | null {
  try {
    return openSync(join(runDir, 'users'), constants.O_WRONLY | constants.O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENXIO' || code === 'ENOENT') return null;
    throw error;
  }
}

function hasReader(runDir: string): boolean {
  const pipe = tryOpen(runDir);
  if (pipe === null) return false;
  closeSync(pipe);
  return true;
}

/** Only a guess, good for how long to wait: killed users leave their files behind until the next start. */
function hasOthers(runDir: string): boolean {
  try {
    return readdirSync(runDir).some((name) => {
      const pid = /^user-(\d+)-/.exec(name)?.[1];
      return pid !== undefined && isAlive(Number(pid));
    });
  } catch {
    return false;
  }
}

/** Whether a process of that id exists, be it somebody else's. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
