import { HOUR, MINUTE } from '../../core/clock.ts';
import { tellFirstUses } from '../biographies.ts';
import { deliveriesOf, Delivery } from '../delivery.ts';
import type { LogFile } from '../log-file.ts';
import { Random } from '../random.ts';
import type { Entry } from '../record.ts';
import { Scribe } from '../scribe.ts';
import type { Stream } from '../stream.ts';
import { runStreams } from '../stream.ts';
import type { World } from '../world.ts';
import { auditStreams } from './audits.ts';
import { tellLives } from './births.ts';
import type { Casting } from './casting.ts';
import { tellStories } from './casting.ts';
import { tellChanges } from './changes.ts';
import type { Playbook, SimOrganization, Story } from './contract.ts';
import { deskStreams } from './desks.ts';
import { tellIncidents } from './incidents.ts';
import { tellLifecycle } from './lifecycle.ts';
import type { Estate } from './organization.ts';
import { buildOrganization } from './organization.ts';
import { neighbourStreams } from './neighbours.ts';
import { pipelineStreams } from './pipelines.ts';
import { rhythmsOf } from './rhythms.ts';
import { serviceStreams } from './traffic.ts';

/** Records of a key and day, where nothing else is asked for. */
export const USUAL_RECORDS = 28;

export interface OrganizationOptions {
  readonly seed: string | number;
  /** Epoch milliseconds: nothing is later. */
  readonly end: number;
  /** Default 90. */
  readonly days?: number;
  /** With the security account. Default 40. */
  readonly accounts?: number;
  /** Established keys; those launched and retired in the period come on top. Default 400. */
  readonly keys?: number;
  /** About how many records the period has: AWS services' and applications' use is more or less, people and pipelines stay. Default 28 a key and day. */
  readonly records?: number;
  /** Minutes of one account and Region that go into one file. CloudTrail itself delivers about every 5. Default 120. */
  readonly fileMinutes?: number;
  /** Days before the first story. Default 30. */
  readonly learningDays?: number;
  /** Default none. */
  readonly stories?: Casting;
  /** The playbooks that `stories` names. */
  readonly playbooks?: readonly Playbook[];
}

export interface OrganizationPlan {
  readonly organization: SimOrganization;
  /** Labels of the injected stories, by the time they start. */
  readonly stories: readonly Story[];
  /** Log files in time order; at most about a day's records are held at a time. Each call makes the same files anew. */
  files(): Generator<LogFile, void, undefined>;
}

/**
 * A simulated organization: benign life of accounts, services, pipelines and people over months, and the stories that are
 * injected into it. The same options give the same bytes.
 * @throws RangeError for sizes that make no organization, or stories that cannot be told
 */
export function planOrganization(options: OrganizationOptions): OrganizationPlan {
  const {
    seed,
    end,
    days = 90,
    accounts = 40,
    keys = 400,
    fileMinutes = 120,
    learningDays = 30,
    stories = 'none',
    playbooks = [],
  } = options;
  const { records = USUAL_RECORDS * keys * days } = options;
  if (!(fileMinutes > 0) || !(records > 0)) throw new RangeError('records and fileMinutes must be positive');
  const estate = buildOrganization({ seed, end, days, accounts, keys });
  const rhythms = rhythmsOf(estate.seed, estate);
  const told = tellStories(estate, playbooks, { casting: stories, learningDays });
  afflict(estate, told.stories);
  const comings = tellLifecycle(estate, rhythms);
  const established = [
    ...serviceStreams(estate, rhythms),
    ...deskStreams(estate, rhythms),
    ...pipelineStreams(estate, rhythms),
    ...auditStreams(estate, rhythms),
    ...neighbourStreams(estate, rhythms),
  ];
  const streams = [...established, ...comings.streams];
  const once = [
    ...tellLives(estate),
    ...tellFirstUses(estate.world, established),
    ...tellChanges(estate),
    ...tellIncidents(estate),
    ...comings.entries,
    ...told.entries,
  ];
  const scale = scaleFor(records, { estate, streams, once });
  return {
    organization: estate,
    stories: told.stories,
    files: () => filesOf(estate, { world: { ...estate.world, scale }, streams, once, stories: told.stories, span: fileMinutes * MINUTE }),
  };
}

