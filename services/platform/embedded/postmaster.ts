/** The server's own process, as its `postmaster.pid` names it: seeing, awaiting and ending it. */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { monotonicMs, sleep } from '../clock.ts';
import type { Layout } from './cluster.ts';
import { isAlive, type Membership } from './membership.ts';

const STOP_TIMEOUT_MS = 60_000;
const LEAVE_TIMEOUT_MS = 20_000;

/** Stops using the server. The last one to leave waits until it has stopped; if that takes long, it goes on by itself. */
export async function leaveServer(layout: Layout, membership: Membership): Promise<void> {
  const pid = await runningPostmaster(layout);
  const { others } = membership.leave();
  if (pid !== null && !others) await untilGone(pid, LEAVE_TIMEOUT_MS);
}

async function untilGone(pid: number, timeoutMs: number): Promise<boolean> {
  const deadline = monotonicMs() + timeoutMs;
  while (isAlive(pid)) {
    if (monotonicMs() > deadline) return false;
    await sleep(10);
  }
  return true;
}

/** A server whose guard was killed, or that is just stopping. Nobody can join it, so it goes. */
export async function stopOrphan(layout: Layout): Promise<void> {
  // Without this directory a supervisor that outlived its guard does not start the server again.
  await rm(layout.runDir, { recursive: true, force: true });
  for (const signal of ['SIGINT', 'SIGQUIT'] as const) {
    const pid = await runningPostmaster(layout);
    if (pid === null) break;
    try {
      process.kill(pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
    if (await untilGone(pid, STOP_TIMEOUT_MS)) break;
  }
  // Left by a server that was killed. Its number may be another process's by now, which Postgres would shy away from.
  await rm(join(layout.cluster, 'postmaster.pid'), { force: true });
}

/** The process id of a server that runs on this cluster, or null. */
async function runningPostmaster(layout: Layout): Promise<number | null> {
  const file = await readFile(join(layout.cluster, 'postmaster.pid'), 'utf8').catch(() => '');
  const pid = Number(file.split('\n', 1)[0]);
  if (!Number.isInteger(pid) || pid <= 1 || !isAlive(pid)) return null;
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => null);
  // Where there is no /proc, Postgres's own word must do.
  return command === null || command.split('\0').includes(layout.cluster) ? pid : null;
}
