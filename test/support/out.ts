import type { Out, OutStream } from '../../services/cli/out.ts';
import { runCli } from '../../services/cli/program.ts';

export interface Captured extends OutStream {
  readonly text: string;
}

/** A stream that keeps what is written to it. */
export function capture(options: Partial<Pick<OutStream, 'isTTY' | 'columns' | 'color'>> = {}): Captured {
  const { isTTY = false, columns = 100, color = false } = options;
  let text = '';
  return {
    isTTY,
    columns,
    color,
    write: (more) => {
      text += more;
    },
    get text() {
      return text;
    },
  };
}

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command line in this process, with nothing around it: no environment, no standard input, at a fixed time. */
export async function inProcess(
  argv: readonly string[],
  directory = '/nonexistent',
  env: Record<string, string> = {},
): Promise<CommandResult> {
  const streams = { stdout: capture(), stderr: capture() };
  const code = await runCli(argv, {
    out: streams satisfies Out,
    env,
    directory,
    stdin: () => nothing(),
    clock: { now: () => Date.UTC(2026, 2, 1) },
    interrupt: new AbortController().signal,
    nodeVersion: '24.21.0',
  });
  return { code, stdout: streams.stdout.text, stderr: streams.stderr.text };
}

async function* nothing(): AsyncGenerator<Uint8Array> {}
