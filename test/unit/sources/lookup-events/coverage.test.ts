import { expect, test } from 'vitest';
import type { Json } from '../../../../services/core/json.ts';
import { lookupEventsSchema } from '../../../../services/sources/lookup-events/config.ts';
import { checkpointNames, readTimes } from '../../../../services/sources/lookup-events/coverage.ts';
import { polledFilters } from '../../../../services/sources/lookup-events/standing.ts';

const ACCOUNT = '111122223333';
const at = (hour: number): string => new Date(Date.UTC(2026, 2, 1, hour)).toISOString();
const ms = (hour: number): number => Date.UTC(2026, 2, 1, hour);
const name = (filter: string): string => `lookup-events/${ACCOUNT}/eu-west-1/${filter}`;
const KMS = name('EventSource=kms.amazonaws.com');
const TRAIL = name('ReadOnly=false');

const config = (mode: 'all' | 'write-only' = 'all') =>
  lookupEventsSchema.parse({ accounts: [{ account: ACCOUNT, regions: ['eu-west-1'] }], mode });
const progress = (since: number, settled: number, highWater: number, gaps: Json[] = []): Json => ({
  since: at(since),
  settled: at(settled),
  high_water: at(highWater),
  gaps,
});
const times = (checkpoints: Record<string, Json>, mode: 'all' | 'write-only' = 'all') =>
  readTimes(config(mode), ['kms', 'cloudtrail'], (each) => checkpoints[each] ?? null);

test('what every filter has read was read, what all have settled is complete', () => {
  expect(times({ [KMS]: progress(0, 5, 9), [TRAIL]: progress(1, 6, 8) })).toEqual([
    {
      account: ACCOUNT,
      region: 'eu-west-1',
      partial: false,
      read: [{ from: ms(1), to: ms(8) }],
      complete: [{ from: ms(1), to: ms(5) }],
      gaps: [],
    },
  ]);
});

test('a gap of one filter parts what was read', () => {
  const gap = { from: at(2), to: at(3), found_at: at(9) };
  expect(times({ [KMS]: progress(0, 5, 9, [gap]), [TRAIL]: progress(0, 5, 9) })).toMatchObject([
    {
      complete: [
        { from: ms(0), to: ms(2) },
        { from: ms(3), to: ms(5) },
      ],
      gaps: [{ from: ms(2), to: ms(3) }],
    },
  ]);
});

test('an account that one filter has not begun with is not told of', () => {
  expect(times({ [KMS]: progress(0, 5, 9) })).toEqual([]);
});

test('a checkpoint from before it was noted where reading began says nothing of the time before', () => {
  const { since: _, ...old } = progress(0, 5, 9) as Record<string, Json>;
  expect(times({ [KMS]: old, [TRAIL]: progress(0, 7, 9) })).toMatchObject([{ read: [{ from: ms(5), to: ms(9) }] }]);
});

test('an account that is asked for changes only is seen in part', () => {
  const filter = name('ReadOnly=false');
  expect(checkpointNames(config('write-only'), ['kms'])).toEqual([filter]);
  expect(times({ [filter]: progress(0, 5, 9) }, 'write-only')).toMatchObject([{ partial: true }]);
});

test('names of checkpoints tell account, Region and filter; others are passed over', () => {
  const capacity = { carries: false, events_per_second: 140.5, measured_at: at(1) };
  const found = polledFilters([
    { name: KMS, value: { ...(progress(0, 5, 9) as Record<string, Json>), capacity } },
    { name: 'lookup-events/odd', value: progress(0, 5, 9) },
    { name: TRAIL, value: 'no progress' },
  ]);
  expect(found).toEqual([
    {
      account: ACCOUNT,
      region: 'eu-west-1',
      filter: 'EventSource=kms.amazonaws.com',
      capacity: { carries: false, eventsPerSecond: 140.5, measuredAt: ms(1) },
      gaps: [],
    },
  ]);
});
