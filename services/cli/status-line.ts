import { monotonicMs } from '../platform/clock.ts';
import type { OutStream } from './out.ts';

/**
 * One line at the bottom of a terminal that is drawn over and over, and plain lines every few seconds where there is no terminal.
 * Everything else that goes to the same terminal goes through `print`, so that it does not get mixed up with the line.
 */
export interface StatusLine {
  show(text: string): void;
  /** Takes the line away; what comes next starts clean. */
  clear(): void;
  /** Writes text (with its own line breaks) above the line. */
  print(text: string): void;
}

const REDRAW_MS = 100;
const PLAIN_MS = 5_000;

export function createStatusLine(stream: OutStream, now: () => number = monotonicMs): StatusLine {
  let shown = '';
  // What is quick needs no plain line; a terminal shows at once what is going on.
  let drawnAt = stream.isTTY ? Number.NEGATIVE_INFINITY : now();
  const erase = (): void => {
    if (shown !== '') stream.write('\r\u001b[2K');
  };
  return {
    show(text) {
      const at = now();
      if (at - drawnAt < (stream.isTTY ? REDRAW_MS : PLAIN_MS)) return;
      drawnAt = at;
      if (!stream.isTTY) {
        stream.write(`${text}\n`);
        return;
      }
      erase();
      // A line as wide as the terminal would wrap, and could not be drawn over.
      shown = text.slice(0, Math.max(stream.columns - 1, 1));
      stream.write(shown);
    },
    clear() {
      erase();
      shown = '';
      if (stream.isTTY) drawnAt = Number.NEGATIVE_INFINITY;
    },
    print(text) {
      erase();
      stream.write(text);
      if (shown !== '') stream.write(shown);
    },
  };
}

/** `[██████──────────────]  31 %`, of 20 cells; a total of 0 is done. */
export function bar(done: number, total: number): string {
  const share = total > 0 ? Math.min(Math.max(done / total, 0), 1) : 1;
  const cells = Math.floor(share * 20);
  return `[${'█'.repeat(cells)}${'─'.repeat(20 - cells)}] ${String(Math.floor(share * 100)).padStart(3)} %`;
}
