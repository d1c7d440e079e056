/** The process behind `kmswatch`: hands the command line its surroundings, listens to signals, ends with the exit code. */
import { systemClock } from '../platform/clock.ts';
import { FILE_COLUMNS, type OutStream } from './out.ts';
import { runCli } from './program.ts';

/** The lifecycle stops everything within 25 seconds; what then still holds the process is left behind. */
const LEAVE_MS = 28_000;

/** Signals that come so close together are one. */
const SAME_SIGNAL_MS = 700;

function stream(to: NodeJS.WriteStream): OutStream {
  let open = true;
  // The reader has gone (`kmswatch findings | head`): there is nobody left to tell.
  to.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
    open = false;
  });
  const isTTY = to.isTTY === true;
  return {
    write: (text) => {
      if (open) to.write(text);
    },
    isTTY,
    columns: isTTY && to.columns > 0 ? to.columns : FILE_COLUMNS,
    color: isTTY && (process.env['NO_COLOR'] ?? '') === '' && process.env['TERM'] !== 'dumb',
  };
}

const interrupt = new AbortController();
const out = { stdout: stream(process.stdout), stderr: stream(process.stderr) };

let interruptedAt = 0;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    // One Ctrl-C may come twice: from the terminal, and passed on by npm, which has got it as well.
    if (interrupt.signal.aborted && systemClock.now() - interruptedAt < SAME_SIGNAL_MS) return;
    if (interrupt.signal.aborted) process.exit(1);
    interruptedAt = systemClock.now();
    interrupt.abort();
    setTimeout(() => process.exit(1), LEAVE_MS).unref();
  });
}

const code = await runCli(process.argv.slice(2), {
  out,
  env: process.env,
  directory: process.cwd(),
  stdin: () => process.stdin,
  clock: systemClock,
  interrupt: interrupt.signal,
  nodeVersion: process.versions.node,
});
// An unread standard input would keep the process.
process.exit(code);
