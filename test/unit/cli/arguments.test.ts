import { InvalidArgumentError } from 'commander';
import { describe, expect, test } from 'vitest';
import { parseList, parseTime } from '../../../services/cli/arguments.ts';

describe('parseTime', () => {
  test.each([
    ['2026-03-04', Date.UTC(2026, 2, 4)],
    ['2026-03-04T10:22', Date.UTC(2026, 2, 4, 10, 22)],
    ['2026-03-04T10:22:33.5Z', Date.UTC(2026, 2, 4, 10, 22, 33, 500)],
    ['2026-03-04 10:22:00+02:00', Date.UTC(2026, 2, 4, 8, 22)],
  ])('takes %s for what it is, whatever the time zone of the machine', (text, at) => {
    expect(parseTime(text)).toBe(at);
  });

  test.each(['', 'now-ish', '04.03.2026', '2026-13-01', '2026-03-04T25:00', '1772582400000'])('refuses %j', (text) => {
    expect(() => parseTime(text)).toThrow(InvalidArgumentError);
  });
});

test('parseList collects what is given with commas and by repeating', () => {
  const parse = parseList(['high', 'low'], 'severity');
  expect(parse('low', parse('high, low'))).toEqual(['high', 'low', 'low']);
  expect(() => parse('high,lower')).toThrow(/no severity "lower"/);
});
