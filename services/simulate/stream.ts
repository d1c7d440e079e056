import { HOUR } from '../core/clock.ts';
import { isWeekend, localHour } from './instants.ts';
import { refused } from './operations.ts';
import type { Call, Caller } from './record.ts';
import type { Scribe } from './scribe.ts';
import type { SimKey, World } from './world.ts';

/** How busy an hour is, compared with the average hour; averages to about 1 over a week. */
export type Rhythm = (time: number) => number;

/** Something that happens again and again, a known number of times a day. */
export interface Stream {
  readonly name: string;
  readonly perDay: number;
  readonly rhythm: Rhythm;
  /** Not multiplied by the world's scale: people and pipelines do not grow with traffic. */
  readonly fixed?: true;
  /** Runs by the clock: as often as expected, not by chance. */
  readonly punctual?: true;
  /** Records of one occurrence, about. Default 1. */
  readonly weight?: number;
  /** The key that it uses; absent where it uses none, or another one each time. */
  readonly key?: SimKey;
  write(time: number, scribe: Scribe): void;
}

export const steady: Rhythm = () => 1;

/** Everything at one hour of the day, UTC. */
export function nightly(hour: number): Rhythm {
  return (time) => (new Date(time).getUTCHours() === hour ? 24 : 0);
}

const SHOP_DAY = [
  0.35, 0.25, 0.2, 0.2, 0.25, 0.4, 0.7, 1, 1.1, 1.15, 1.2, 1.3, 1.45, 1.3, 1.2, 1.2, 1.25, 1.4, 1.6, 1.85, 1.9, 1.6, 1, 0.65,
] as const;

/** Customers of a shop: evenings are busiest, weekends a little more so. */
export function customers(offset: number): Rhythm {
  return (time) => (SHOP_DAY[localHour(time, offset)] ?? 1) * (isWeekend(time, offset) ? 1.15 : 0.94);
}

/** People at work: weekdays, 9 to 18 local, quieter around noon. */
export function office(offset: number): Rhythm {
  return (time) => {
    const hour = localHour(time, offset);
    if (isWeekend(time, offset) || hour < 9 || hour >= 18) return 0;
    return hour === 12 ? 1.5 : 4;
  };
}

/** What the streams do between two moments: a Poisson number of occurrences an hour. */
export function runStreams(
  world: World,
  streams: readonly Stream[],
  window: { from: number; to: number; scribe: (name: string) => Scribe },
): void {
  for (const stream of streams) {
    const scribe = window.scribe(stream.name);
    const perHour = (stream.perDay / 24) * (stream.fixed ? 1 : world.scale);
    for (let hour = window.from; hour < window.to; hour += HOUR) {
      const expected = perHour * stream.rhythm(hour);
      const count = stream.punctual ? Math.round(expected) : scribe.random.poisson(expected);
      for (let made = 0; made < count; made += 1) stream.write(hour + scribe.random.int(0, 3_599) * 1000, scribe);
    }
  }
}

/** Whether uses of the key fail, or do not happen, at a time. */
export function inTrouble(key: SimKey, time: number): boolean {
  return key.troubles.some(({ from, to }) => time >= from && time < to);
}

/** Writes a use of a key, which fails, or does not happen, where the key is in trouble at that time. */
export function writeUse(scribe: Scribe, key: SimKey, what: { time: number; caller: Caller; call: Call }): void {
  const trouble = key.troubles.find(({ from, to }) => what.time >= from && what.time < to);
  const place = { time: what.time, region: key.region };
  if (!trouble) return scribe.write(place, what.caller, what.call);
  if (trouble.code !== null) scribe.write(place, what.caller, refused(what.call, { code: trouble.code, message: trouble.message }));
}
