import type { OutStream } from './out.ts';
import { paint } from './out.ts';
import type { StatusLine } from './status-line.ts';
import { visible } from '../api/text/visible.ts';

/** Names that a log line always has; the rest is printed as `name=value`. */
const USUAL = new Set(['level', 'time', 'msg']);

/**
 * Where log lines go. On a terminal they are written for people and kept apart from the status line; everywhere else they
 * stay JSON, one a line.
 */
export function logLines(stream: OutStream, status: StatusLine): { write(line: string): void } {
  if (!stream.isTTY) return { write: (line) => stream.write(line) };
  return { write: (line) => status.print(`${forPeople(line, stream)}\n`) };
}

function forPeople(line: string, stream: OutStream): string {
  let entry: Record<string, unknown>;
  try {
    entry = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return visible(line);
  }
  const level = valueText(entry['level']);
  const shade = level === 'error' ? 'red' : level === 'warn' ? 'yellow' : 'dim';
  const rest = Object.entries(entry).filter(([name]) => !USUAL.has(name));
  const details = rest.map(([name, value]) => `${visible(name, 80)}=${visible(valueText(value), 300)}`).join(' ');
  return `${paint(stream, 'dim', valueText(entry['time']).slice(11, 19))} ${paint(stream, shade, level.padEnd(5))} ${visible(valueText(entry['msg'] ?? ''), 500)} ${paint(stream, 'dim', details)}`.trimEnd();
}

/** Of an error its message, of a list of objects their number; stacks and objects are for log files. */
function valueText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value) && typeof value[0] === 'object') return `[${value.length}]`;
  const message = typeof value === 'object' && value !== null && 'message' in value ? value.message : undefined;
  return typeof message === 'string' ? message : String(JSON.stringify(value));
}
