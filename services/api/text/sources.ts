/** How sources stand, in sentences for people. */
import type { SourceStanding } from '../../workers/source-standings.ts';
import { counted } from './words.ts';
import { visible } from './visible.ts';

/** `45 s`, `30 min`, `2 h`, `more than a day`: the bound within which events came. */
export function lagText(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined) return '-';
  if (!Number.isFinite(seconds)) return '> 1 day';
  if (seconds < 120) return `≤ ${seconds} s`;
  return seconds < 7_200 ? `≤ ${seconds / 60} min` : `≤ ${seconds / 3_600} h`;
}

const SHOWN = 10;

/** What a source cannot show, or does not. */
export function sourceWarnings({ source, overCapacity, missingHours, lacksReads }: SourceStanding): string[] {
  const rest = overCapacity.length - SHOWN;
  return [
    ...overCapacity.slice(0, SHOWN).map(({ account, region, eventsPerSecond }) => {
      const rate = Math.round(eventsPerSecond);
      return `LookupEvents cannot carry account ${visible(account, 40)} in ${visible(region, 40)}: ${rate} events/s happened, and at most 100 a second can be read. Use s3-trail there, or poll it in mode write-only.`;
    }),
    ...(rest > 0 ? [`${counted(rest, 'more account and Region', 'more accounts and Regions')} cannot be carried either.`] : []),
    ...(missingHours > 0
      ? [`${counted(missingHours, 'hour')} of the last 7 days ${missingHours === 1 ? 'is' : 'are'} missing; see "kmswatch coverage".`]
      : []),
    ...(lacksReads ? [NO_READS] : []),
  ].map((text) => `${source}: ${text}`);
}

/** https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html */
export const NO_READS =
  'no Describe…, Get… or List… call has come this way. A rule in state ENABLED drops calls that only read; in state ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS it delivers them.';
