import { z } from 'zod';
import { HOUR } from '../../services/core/clock.ts';
import type { AccountSubject, Channel, Subject } from '../../services/detectors/contract.ts';

/** From the hour of the first to before the second, every hour or every nth. */
const range = z.tuple([z.iso.datetime(), z.iso.datetime()]).rest(z.int().positive());

/** How a fixture of a detector tells what sources have shown. */
export const coverageSchema = z.array(
  z.strictObject({
    account: z.string(),
    region: z.string(),
    source: z.string(),
    heard: z.array(range),
    listened: z.array(range),
    missing: z.array(z.strictObject({ hour: z.iso.datetime(), files: z.int(), gap: z.string().nullable() })).default([]),
    last_event_id: z.string().nullable(),
  }),
);

/** @param asOf nothing later is known */
export function channelsOf(coverage: z.infer<typeof coverageSchema>, asOf: number): Channel[] {
  return coverage.map(({ heard, listened, missing, last_event_id: lastEventId, ...place }) => ({
    ...place,
    heard: hoursOf(heard, asOf),
    listened: hoursOf(listened, asOf),
    missing: missing.map((each) => ({ ...each, hour: Date.parse(each.hour) })),
    lastEventId,
  }));
}

/** Accounts of which sources have shown something are judged, whether there is a control event of them or not. */
export function withAccounts(subjects: readonly Subject[], channels: readonly Channel[]): Subject[] {
  const known = new Set(subjects.flatMap((subject) => (subject.kind === 'account' ? [subject.account] : [])));
  const others = [...new Set(channels.map(({ account }) => account))].filter((account) => !known.has(account));
  return [...subjects, ...others.map((account): AccountSubject => ({ kind: 'account', account, timeline: [], conflicts: [] }))];
}

export function hoursOf(ranges: readonly (readonly [string, string, ...number[]])[], asOf: number): number[] {
  const hours = ranges.flatMap(([from, to, every = 1]) => {
    const [begin, end] = [Date.parse(from), Date.parse(to)];
    return Array.from({ length: Math.ceil((end - begin) / (every * HOUR)) }, (_, at) => begin + at * every * HOUR);
  });
  return [...new Set(hours)].filter((hour) => hour <= asOf).sort((a, b) => a - b);
}
