import { DAY, MINUTE } from '../core/clock.ts';
import { tellBiographies, tellFirstUses } from './biographies.ts';
import { tellBystanders } from './bystanders.ts';
import { deliveriesOf, Delivery } from './delivery.ts';
import type { LogFile } from './log-file.ts';
import { Random } from './random.ts';
import { analyticsStreams } from './routines/analytics.ts';
import { applicationStreams } from './routines/applications.ts';
import { euShopStreams } from './routines/eu-shop.ts';
import { machineStreams } from './routines/machines.ts';
import { peopleStreams } from './routines/people.ts';
import { shopStreams } from './routines/shop.ts';
import { testBedStreams } from './routines/test-bed.ts';
import { Scribe } from './scribe.ts';
import { unseen } from './stories/blinding.ts';
import { tellStories } from './stories/stories.ts';
import { runStreams } from './stream.ts';
import { buildWorld } from './world.ts';

export interface MonthOptions {
  readonly seed: string | number;
  /** The month's end, epoch milliseconds: nothing is later. */
  readonly end: number;
  /** Default 30. Stories lie in the last 27 days; what falls before the beginning is not told. */
  readonly days?: number;
  /** Multiplies the use of keys; 1 gives some 40,000 records in 30 days. Stories are told once at any scale. */
  readonly scale?: number;
  /** Minutes of one account and Region that go into one file. CloudTrail itself delivers about every 5. Default 120. */
  readonly fileMinutes?: number;
}

/**
 * A month of one company's KMS life as CloudTrail log files, made file by file in time order: services, pipelines and
 * people that use their keys, what happened once (see `stories/`), and the keys' earlier lives as older files. The same
 * options give the same bytes. At most about a day's records are held at a time.
 * @throws RangeError for days that are not a positive whole number, or a scale or fileMinutes not above 0
 */
export function* simulateMonth({ seed, end, days = 30, scale = 1, fileMinutes = 120 }: MonthOptions): Generator<LogFile, void, undefined> {
  if (!Number.isInteger(days) || days < 1 || !(scale > 0) || !(fileMinutes > 0))
    throw new RangeError('days, scale and fileMinutes must be positive, days whole');
  const world = buildWorld({ seed, end: Math.floor(end / 1000) * 1000, days, scale });
  const streams = [
    ...shopStreams(world),
    ...euShopStreams(world),
    ...applicationStreams(world),
    ...testBedStreams(world),
    ...machineStreams(world),
    ...analyticsStreams(world),
    ...peopleStreams(world),
  ];
  const once = [...tellBiographies(world), ...tellFirstUses(world, streams), ...tellStories(world), ...tellBystanders(world)];
  const delivery = new Delivery({
    seed: world.seed,
    start: world.start,
    end: world.end,
    span: fileMinutes * MINUTE,
    unseen: (entry) => unseen(world, entry),
  });
  yield* delivery.history(once.filter((entry) => entry.time < world.start));
  for (let day = 0; day < days; day += 1) {
    const [from, to] = [world.start + day * DAY, world.start + (day + 1) * DAY];
    const scribes: Scribe[] = [];
    const scribe = (name: string): Scribe => {
      const made = new Scribe(new Random(`${world.seed}/day/${day}/${name}`));
      scribes.push(made);
      return made;
    };
    runStreams(world, streams, { from, to, scribe });
    const ofTheDay = once.filter((entry) => entry.time >= from && entry.time < to);
    delivery.accept(
      [...scribes.flatMap((made) => made.entries), ...ofTheDay].flatMap((entry, at) =>
        deliveriesOf(new Random(`${world.seed}/luck/${day}/${at}`), entry),
      ),
    );
    yield* delivery.due(day === days - 1 ? Number.POSITIVE_INFINITY : to);
  }
}
