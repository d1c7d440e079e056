/** Hours in which KMS throttled calls of an account and Region, straight from events or put together from rollups. */
import { HOUR } from '../core/clock.ts';
import type { Actor, KmsEvent } from '../core/event.ts';
import { eventUuid } from '../core/ids.ts';
import type { ThrottledHour } from './contract.ts';
import { compare } from './habits.ts';
import { type Actors, canonical } from './tally.ts';

/** Fewer throttled calls in an hour are what retries are for. */
export const THROTTLED_FLOOR = 20;

export interface ThrottledCalls {
  readonly region: string;
  readonly hour: number;
  readonly actor: Actor;
  readonly operation: string;
  readonly count: number;
  readonly firstAt: number;
  readonly firstEventId: string;
  readonly lastAt: number;
  readonly lastEventId: string;
}

/** @param calls all calls of the account, by `region hour` */
export function throttledHours(rows: readonly ThrottledCalls[], calls: (region: string, hour: number) => number): ThrottledHour[] {
  const hours = [...Map.groupBy(rows, ({ region, hour }) => `${region} ${hour}`).values()];
  return hours
    .flatMap((same): ThrottledHour[] => {
      const throttled = same.reduce((sum, row) => sum + row.count, 0);
      const { region, hour } = same[0] as ThrottledCalls;
      if (throttled < THROTTLED_FLOOR) return [];
      const first = same.reduce((a, b) =>
        b.firstAt < a.firstAt || (b.firstAt === a.firstAt && precedes(b.firstEventId, a.firstEventId)) ? b : a,
      );
      const last = same.reduce((a, b) =>
        b.lastAt > a.lastAt || (b.lastAt === a.lastAt && precedes(a.lastEventId, b.lastEventId)) ? b : a,
      );
      return [
        {
          region,
          hour,
          calls: calls(region, hour),
          throttled,
          firstAt: first.firstAt,
          firstEventId: first.firstEventId,
          lastAt: last.lastAt,
          lastEventId: last.lastEventId,
          callers: callersOf(same),
        },
      ];
    })
    .sort((a, b) => compare(a.region, b.region) || a.hour - b.hour);
}

function callersOf(rows: readonly ThrottledCalls[]): ThrottledHour['callers'] {
  const groups = [...Map.groupBy(rows, ({ actor, operation }) => JSON.stringify([actor.id, operation]))];
  return groups
    .map(([name, same]) => ({
      name,
      actor: (same[0] as ThrottledCalls).actor,
      operation: same[0]?.operation ?? '',
      count: same.reduce((sum, row) => sum + row.count, 0),
    }))
    .sort((a, b) => b.count - a.count || compare(a.name, b.name))
    .slice(0, 5)
    .map(({ actor, operation, count }) => ({ actor, operation, count }));
}

function precedes(a: string, b: string): boolean {
  return eventUuid(a) < eventUuid(b);
}

/** Of one account; events in any order. */
export function throttledOf(events: readonly KmsEvent[], actors: Actors): ThrottledHour[] {
  const counts = new Map<string, number>();
  const rows: ThrottledCalls[] = [];
  for (const event of events) {
    if (event.service !== 'kms') continue;
    const { region, operation, eventTime: at, eventId } = event;
    const hour = Math.floor(at / HOUR) * HOUR;
    counts.set(`${region} ${hour}`, (counts.get(`${region} ${hour}`) ?? 0) + 1);
    if (event.outcome !== 'throttled') continue;
    rows.push({
      region,
      hour,
      actor: canonical(event, actors),
      operation,
      count: 1,
      firstAt: at,
      firstEventId: eventId,
      lastAt: at,
      lastEventId: eventId,
    });
  }
  return throttledHours(rows, (region, hour) => counts.get(`${region} ${hour}`) ?? 0);
}
