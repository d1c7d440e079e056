/**
 * Subjects straight from events, in memory: what the database loads, said in the plainest way. The oracle that the stored
 * projection is tested against, and the engine of fixtures.
 */
import { alsoUsedKey } from '../core/also-used.ts';
import type { KeyRef } from '../core/arn.ts';
import { DAY } from '../core/clock.ts';
import { type Actor, compareEvents, type KmsEvent, type StoredEvent } from '../core/event.ts';
import { formsHabit, isCaller } from '../core/habit.ts';
import { type AliasStep, aliasOf, aliasTargetAt, aliasTimeline } from '../keys/alias.ts';
import { foldTimeline } from '../keys/reduce.ts';
import type { AccountSubject, ActorSubject, AliasSubject, KeySubject, KeyUse, Organization, Subject } from './contract.ts';
import {
  callerProfile,
  formsVolume,
  HabitTally,
  hasLongPause,
  keyProfile,
  keysOfHabit,
  sessionPlaces,
  spreadsOf,
  VolumeTally,
} from './habits.ts';
import { isOfAccount } from '../core/of-account.ts';
import { harmsKey } from '../core/key-harm.ts';
import { opensKey } from '../core/key-opening.ts';
import { sharingPeriod } from './sharing.ts';
import { storedEvent } from './stored-event.ts';
import { actorUses, canonical, failureHours, keyUses } from './tally.ts';
import { throttledOf } from './throttled.ts';

/** Every subject that the events tell of: keys, aliases, accounts, actors, each kind in order of its name. Order and repetition of the events do not matter. */
export function subjectsOf(events: readonly KmsEvent[], organization: Organization): Subject[] {
  const distinct = distinctInOrder(events);
  const actors = new Map<string, Actor>();
  for (const { actor } of distinct) if (!actors.has(actor.id)) actors.set(actor.id, actor);
  const world: World = { events: distinct, actors, aliases: aliasTimelines(distinct), organization };
  const keys = keySubjects(world);
  return [...keys, ...aliasSubjects(world, keys), ...accountSubjects(world), ...actorSubjects(world)];
}

interface World {
  readonly events: readonly KmsEvent[];
  readonly actors: ReadonlyMap<string, Actor>;
  readonly aliases: ReadonlyMap<string, { readonly ref: KeyRef; readonly timeline: readonly AliasStep[] }>;
  readonly organization: Organization;
}

/** Identity and essence tell events apart. Of two that differ in neither, the one that comes first as text stands. */
function distinctInOrder(events: readonly KmsEvent[]): KmsEvent[] {
  const byIdentity = Map.groupBy(events, (event) => JSON.stringify([event.account, event.region, event.eventId, event.essence]));
  const distinct = [...byIdentity].map(([identity, same]) => {
    const ordered = same.length === 1 ? same : same.toSorted((a, b) => compareText(JSON.stringify(a), JSON.stringify(b)));
    return { identity, event: ordered[0] as KmsEvent };
  });
  distinct.sort((a, b) => compareEvents(a.event, b.event) || compareText(a.identity, b.identity));
  return distinct.map(({ event }) => event);
}

function aliasTimelines(events: readonly KmsEvent[]): World['aliases'] {
  const refs = new Map<string, KeyRef>();
  const byAlias = new Map<string, StoredEvent[]>();
  for (const event of events) {
    for (const ref of [event.key, event.otherKey]) if (ref?.kind === 'alias') refs.set(ref.arn, ref);
    const alias = aliasOf(event);
    if (alias) pushTo(byAlias, alias.arn, storedEvent(event));
  }
  return new Map([...refs].map(([arn, ref]) => [arn, { ref, timeline: aliasTimeline(byAlias.get(arn) ?? [], arn) }]));
}

/** The key that an event is about: named itself, or by an alias as it pointed at the event's time. */
function resolvedKey(event: KmsEvent, world: World): string | null {
  if (event.key === null) return null;
  if (event.key.kind === 'key') return event.key.arn;
  return aliasTargetAt(world.aliases.get(event.key.arn)?.timeline ?? [], event.eventTime);
}

