import { expect, test } from 'vitest';
import { progressLine } from '../../../services/cli/actions/backfill.ts';
import type { Tally } from '../../../services/sources/backfill/tally.ts';
import { inProcess } from '../../support/out.ts';

test.each([
  [['--from', '2026-03-02', '--to', '2026-03-01', '--source', 's3'], '--from must be before --to'],
  [['--from', '2026-02-01', '--to', 'now', '--source', 'lookup', '--bucket', 'abc'], '--bucket-region are for --source s3'],
  [['--from', '2015-03-01', '--to', 'now', '--source', 'lookup'], 'reaches back 90 days, to 2025-12-01 00:00 UTC: give --from 2025-12-01'],
  [['--from', '2026-02-01', '--to', 'now', '--source', 's3', '--accounts', '111122223333,12'], '12-digit'],
  [['--from', '2026-02-01', '--to', 'now', '--source', 's3', '--regions', 'europe'], 'Regions as in eu-west-1'],
  [['--from', '2026-02-01', '--to', 'now', '--source', 's3', '--parallel', '0'], 'whole number from 1'],
  [['--from', '2026-02-01', '--to', 'now', '--source', 'mail'], 'Allowed choices are s3, lookup'],
  [['--from', '2026-02-01', '--to', 'now'], "required option '--source <source>' not specified"],
])('%j is refused before anything is asked', async (argv, why) => {
  const { code, stdout, stderr } = await inProcess(['backfill', ...argv]);
  expect(stderr).toContain(why);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
});

const TALLY: Tally = { days: { total: 310, done: 40, before: 6 }, objects: 12_034, skipped: 0, failed: 0, failures: [] };

test.each([
  [TALLY, { events: 41_200, elapsedMs: 10_000 }, '[██──────────────────]  14 % 46 of 310 days, 12,034 objects, 4,120 events/s, 66 s left'],
  [
    { ...TALLY, days: { total: 310, done: 10, before: 0 }, skipped: 120, failed: 2 },
    { events: 0, elapsedMs: 60_000 },
    '[────────────────────]   3 % 10 of 310 days, 12,034 objects (120 known), 2 failed, 0 events/s, 30 min left',
  ],
  [{ ...TALLY, days: { total: 1, done: 0, before: 0 } }, { events: 0, elapsedMs: 0 }, '0 of 1 day, 12,034 objects, 0 events/s'],
  [
    { ...TALLY, days: { total: 10, done: 4, before: 6 } },
    { events: 5, elapsedMs: 1_000 },
    '100 % 10 of 10 days, 12,034 objects, 5 events/s',
  ],
])('how far it is %#', (tally, now, text) => {
  const line = progressLine(tally, now);
  expect(line).toContain(text);
  expect(line.endsWith(text.slice(-10))).toBe(true);
});
