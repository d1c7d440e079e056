import { describe, expect, test } from 'vitest';
import { DAY, HOUR } from '../../../services/core/clock.ts';
import { coverageMap, hoursPerColumn, stateOf } from '../../../services/cli/coverage-map.ts';
import type { CoverageRow } from '../../../services/store/read/coverage.ts';
import { capture } from '../../support/out.ts';

const START = Date.UTC(2026, 2, 1);
const EMPTY = {
  account: '111122223333',
  region: 'eu-west-1',
  source: 's3-trail',
  hour: START,
  deliveries: 0,
  events: 0,
  reads: 0,
  heard: false,
  complete: false,
  partial: false,
  verified: 0,
  missing: 0,
  gap: null,
} satisfies CoverageRow;

const row = (fields: Partial<CoverageRow>): CoverageRow => ({ ...EMPTY, ...fields });

describe('an hour is', () => {
  test.each([
    ['unknown of which nobody said anything', [], 'unknown'],
    ['unknown of which a source has a row and said nothing', [row({})], 'unknown'],
    ['ingested when there are events', [row({ events: 3 })], 'ingested'],
    ['quiet when it was read to its end without any', [row({ source: 'lookup-events', complete: true })], 'quiet'],
    ['quiet when files came without any', [row({ heard: true })], 'quiet'],
    ['verified when digests vouch for its files', [row({ events: 3, verified: 2 })], 'verified'],
    [
      'missing when one source misses something, whatever others have',
      [row({ missing: 1, verified: 5, events: 9 }), row({ source: 'lookup-events', complete: true })],
      'missing',
    ],
    ['in part when only a rule showed it that lets no reads through', [row({ source: 'eventbridge', events: 3 })], 'partial'],
    ['whole when the rule lets them through', [row({ source: 'eventbridge', events: 3, reads: 1 })], 'ingested'],
    ['in part when only changes were asked for', [row({ source: 'lookup-events', complete: true, partial: true })], 'partial'],
    ['whole when another source shows what the rule does not', [row({ source: 'eventbridge', events: 3 }), row({ events: 3 })], 'ingested'],
  ] as const)('%s', (_what, rows, expected) => {
    expect(stateOf(rows)).toBe(expected);
  });
});

describe('the map', () => {
  const rows = [
    ...Array.from({ length: 4 }, (_, n) => row({ hour: START + n * HOUR, events: 1 })),
    row({ hour: START + 4 * HOUR, missing: 2 }),
    row({ hour: START + 6 * HOUR, heard: true }),
    row({ region: 'us-east-1', hour: START + HOUR, verified: 1 }),
  ];

  test('has a row for each account and Region and a column for each hour, and explains its signs', () => {
    const text = coverageMap(capture({ columns: 80 }), rows, { from: START, to: START + 8 * HOUR });
    expect(text.split('\n').slice(0, 3)).toEqual([
      'UTC                     03-01',
      '111122223333 eu-west-1  ▓▓▓▓×·░·',
      '111122223333 us-east-1  ·█······',
    ]);
    for (const words of ['× missing', '█ verified', '▓ ingested', '░ read, and quiet', '▒ in part', '· unknown', 'one column: 1 hour'])
      expect(text).toContain(words);
  });

  test('fits the line: a column stands for several hours, and shows what is missing first', () => {
    const stream = capture({ columns: 60 });
    const text = coverageMap(stream, rows, { from: START, to: START + 5 * DAY });
    const drawn = text.split('\n').slice(0, 3);
    for (const line of drawn) expect(line.length).toBeLessThan(60);
    expect(drawn[1]).toMatch(/^111122223333 eu-west-1 {2}▓×·+$/);
    expect(text).toContain('one column: 4 hours');
  });

  test('paints each kind in a colour of its own where colours are wanted', () => {
    const text = coverageMap(capture({ color: true, columns: 80 }), rows, { from: START, to: START + 8 * HOUR });
    expect(text).toContain('\u001b[31m×\u001b[0m');
    expect(text).toContain('\u001b[36m▓▓▓▓\u001b[0m');
  });

  test('cannot be painted over by what stands in records', () => {
    const text = coverageMap(capture({ columns: 80 }), [row({ region: 'eu\u001b[2Jx', events: 1 })], { from: START, to: START + HOUR });
    expect(text).not.toContain('\u001b');
  });

  test.each([
    [8, 60, 1],
    [60, 60, 1],
    [61, 60, 2],
    [24 * 30, 60, 12],
    [24 * 365, 60, 168],
    [24 * 3650, 60, 1460],
  ])('%i hours in %i places: %i each', (count, room, expected) => {
    expect(hoursPerColumn({ from: START, to: START + count * HOUR }, room)).toBe(expected);
  });
});