function keySubjects(world: World): KeySubject[] {
  const refs = new Map<string, KeyRef>();
  const byKey = new Map<string, KmsEvent[]>();
  const usesOf = new Map<string, KmsEvent[]>();
  const controls = new Map<string, StoredEvent[]>();
  const habitual = new Map<string, KmsEvent[]>();
  for (const event of world.events) {
    for (const ref of [event.key, event.otherKey]) if (ref?.kind === 'key') refs.set(ref.arn, ref);
    for (const arn of keysOfHabit(event)) pushTo(habitual, arn, event);
    const key = resolvedKey(event, world);
    if (key !== null) pushTo(byKey, key, event);
    for (const arn of [key, alsoUsedKey(event)?.arn ?? null]) if (arn !== null) pushTo(usesOf, arn, event);
    if (event.operationClass !== 'control') continue;
    const stored = storedEvent(event);
    const other = event.otherKey?.kind === 'key' ? event.otherKey.arn : null;
    for (const arn of new Set([key, other])) if (arn !== null) pushTo(controls, arn, stored);
  }
  const names = aliasNames(world);
  const watched = watchedDays(world);
  return inNameOrder(refs).map(([arn, ref]) => {
    const events = byKey.get(arn) ?? [];
    const timeline = foldTimeline(controls.get(arn) ?? [], arn);
    const uses = keyUses(world.actors);
    const failures = failureHours(world.actors);
    for (const event of usesOf.get(arn) ?? []) uses.add(event, arn);
    for (const event of events) if (event.outcome !== 'ok' && event.outcome !== 'denied') failures.add(event, arn);
    const habits = new HabitTally(world.actors, keyProfile);
    const volumes = new VolumeTally(world.actors);
    for (const event of habitual.get(arn) ?? []) {
      habits.add(event);
      if (formsVolume(event)) volumes.add(event, true);
    }
    const ways = habits.rows();
    return {
      kind: 'key',
      arn,
      account: ref.account,
      region: ref.region,
      facts: timeline.at(-1)?.after ?? {},
      timeline,
      uses: uses.rows(),
      failures: failures.rows(),
      aliases: (names.get(arn) ?? []).sort(),
      protectsLogs: world.organization.logKeys.has(arn) || events.some((event) => event.protectsLogs),
      habits: ways,
      volumes: volumes.rows(),
      ...(hasLongPause(ways) && { watched: watched.get(`${ref.account}/${ref.region}`) ?? [] }),
    };
  });
}

/** Days on which cryptographic calls are on record, by `account/region`. */
function watchedDays({ events }: World): Map<string, number[]> {
  const days = new Map<string, Set<number>>();
  for (const event of events) {
    if (event.operationClass !== 'use' || !formsHabit(event)) continue;
    const place = `${event.account}/${event.region}`;
    days.set(place, (days.get(place) ?? new Set()).add(Math.floor(event.eventTime / DAY)));
  }
  return new Map([...days].map(([place, set]) => [place, [...set].sort((a, b) => a - b)]));
}

/** Names of the aliases that point to a key now. */
function aliasNames(world: World): Map<string, string[]> {
  const names = new Map<string, string[]>();
  for (const { ref, timeline } of world.aliases.values()) {
    const target = timeline.at(-1)?.after ?? null;
    if (target !== null) pushTo(names, target, ref.id);
  }
  return names;
}

function aliasSubjects(world: World, keys: readonly KeySubject[]): AliasSubject[] {
  const byArn = new Map(keys.map((key) => [key.arn, key]));
  return inNameOrder(world.aliases).map(([arn, { ref, timeline }]) => {
    const targets = [...new Set(timeline.flatMap((step) => step.after ?? []))].sort();
    return {
      kind: 'alias',
      arn,
      account: ref.account,
      region: ref.region,
      timeline,
      lastUsed: Object.fromEntries(targets.flatMap((target) => lastUse(target, byArn.get(target)?.uses ?? []))),
      targets: Object.fromEntries(targets.map((target) => [target, byArn.get(target)?.facts ?? {}])),
    };
  });
}

function lastUse(arn: string, uses: readonly KeyUse[]): [string, number][] {
  const times = uses.filter((use) => use.operationClass === 'use' && use.outcome === 'ok').map((use) => use.lastAt);
  return times.length === 0 ? [] : [[arn, times.reduce((a, b) => Math.max(a, b))]];
}

