/** How each source stands, told together from the ledger, the totals and the checkpoints. */
import type pg from 'pg';
import { DAY } from '../core/clock.ts';
import { lagQuantile } from '../core/lag.ts';
import { LOOKUP_CHECKPOINTS, polledFilters } from '../sources/lookup-events/standing.ts';
import { checkpointsOf } from '../store/checkpoints.ts';
import { summarizeCoverage } from '../store/read/coverage.ts';
import { lastStored } from '../store/totals.ts';

/** An account and Region in which more happens than LookupEvents can tell. */
export interface OverCapacity {
  readonly account: string;
  readonly region: string;
  readonly eventsPerSecond: number;
}

export interface SourceStanding {
  readonly source: string;
  /** Epoch milliseconds. */
  readonly newestEvent: number | null;
  /** Within how many seconds half, and 95 of 100, of the last day's events were stored; Infinity: more than a day. */
  readonly lag: { readonly p50: number; readonly p95: number } | null;
  /** When it last brought something, be it the word that there was nothing; epoch milliseconds. */
  readonly lastSuccess: number | null;
  /** Accounts × Regions of which it has said something in the last 30 days. */
  readonly channels: number;
  /** Hours of the last seven days of which something is missing. */
  readonly missingHours: number;
  /** A path that may leave out calls that only read, and on which none has come. */
  readonly lacksReads: boolean;
  readonly overCapacity: readonly OverCapacity[];
}

/** An account that is not polled any more is no trouble any more. */
const POLLED_WITHIN = 7 * DAY;

/** When any account was last polled to some end, and which of them cannot be carried. */
export async function polling(pool: pg.Pool, now: number): Promise<{ readonly at: number | null; readonly over: readonly OverCapacity[] }> {
  const checkpoints = await checkpointsOf(pool, LOOKUP_CHECKPOINTS, now - POLLED_WITHIN);
  const at = checkpoints.reduce((latest, { updatedAt }) => Math.max(latest, updatedAt), 0);
  return { at: at === 0 ? null : at, over: overCapacity(checkpoints) };
}

/** Sources of which there is anything to tell, in order of their names. */
export async function sourceStandings(pool: pg.Pool, now: number): Promise<SourceStanding[]> {
  const [coverage, stored, polled] = await Promise.all([summarizeCoverage(pool, now), lastStored(pool), polling(pool, now)]);
  const bySource = new Map(coverage.map((each) => [each.source, each]));
  const names = [...new Set([...bySource.keys(), ...stored.keys(), ...(polled.at === null ? [] : ['lookup-events'])])].toSorted();
  return names.map((source) => {
    const { newestEvent = null, lag = [], channels = 0, missingHours = 0, channelsWithReads = 0 } = bySource.get(source) ?? {};
    const [p50, p95] = [lagQuantile(lag, 0.5), lagQuantile(lag, 0.95)];
    const lastSuccess = Math.max(stored.get(source) ?? 0, source === 'lookup-events' ? (polled.at ?? 0) : 0);
    return {
      source,
      newestEvent,
      lag: p50 === null || p95 === null ? null : { p50, p95 },
      lastSuccess: lastSuccess === 0 ? null : lastSuccess,
      channels,
      missingHours,
      lacksReads: source === 'eventbridge' && channels > 0 && channelsWithReads === 0,
      overCapacity: source === 'lookup-events' ? polled.over : [],
    };
  });
}

/** One for each account and Region: of its filters, the one with most events. */
export function overCapacity(checkpoints: Parameters<typeof polledFilters>[0]): OverCapacity[] {
  const places = new Map<string, OverCapacity>();
  for (const { account, region, capacity } of polledFilters(checkpoints)) {
    if (!capacity || capacity.carries) continue;
    const name = `${account}/${region}`;
    const { eventsPerSecond } = capacity;
    if (eventsPerSecond > (places.get(name)?.eventsPerSecond ?? -1)) places.set(name, { account, region, eventsPerSecond });
  }
  return [...places.values()];
}
