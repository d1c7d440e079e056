import { tagResource } from '../controls.ts';
import { via } from '../callers.ts';
import { decrypt, denied, generateDataKey, list, read } from '../operations.ts';
import type { Scribe } from '../scribe.ts';
import type { Stream } from '../stream.ts';
import { writeUse } from '../stream.ts';
import type { OrgPerson } from './contract.ts';
import type { Estate, Household } from './organization.ts';
import { beginners } from './beginners.ts';
import type { Rhythms } from './rhythms.ts';
import { hoursOf, sessionOf, tripsOf, type Trip } from './travel.ts';

/** Visits to the console or the command line, a day and account. */
const VISITS = { PlatformAdmin: 0.35, SecurityAudit: 0.15, Developer: 0.45, DataEngineer: 0.6 } as const;

/** One person at work in one account. */
interface Desk {
  readonly person: OrgPerson;
  readonly trips: readonly Trip[];
  readonly household: Household;
  readonly rhythm: Stream['rhythm'];
}

/** People at work: they look at keys, read secrets of systems that are not live, query data, change a little, and are refused at times. */
export function deskStreams(estate: Estate, rhythms: Rhythms): Stream[] {
  const newcomers = beginners(estate);
  const since = new Map(newcomers.map(({ person, joins }) => [person, joins]));
  return [...estate.people, ...newcomers.map(({ person }) => person)].flatMap((person) => {
    const trips = tripsOf(estate.seed, person, estate);
    const hours = hoursOf(person, trips, rhythms);
    const joins = since.get(person);
    const rhythm = joins === undefined ? hours : (time: number) => (time < joins ? 0 : hours(time));
    return estate.accounts
      .filter(({ id }) => person.accounts.includes(id))
      .flatMap((household) => streamsOf({ person, trips, household, rhythm }, joins !== undefined));
  });
}

function streamsOf(desk: Desk, isNew: boolean): Stream[] {
  const { permissions } = desk.person;
  const { stage } = desk.household.plan;
  return [
    task(desk, 'look', { perDay: VISITS[permissions], weight: 7, write: (time, scribe) => look(desk, time, scribe) }),
    task(desk, 'refused', { perDay: 0.015, write: (time, scribe) => beRefused(desk, time, scribe) }),
    ...(permissions === 'PlatformAdmin' ? [task(desk, 'tag', { perDay: 0.012, write: (time, scribe) => tag(desk, time, scribe) })] : []),
    ...(permissions === 'Developer' && stage === 'staging' ? secrets(desk, isNew) : []),
    ...(permissions === 'DataEngineer' ? queries(desk, isNew) : []),
  ];
}

function task(desk: Desk, name: string, what: Pick<Stream, 'perDay' | 'write' | 'key' | 'weight'>): Stream {
  return { name: `desk/${desk.person.mail}/${desk.household.name}/${name}`, rhythm: desk.rhythm, fixed: true, ...what };
}

/** The console lists aliases and describes a key with every page; the command line asks for less. */
function look(desk: Desk, time: number, scribe: Scribe): void {
  const tool = scribe.random.chance(0.7) ? 'console' : 'cli';
  const caller = sessionOf(desk.person, desk.trips, { account: desk.household.id, time, tool });
  const { key } = scribe.random.pick(desk.household.keys);
  const { region } = key;
  scribe.write({ time, region }, caller, list('ListAliases'));
  if (tool === 'console') scribe.write({ time: time + 1_000, region }, caller, list('ListKeys', { limit: 1000 }));
  const pages = scribe.random.int(1, 2);
  for (let page = 0; page < pages; page += 1) {
    const shown = page === 0 ? key : scribe.random.pick(desk.household.keys).key;
    const begins = time + 2_000 + page * scribe.random.int(20, 90) * 1_000;
    const operations =
      tool === 'console' ? ['DescribeKey', 'GetKeyPolicy', 'GetKeyRotationStatus', 'ListResourceTags'] : ['DescribeKey', 'GetKeyPolicy'];
    for (const [at, operation] of operations.entries())
      scribe.write({ time: begins + at * 1_000, region: shown.region }, caller, read(operation, shown));
  }
}

function beRefused(desk: Desk, time: number, scribe: Scribe): void {
  const { person, trips, household } = desk;
  const caller = sessionOf(person, trips, { account: household.id, time, tool: 'cli' });
  const { key } = scribe.random.pick(household.keys);
  const call = scribe.random.pick([read('GetKeyPolicy', key), read('ListGrants', key), decrypt(key, { time })]);
  const tries = scribe.random.int(1, 3);
  for (let at = 0; at < tries; at += 1)
    scribe.write({ time: time + at * 40_000, region: key.region }, caller, denied(call, caller, key.arn));
}

function tag(desk: Desk, time: number, scribe: Scribe): void {
  const { key } = scribe.random.pick(desk.household.keys);
  const caller = sessionOf(desk.person, desk.trips, { account: desk.household.id, time, tool: 'console' });
  scribe.write({ time, region: key.region }, caller, tagResource(key, 'cost-center', String(scribe.random.int(100, 140))));
}

/** Developers read secrets and parameters of staging through the services that keep them. */
function secrets(desk: Desk, isNew: boolean): Stream[] {
  const kept = desk.household.keys.filter(({ purpose }) => purpose === 'secretsmanager' || purpose === 'ssm');
  return kept.slice(0, 2).map((living) =>
    task(desk, `secrets-${living.key.name}`, {
      perDay: 1.1,
      ...(isNew ? {} : { key: living.key }),
      write: (time, scribe) => {
        const caller = sessionOf(desk.person, desk.trips, { account: desk.household.id, time, tool: 'cli' });
        const call = decrypt(living.key, { context: living.context(scribe.random), time });
        writeUse(scribe, living.key, { time, caller: via(caller, `${living.purpose}.amazonaws.com`), call });
      },
    }),
  );
}

/** Athena reads what is asked about, and writes the results. */
function queries(desk: Desk, isNew: boolean): Stream[] {
  const lakes = desk.household.keys.filter(({ purpose }, at) => purpose === 's3' && at < 6);
  return lakes.map(({ key, context }) =>
    task(desk, `query-${key.name}`, {
      perDay: 1.5,
      weight: 2,
      ...(isNew ? {} : { key }),
      write: (time, scribe) => {
        const caller = via(
          sessionOf(desk.person, desk.trips, { account: desk.household.id, time, tool: 'console' }),
          'athena.amazonaws.com',
        );
        writeUse(scribe, key, { time, caller, call: decrypt(key, { context: context(scribe.random), time }) });
        writeUse(scribe, key, { time: time + 6_000, caller, call: generateDataKey(key, { context: context(scribe.random), time }) });
      },
    }),
  );
}
