import { DAY, HOUR, MINUTE } from '../../core/clock.ts';
import { updateAlias } from '../aliases.ts';
import { AGENTS, kmsItself } from '../callers.ts';
import { scheduleKeyDeletion, serviceEvent } from '../controls.ts';
import { decrypt, read } from '../operations.ts';
import { workMoment } from '../instants.ts';
import { Random } from '../random.ts';
import type { Entry } from '../record.ts';
import { Scribe } from '../scribe.ts';
import type { Stream } from '../stream.ts';
import { tellLife } from './births.ts';
import { windowMoment, windowsOf } from './changes.ts';
import type { LivingKey } from './keys.ts';
import { livingKey } from './keys.ts';
import type { Estate, Household } from './organization.ts';
import { policyOf } from './organization.ts';
import type { Rhythms } from './rhythms.ts';
import { useStream } from './traffic.ts';
import { workloadOf } from './workload.ts';

/** What comes and goes within the period: told once, and used again and again. */
export interface Comings {
  readonly entries: readonly Entry[];
  readonly streams: readonly Stream[];
}

/** New keys, their successors, keys that are given up, and workloads that begin to use a key. Rates are per month and account. */
export function tellLifecycle(estate: Estate, rhythms: Rhythms): Comings {
  const months = (estate.end - estate.start) / (30 * DAY);
  const random = new Random(`${estate.seed}/lifecycle`);
  const times = (rate: number): number[] => Array.from({ length: random.poisson(rate * months * estate.accounts.length) }, (_, at) => at);
  const some = (): Household => random.pick(estate.accounts.slice(1));
  const parts = [
    ...times(0.07).map((at) => launch(estate, some(), { at, rhythms })),
    ...times(0.05).map((at) => retire(estate, some(), at)),
    ...times(0.04).map((at) => arrive(estate, some(), { at, rhythms })),
  ];
  return { entries: parts.flatMap(({ entries }) => entries), streams: parts.flatMap(({ streams }) => streams) };
}

/** A key for something new, made by the pipeline; half of them get a successor some weeks later, to which the alias moves. */
function launch(estate: Estate, household: Household, { at, rhythms }: { at: number; rhythms: Rhythms }): Comings {
  const random = new Random(`${estate.seed}/launch/${at}`);
  const windows = windowsOf(estate);
  if (windows.length === 0) return { entries: [], streams: [] };
  const purpose = random.pick(['s3', 'application', 'dynamodb', 'secretsmanager', 'sqs', 'signing'] as const);
  const born = windowMoment(random, windows);
  const first = bear(estate, household, { purpose, noun: `launch-${at}`, createdAt: born });
  const moves = windowMoment(random, windows);
  const hasSuccessor = moves > born + 6 * DAY && random.chance(0.5);
  const began = born + random.int(1, 30) * HOUR;
  const stream = (living: LivingKey, share: (time: number) => number): Stream[] =>
    living.workloads.map((workload) => {
      const made = useStream(estate, household, { living, workload, rhythms });
      return { ...made, rhythm: (time) => share(time) * made.rhythm(time) };
    });
  const entries = tellLife(estate, first, household.pipeline(born));
  if (!hasSuccessor) return { entries, streams: stream(first, (time) => (time < began ? 0 : 1)) };

  // The successor serves the same things and the same workloads.
  const made = bear(estate, household, { purpose, noun: `launch-${at}-successor`, createdAt: moves });
  const second: LivingKey = { ...made, context: first.context, workloads: first.workloads };
  const scribe = new Scribe(random);
  const { alias, region } = first.key;
  const [place, next] = [{ time: moves + 10 * MINUTE, region: second.key.region }, household.pipeline(moves)];
  const sameRegion = region === second.key.region;
  if (alias !== null && sameRegion) scribe.write(place, next, updateAlias(second.key, alias));
  return {
    entries: [...entries, ...tellLife(estate, second, next, null), ...scribe.entries],
    streams: [
      // What the first encrypted is still read.
      ...stream(first, (time) => (time < began ? 0 : time < moves + 30 * MINUTE ? 1 : 0.15)),
      ...stream(second, (time) => (time < moves + HOUR ? 0 : 1)).map((one) => ({ ...one, name: `${one.name}/successor` })),
    ],
  };
}

function bear(estate: Estate, household: Household, wish: { purpose: LivingKey['purpose']; noun: string; createdAt: number }): LivingKey {
  const random = new Random(`${estate.seed}/policy/${household.id}/${wish.noun}`);
  return livingKey(estate.world, { account: household.plan, nat: household.nat, ...wish }, (key, roles) => policyOf(random, key, roles));
}

/** A key that nobody has used for months is given up, with the longest waiting time. */
function retire(estate: Estate, household: Household, at: number): Comings {
  const random = new Random(`${estate.seed}/retire/${at}`);
  const createdAt = workMoment(estate.start, random.int(300, 900), { hour: 11, minute: random.int(0, 59), offset: 0 });
  const living = bear(estate, household, {
    purpose: random.pick(['s3', 'secretsmanager', 'application'] as const),
    noun: `legacy-${at}`,
    createdAt,
  });
  const admin = random.pick(household.people.filter(({ permissions }) => permissions === 'PlatformAdmin'));
  const daysBefore = random.int(1, Math.max(1, Math.floor((estate.end - estate.start) / DAY) - 1));
  const time = workMoment(estate.end, daysBefore, { hour: random.int(10, 16), minute: random.int(0, 59), offset: admin.offset });
  const { key, workloads } = living;
  const scribe = new Scribe(random);
  const place = (moment: number): { time: number; region: string } => ({ time: moment, region: key.region });
  const used = random.pick(workloads);
  for (const days of [1, 60]) {
    const moment = createdAt + days * DAY + 3 * HOUR;
    scribe.write(place(moment), used.caller(moment), decrypt(key, { context: living.context(random), time: moment }));
  }
  const caller = admin.caller(household.id, time, 'console');
  scribe.write(place(time - 3 * MINUTE), caller, read('DescribeKey', key));
  scribe.write(place(time), caller, scheduleKeyDeletion(key, { time, windowDays: 30 }));
  const deleted = time + 30 * DAY + random.int(1, 20) * HOUR;
  scribe.write(place(deleted), kmsItself(key.account), serviceEvent('DeleteKey', key, {}));
  // Keys that wait for deletion rotate no more.
  const life = tellLife(estate, living, household.pipeline(createdAt)).filter((entry) => entry.time < time);
  return { entries: [...life, ...scribe.entries], streams: [] };
}

/** A new workload begins to use an established key, through the same service as the others. */
function arrive(estate: Estate, household: Household, { at, rhythms }: { at: number; rhythms: Rhythms }): Comings {
  const random = new Random(`${estate.seed}/arrive/${at}`);
  const living = random.pick(household.keys.filter(({ purpose }) => !['ebs', 'rds', 'backup'].includes(purpose)));
  const begins = workMoment(estate.end, random.int(1, Math.max(1, Math.floor((estate.end - estate.start) / DAY) - 1)), {
    hour: random.int(10, 16),
    minute: random.int(0, 59),
    offset: 0,
  });
  const workload = workloadOf(estate.world, {
    account: household.id,
    role: `${household.plan.team}-insights-${at}`,
    through: living.workloads[0]?.through ?? null,
    agent: random.pick(Object.values(AGENTS)),
    runsOn: 'tasks',
    endpoint: null,
    nat: household.nat,
  });
  const stream = useStream(estate, household, { living, workload, rhythms });
  return { entries: [], streams: [{ ...stream, rhythm: (time) => (time < begins ? 0 : stream.rhythm(time)) }] };
}