/** What stories do to those who use the keys. */
function afflict(estate: Estate, stories: readonly Story[]): void {
  const keys = new Map(estate.accounts.flatMap((household) => household.keys.map(({ key }) => [key.arn, key])));
  for (const { aftermath } of stories) for (const { key, ...trouble } of aftermath) keys.get(key)?.troubles.push(trouble);
}

/** How much services must use their keys for about so many records, with what does not grow beside it. */
function scaleFor(records: number, life: { estate: Estate; streams: readonly Stream[]; once: readonly Entry[] }): number {
  const { start, end } = life.estate;
  const expected = (among: (stream: Stream) => boolean): number =>
    life.streams.filter(among).reduce((sum, stream) => sum + expectedOf(stream, { start, end }), 0);
  const fixed = expected((stream) => stream.fixed === true) + life.once.filter(({ time }) => time >= start).length;
  return Math.max((records - fixed) / expected((stream) => stream.fixed !== true), 0.01);
}

/** Every fifth hour is asked: five shares no factor with a day's or a week's hours, so each is met as often as the others. */
function expectedOf(stream: Stream, { start, end }: { start: number; end: number }): number {
  let sum = 0;
  for (let hour = start; hour < end; hour += 5 * HOUR) sum += stream.rhythm(hour);
  return (stream.perDay / 24) * sum * 5 * (stream.weight ?? 1);
}

interface Telling {
  readonly world: World;
  readonly streams: readonly Stream[];
  readonly once: readonly Entry[];
  readonly stories: readonly Story[];
  readonly span: number;
}

/** Told piece by piece: what is young when it is let go costs little. */
const PIECE = 3 * HOUR;

function* filesOf({ seed, start, end }: Estate, telling: Telling): Generator<LogFile, void, undefined> {
  const { world, streams, once, stories, span } = telling;
  const delivery = new Delivery({ seed, start, end, span, unseen: blindness(stories) });
  yield* delivery.history(once.filter((entry) => entry.time < start));
  const onceIn = Map.groupBy(once, ({ time }) => Math.floor((time - start) / PIECE));
  const scribes = new Map(streams.map(({ name }) => [name, new Scribe(new Random(`${seed}/scribe/${name}`))]));
  const scribe = (name: string): Scribe => {
    const found = scribes.get(name);
    if (!found) throw new RangeError(`no scribe writes ${name}`);
    return found;
  };
  const luck = new Random(`${seed}/luck`);
  for (let from = start; from < end; from += PIECE) {
    const to = from + PIECE;
    runStreams(world, streams, { from, to, scribe });
    const told = [...scribes.values()].flatMap(({ entries }) => entries.splice(0));
    const entries = [...told, ...(onceIn.get((from - start) / PIECE) ?? [])];
    delivery.accept(entries.flatMap((entry) => deliveriesOf(luck, entry)));
    yield* delivery.due(to >= end ? Number.POSITIVE_INFINITY : to);
  }
}

/** What the trail does not see while a story has blinded it; the calls that blind it and open its eyes are seen. */
function blindness(stories: readonly Story[]): (entry: Entry) => boolean {
  const stretches = Map.groupBy(
    stories.flatMap(({ unseen }) => unseen),
    ({ account }) => account,
  );
  if (stretches.size === 0) return () => false;
  return ({ time, account, record }) =>
    stretches
      .get(account)
      ?.some((one) => time > one.from && time < one.to && (!one.kmsOnly || record['eventSource'] === 'kms.amazonaws.com')) ?? false;
}
