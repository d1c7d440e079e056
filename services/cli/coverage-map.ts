/** The coverage ledger as a picture of characters: a row for each account and Region, a column for each hour, or several. */
import { visible } from '../api/text/visible.ts';
import { DAY, HOUR } from '../core/clock.ts';
import type { CoverageRow } from '../store/read/coverage.ts';
import { type OutStream, type Paint, paint } from './out.ts';

/** What is known of an hour, all sources together; the first that applies. */
export const COVERAGE_STATES = ['missing', 'verified', 'ingested', 'quiet', 'partial', 'unknown'] as const;

export type CoverageState = (typeof COVERAGE_STATES)[number];

const LOOKS: Readonly<Record<CoverageState, { readonly glyph: string; readonly shade: Paint; readonly says: string }>> = {
  missing: { glyph: '×', shade: 'red', says: 'missing' },
  verified: { glyph: '█', shade: 'green', says: 'verified by digests' },
  ingested: { glyph: '▓', shade: 'cyan', says: 'ingested' },
  quiet: { glyph: '░', shade: 'dim', says: 'read, and quiet' },
  partial: { glyph: '▒', shade: 'yellow', says: 'in part: no calls that only read' },
  unknown: { glyph: '·', shade: 'dim', says: 'unknown' },
};

type Sighted = Pick<CoverageRow, 'source' | 'deliveries' | 'events' | 'reads' | 'heard' | 'complete' | 'partial' | 'verified' | 'missing'>;

/** What the rows of all sources say of one account, Region and hour. */
export function stateOf(rows: readonly Sighted[]): CoverageState {
  if (rows.some(({ missing }) => missing > 0)) return 'missing';
  if (rows.some(({ verified }) => verified > 0)) return 'verified';
  const whole = rows.filter((row) => !isPartial(row));
  if (whole.some(({ events }) => events > 0)) return 'ingested';
  if (whole.some(({ heard, complete }) => heard || complete)) return 'quiet';
  return rows.some(({ events, heard, complete }) => events > 0 || heard || complete) ? 'partial' : 'unknown';
}

/** A source that shows only some of what happens: it is not known what else did. */
export function isPartial({ source, partial, reads }: Pick<Sighted, 'source' | 'partial' | 'reads'>): boolean {
  return partial || (source === 'eventbridge' && reads === 0);
}

export interface MapOptions {
  /** Epoch milliseconds, whole hours; the end exclusive. */
  readonly from: number;
  readonly to: number;
}

const STEPS = [1, 2, 3, 4, 6, 12, 24, 48, 168, 720];

/** Hours that one column stands for, so that the rows fit the line. */
export function hoursPerColumn({ from, to }: MapOptions, room: number): number {
  const hours = Math.ceil((to - from) / HOUR);
  return STEPS.find((step) => Math.ceil(hours / step) <= room) ?? Math.ceil(hours / Math.max(room, 1));
}

/** @param rows in any order */
export function coverageMap(stream: OutStream, rows: readonly CoverageRow[], options: MapOptions): string {
  const places = [...Map.groupBy(rows, ({ account, region }) => `${visible(account, 20)} ${visible(region, 24)}`)].toSorted(([a], [b]) =>
    a < b ? -1 : 1,
  );
  const label = Math.max(...places.map(([name]) => name.length), 6) + 2;
  const step = hoursPerColumn(options, Math.max(stream.columns - 1 - label, 12)) * HOUR;
  const begin = Math.floor(options.from / step) * step;
  const columns = Math.ceil((options.to - begin) / step);
  const lines = places.map(([name, own]) => {
    const byColumn = Map.groupBy(
      Map.groupBy(own, ({ hour }) => hour),
      ([hour]) => Math.floor((hour - begin) / step),
    );
    const cells = Array.from({ length: columns }, (_, at) => combined((byColumn.get(at) ?? []).map(([, hour]) => stateOf(hour))));
    return `${name.padEnd(label)}${painted(stream, cells)}`;
  });
  const hint =
    step > HOUR ? `  one column: ${step / HOUR} hours; what is missing is shown first, then what there is most of` : '  one column: 1 hour';
  return `${[axis({ begin, step, columns }, label), ...lines, '', legend(stream), paint(stream, 'dim', hint)].join('\n')}\n`;
}

/** Of the hours of a column of which anything is known: what is missing, else what there is most of. */
function combined(states: Iterable<CoverageState>): CoverageState {
  const counts = new Map<CoverageState, number>();
  for (const state of states) counts.set(state, (counts.get(state) ?? 0) + 1);
  if (counts.has('missing')) return 'missing';
  const [most] = COVERAGE_STATES.filter((state) => counts.has(state)).toSorted((a, b) => (counts.get(b) ?? 0) - (counts.get(a) ?? 0));
  return most ?? 'unknown';
}

/** Neighbours of one kind are painted together. */
function painted(stream: OutStream, states: readonly CoverageState[]): string {
  let text = '';
  for (let at = 0; at < states.length; ) {
    const state = states[at] ?? 'unknown';
    let end = at + 1;
    while (states[end] === state) end += 1;
    text += paint(stream, LOOKS[state].shade, LOOKS[state].glyph.repeat(end - at));
    at = end;
  }
  return text;
}

/** Days, where there is room for them. */
function axis({ begin, step, columns }: { begin: number; step: number; columns: number }, label: number): string {
  let line = 'UTC'.padEnd(label);
  for (let at = 0; at < columns; at += 1) {
    const from = begin + at * step;
    const isDay = at === 0 || Math.floor(from / DAY) !== Math.floor((from - step) / DAY);
    const name = new Date(from).toISOString().slice(5, 10);
    if (isDay && line.length <= label + at && name.length <= columns - at) line = `${line.padEnd(label + at)}${name} `;
  }
  return line.trimEnd();
}

function legend(stream: OutStream): string {
  return COVERAGE_STATES.map((state) => `${paint(stream, LOOKS[state].shade, LOOKS[state].glyph)} ${LOOKS[state].says}`).join('   ');
}