function accountSubjects(world: World): AccountSubject[] {
  const timelines = new Map<string, StoredEvent[]>();
  for (const event of world.events) {
    if (isOfAccount(event)) pushTo(timelines, event.account, storedEvent(event));
  }
  const conflicts = new Map<string, AccountSubject['conflicts'][number][]>();
  for (const tellings of Map.groupBy(world.events, (event) => JSON.stringify([event.account, event.region, event.eventId])).values()) {
    const [first] = tellings;
    if (!first || tellings.length < 2) continue;
    pushTo(conflicts, first.account, { eventId: first.eventId, region: first.region, at: first.eventTime, tellings: tellings.length });
  }
  for (const list of conflicts.values()) list.sort(byConflict);
  const byAccount = Map.groupBy(world.events, (event) => event.account);
  const throttled = new Set(world.events.filter((event) => event.outcome === 'throttled').map((event) => event.account));
  const accounts = [...new Set([...timelines.keys(), ...conflicts.keys(), ...throttled])].sort();
  return accounts.map((account) => ({
    kind: 'account',
    account,
    timeline: timelines.get(account) ?? [],
    conflicts: conflicts.get(account) ?? [],
    throttled: throttledOf(byAccount.get(account) ?? [], world.actors),
    ...openingsOf(timelines.get(account) ?? [], byAccount.get(account) ?? []),
  }));
}

function openingsOf(timeline: readonly StoredEvent[], events: readonly KmsEvent[]): Pick<AccountSubject, 'openings'> {
  const period = sharingPeriod(timeline);
  if (period === null) return {};
  const inPeriod = (event: KmsEvent): boolean => event.eventTime >= period.from && event.eventTime <= period.to;
  return { openings: events.filter((event) => opensKey(event) && inPeriod(event)).map(storedEvent) };
}

const PROBES: ReadonlySet<string> = new Set(['denied', 'not-found', 'dry-run']);

/** Callers with habits or with refused calls that tell of probing, and root users; which keys an actor used is told of root users only. */
function actorSubjects(world: World): ActorSubject[] {
  const isSubject = (event: KmsEvent): boolean =>
    PROBES.has(event.outcome) || event.actor.type === 'root' || harmsKey(event) || (formsHabit(event) && isCaller(event.actor));
  const ids = new Set(world.events.filter(isSubject).map((event) => event.actor.id));
  const byId = Map.groupBy(
    world.events.filter((event) => ids.has(event.actor.id)),
    (event) => event.actor.id,
  );
  return inNameOrder(byId).map(([, events]) => {
    const actor = canonical(events[0] as KmsEvent, world.actors);
    const denied = failureHours(world.actors);
    const probes = failureHours(world.actors);
    const uses = actorUses(world.actors);
    const habits = new HabitTally(world.actors, callerProfile);
    const presence = new VolumeTally(world.actors);
    for (const event of events) {
      if (event.outcome === 'denied') denied.add(event, event.key?.arn ?? null);
      if (event.outcome === 'not-found' || event.outcome === 'dry-run') probes.add(event, event.key?.arn ?? null);
      if (formsHabit(event) && isCaller(actor)) {
        habits.add(event);
        presence.add(event, event.operationClass === 'use');
      }
      if (actor.type !== 'root') continue;
      uses.add(event, resolvedKey(event, world));
      const also = alsoUsedKey(event);
      if (also) uses.add(event, also.arn);
    }
    return {
      kind: 'actor',
      actor,
      denied: denied.rows(),
      uses: uses.rows(),
      probes: probes.rows(),
      habits: habits.rows(),
      presence: presence.rows(),
      spreads: spreadsOf(events),
      sessions: sessionPlaces(events),
      ...harmsOf(events),
    };
  });
}

function harmsOf(events: readonly KmsEvent[]): Pick<ActorSubject, 'harms'> {
  const harms = events.filter(harmsKey).map(storedEvent);
  return harms.length === 0 ? {} : { harms };
}

function byConflict(a: AccountSubject['conflicts'][number], b: AccountSubject['conflicts'][number]): number {
  return compareEvents({ eventTime: a.at, eventId: a.eventId }, { eventTime: b.at, eventId: b.eventId }) || compareText(a.region, b.region);
}

function pushTo<T>(lists: Map<string, T[]>, name: string, item: T): void {
  const list = lists.get(name);
  if (list) list.push(item);
  else lists.set(name, [item]);
}

function inNameOrder<T>(map: ReadonlyMap<string, T>): [string, T][] {
  return [...map].sort(([a], [b]) => compareText(a, b));
}

function compareText(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
