import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DAY } from '../../../../services/core/clock.ts';
import { dayFolder } from '../../../../services/sources/backfill/areas.ts';
import { dayName, dayPath, daysOf } from '../../../../services/sources/backfill/days.ts';
import { trailDays } from '../../../../services/sources/backfill/trail.ts';

const at = (text: string): number => Date.parse(text);

test.each([
  ['one day', '2026-03-05', '2026-03-06', ['2026-03-05']],
  ['parts of days are whole days', '2026-03-05T23:59:59Z', '2026-03-06T00:00:01Z', ['2026-03-05', '2026-03-06']],
  ['the end of a month', '2026-02-27', '2026-03-02', ['2026-02-27', '2026-02-28', '2026-03-01']],
  ['a leap year', '2028-02-28', '2028-03-01', ['2028-02-28', '2028-02-29']],
  ['the end of a year', '2026-12-31', '2027-01-02', ['2026-12-31', '2027-01-01']],
  ['no time', '2026-03-05', '2026-03-05', []],
  ['backwards', '2026-03-06', '2026-03-05', []],
])('days of %s', (_, from, to, days) => {
  expect(daysOf({ from: at(from), to: at(to) }).map(dayName)).toEqual(days);
});

test('folders of a bucket are read for one day more, for files that were delivered late', () => {
  expect(trailDays({ from: at('2026-12-30'), to: at('2027-01-01') }).map(dayPath)).toEqual(['2026/12/30', '2026/12/31', '2027/01/01']);
  expect(trailDays({ from: at('2026-02-28T10:00:00Z'), to: at('2026-02-28T11:00:00Z') }).map(dayPath)).toEqual([
    '2026/02/28',
    '2026/03/01',
  ]);
  expect(trailDays({ from: at('2026-02-28'), to: at('2026-02-28') })).toEqual([]);
  expect(dayFolder({ folder: 'x/AWSLogs/o-exampleorg1/111122223333/CloudTrail/eu-west-1/' }, at('2026-02-03'))).toBe(
    'x/AWSLogs/o-exampleorg1/111122223333/CloudTrail/eu-west-1/2026/02/03/',
  );
});

test('days touch the whole time and nothing else, each once, in order', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4e12 }), fc.integer({ min: 1, max: 900 * DAY }), (from, length) => {
      const days = daysOf({ from, to: from + length });
      expect(days[0]).toBeLessThanOrEqual(from);
      expect(days.at(-1)).toBeLessThan(from + length);
      expect((days.at(-1) ?? 0) + DAY).toBeGreaterThanOrEqual(from + length);
      expect((days[0] ?? 0) + DAY).toBeGreaterThan(from);
      expect(days.every((day, n) => day === (days[0] ?? 0) + n * DAY)).toBe(true);
    }),
  );
});
