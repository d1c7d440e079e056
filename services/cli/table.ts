import Table from 'cli-table3';
import { type OutStream, paint } from './out.ts';

export interface Column {
  readonly head: string;
  /** May be made narrower, down to this many characters, by breaking its text into lines. Others keep their width. */
  readonly least?: number;
  readonly align?: 'left' | 'right';
}

const GAP = 2;

const NO_BORDERS = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '',
} as const;

/**
 * A table without lines that fits the stream's width as far as its columns let it. Cells are text that is `visible` already;
 * colours in them take no room.
 */
export function table(stream: OutStream, columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const widths = fit(columns, rows, stream.columns);
  const drawn = new Table({
    head: columns.map(({ head }) => paint(stream, 'dim', head)),
    chars: NO_BORDERS,
    colWidths: widths.map((width) => width + GAP),
    colAligns: columns.map(({ align = 'left' }) => align),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': GAP },
    wordWrap: true,
  });
  drawn.push(...rows.map((row) => row.map((cell, at) => breakWords(cell, widths[at] ?? cell.length))));
  const lines = drawn.toString().split('\n');
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

/** A word as long as the id of a key stays in one piece while other columns can give way. */
const WHOLE = 36;

/** The natural width of each column; where the line is too short for all, the flexible ones give way, the widest first. */
function fit(columns: readonly Column[], rows: readonly (readonly string[])[], line: number): number[] {
  const most = (measure: (cell: string) => number, at: number): number => rows.reduce((so, row) => Math.max(so, measure(row[at] ?? '')), 0);
  const widths = columns.map(({ head }, at) => Math.max(head.length, most(widthOf, at)));
  const leasts = columns.map(({ least }) => least);
  const leastsUnbroken = columns.map(({ least }, at) => least && Math.max(least, Math.min(most(longestWord, at), WHOLE)));
  const room = line - 1 - GAP * columns.length;
  for (let over = sum(widths) - room; over > 0; over -= 1) {
    const at = widestAbove(widths, leastsUnbroken) ?? widestAbove(widths, leasts);
    if (at === undefined) break;
    widths[at] = (widths[at] ?? 0) - 1;
  }
  return widths;
}

/** Which column is the widest of those that are wider than they must be; undefined = it keeps its width. */
function widestAbove(widths: readonly number[], leasts: readonly (number | undefined)[]): number | undefined {
  let widest: number | undefined;
  for (const [at, width] of widths.entries()) {
    if (width > (leasts[at] ?? width) && width > (widest === undefined ? 0 : (widths[widest] ?? 0))) widest = at;
  }
  return widest;
}

function longestWord(cell: string): number {
  return cell.split(' ').reduce((most, word) => Math.max(most, widthOf(word)), 0);
}

/** What has no space to break at, such as an ARN, is broken where the line ends; the table would cut it off. */
function breakWords(cell: string, width: number): string {
  if (widthOf(cell) <= width) return cell;
  return cell
    .split(' ')
    .flatMap((word) => (widthOf(word) <= width || word.includes('\u001b') ? [word] : pieces(word, width)))
    .join(' ');
}

function pieces(word: string, width: number): string[] {
  const most = widthOf(word) > word.length ? Math.max(Math.floor(width / 2), 1) : width;
  return word.match(new RegExp(`.{1,${most}}`, 'gsu')) ?? [];
}

/** Characters of East Asian scripts take two places; those beyond the basic plane are two units long anyway. */
const WIDE = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/g;

function widthOf(cell: string): number {
  const text = cell.replace(/\u001b\[\d+m/g, '');
  return text.length + (text.match(WIDE)?.length ?? 0);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
