import { DAY, HOUR, MINUTE } from '../../core/clock.ts';
import { enableKeyRotation, putKeyPolicy, tagResource } from '../controls.ts';
import { rolePolicy } from '../policies.ts';
import { Random } from '../random.ts';
import type { Call, Entry } from '../record.ts';
import { Scribe } from '../scribe.ts';
import type { LivingKey } from './keys.ts';
import type { Estate, Household } from './organization.ts';
import { partnerOf } from './traffic.ts';

/** Beginnings of the weekly change windows: Tuesdays, 13:00 UTC, as `changeWindow` says. */
export function windowsOf({ start, end }: { start: number; end: number }): number[] {
  const found: number[] = [];
  for (let day = Math.ceil(start / DAY) * DAY; day < end; day += DAY) if (new Date(day).getUTCDay() === 2) found.push(day + 13 * HOUR);
  return found;
}

/** A moment in one of the change windows, far enough from its end for what takes minutes. */
export function windowMoment(random: Random, windows: readonly number[]): number {
  return random.pick(windows) + random.int(5, 150) * MINUTE;
}

/** What pipelines change in their windows: tags, rotation periods, and who may use a key. */
export function tellChanges(estate: Estate): Entry[] {
  const windows = windowsOf(estate);
  return estate.accounts.flatMap((household) => {
    const scribe = new Scribe(new Random(`${estate.seed}/changes/${household.id}`));
    for (const window of windows) {
      if (!scribe.random.chance(0.25)) continue;
      const time = windowMoment(scribe.random, [window]);
      const first = scribe.random.int(0, household.keys.length - 1);
      const count = scribe.random.int(1, 2);
      for (let at = 0; at < count; at += 1) change(estate, scribe, { household, time: time + at * 4_000, at: first + at });
    }
    return scribe.entries;
  });
}

function change(estate: Estate, scribe: Scribe, what: { household: Household; time: number; at: number }): void {
  const { household, time, at } = what;
  const living = household.keys[at % household.keys.length];
  // Whoever touches the trail's key is asked why; pipelines leave it alone.
  if (!living || living.key === estate.security.keys[0]?.key || living.key.createdAt >= time) return;
  scribe.write({ time, region: living.key.region }, household.pipeline(time), callOn(scribe.random, estate, living));
}

function callOn(random: Random, estate: Estate, living: LivingKey): Call {
  const { key, workloads, rotationDays } = living;
  const draw = random.float();
  if (draw < 0.3 && partnerOf(estate, living) === null) return putKeyPolicy(key, rolePolicy(key.account, random.pick(workloads).role));
  if (draw < 0.5 && rotationDays !== null) return enableKeyRotation(key, rotationDays);
  return tagResource(key, random.pick(['cost-center', 'service', 'reviewed']), String(random.int(100, 140)));
}
