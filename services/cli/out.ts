/** Where a command writes. Handed in by `main.ts`, so that a test can look at what was written. */
export interface Out {
  readonly stdout: OutStream;
  readonly stderr: OutStream;
}

export interface OutStream {
  write(text: string): void;
  readonly isTTY: boolean;
  /** Characters in a line; what a file is given when it is no terminal. */
  readonly columns: number;
  /** Whether colours are wanted: a terminal, and `NO_COLOR` is not set (https://no-color.org). */
  readonly color: boolean;
}

/** Width of tables that do not go to a terminal. */
export const FILE_COLUMNS = 160;

const CODES = { bold: 1, dim: 2, red: 31, yellow: 33, green: 32, cyan: 36 } as const;

export type Paint = keyof typeof CODES;

/** The text in a colour, where colours are wanted. Give it text that is `visible` already. */
export function paint(stream: OutStream, how: Paint, text: string): string {
  return stream.color ? `\u001b[${CODES[how]}m${text}\u001b[0m` : text;
}
