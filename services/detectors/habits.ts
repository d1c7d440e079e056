/** Habits, volumes and spreads straight from events: equal to what the database's tables give (`store/habits-read.ts`, `volumes-read.ts`, `sessions-read.ts`). */
import { alsoUsedKey } from '../core/also-used.ts';
import { DAY, HOUR } from '../core/clock.ts';
import type { Actor, KmsEvent } from '../core/event.ts';
import { type CallProfile, contextBit, formsHabit, type Habit, isCaller, PAUSE_DAYS } from '../core/habit.ts';
import { eventUuid } from '../core/ids.ts';
import type { DailySpread, DailyVolume, SessionPlace } from './contract.ts';
import { type Actors, canonical } from './tally.ts';

/** How a call was made, as it counts for the key. */
export function keyProfile(event: KmsEvent): CallProfile {
  const { account, encryptionContext, keyMaterialId } = event;
  return { ...callerProfile(event), account, contextShape: encryptionContext?.shape ?? null, material: keyMaterialId };
}

/** The same as it counts for the caller, whichever key it was under. */
export function callerProfile({
  region,
  operation,
  operationClass,
  callingService,
  network,
  userAgentFamily,
  vpcEndpoint,
  session,
}: KmsEvent): CallProfile {
  return {
    account: null,
    region,
    operation,
    operationClass,
    callingService,
    network: network.prefix,
    userAgent: userAgentFamily,
    vpcEndpoint,
    contextShape: null,
    material: null,
    console: session.console,
    mfa: session.mfa,
  };
}

/** Keys for which a call counts, those that it named itself. */
export function keysOfHabit(event: KmsEvent): string[] {
  if (!formsHabit(event)) return [];
  const named = event.key?.kind === 'key' ? event.key.arn : null;
  const also = alsoUsedKey(event)?.arn ?? null;
  return [...new Set([named, also])].filter((arn) => arn !== null);
}

/** Takes events in event order. */
export class HabitTally {
  readonly #stretches = new Map<string, { habit: Habit; day: number }[]>();
  readonly #actors: Actors;
  readonly #profile: (event: KmsEvent) => CallProfile;

  constructor(actors: Actors, profile: (event: KmsEvent) => CallProfile) {
    this.#actors = actors;
    this.#profile = profile;
  }

  add(event: KmsEvent): void {
    const { eventTime: at, eventId } = event;
    const profile = this.#profile(event);
    const actor = canonical(event, this.#actors);
    const name = habitName({ actor, profile });
    const list = this.#stretches.get(name) ?? [];
    this.#stretches.set(name, list);
    const last = list.at(-1);
    const day = Math.floor(at / DAY);
    if (last === undefined || at - last.habit.lastAt > PAUSE_DAYS * DAY) {
      list.push({
        day,
        habit: { actor, profile, count: 1, days: 1, firstAt: at, firstEventId: eventId, lastAt: at, lastEventId: eventId },
      });
      return;
    }
    const { habit } = last;
    last.habit = { ...habit, count: habit.count + 1, days: habit.days + (day > last.day ? 1 : 0), lastAt: at, lastEventId: eventId };
    last.day = day;
  }

  rows(): Habit[] {
    return inHabitOrder([...this.#stretches.values()].flat().map(({ habit }) => habit));
  }
}

/** By first event; those that begin with the same one, by caller and profile. */
export function inHabitOrder<H extends Habit>(habits: readonly H[]): H[] {
  const named = habits.map((habit) => ({ habit, uuid: eventUuid(habit.firstEventId), name: habitName(habit) }));
  named.sort((a, b) => a.habit.firstAt - b.habit.firstAt || compare(a.uuid, b.uuid) || compare(a.name, b.name));
  return named.map(({ habit }) => habit);
}

function habitName({ actor, profile }: Pick<Habit, 'actor' | 'profile'>): string {
  const {
    account,
    region,
    operation,
    operationClass,
    callingService,
    network,
    userAgent,
    vpcEndpoint,
    contextShape,
    material,
    console,
    mfa,
  } = profile;
  return JSON.stringify([
    actor.id,
    account,
    region,
    operation,
    operationClass,
    callingService,
    network,
    userAgent,
    vpcEndpoint,
    contextShape,
    material,
    console,
    mfa,
  ]);
}

export function compare(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

export class VolumeTally {
  readonly #rows = new Map<
    string,
    { actor: Actor; day: number; hours: number[]; bits: Set<number>; firstEventId: string; lastEventId: string }
  >();
  readonly #actors: Actors;

  constructor(actors: Actors) {
    this.#actors = actors;
  }

  /** @param withContext whether encryption contexts are counted as well */
  add(event: KmsEvent, withContext: boolean): void {
    const actor = canonical(event, this.#actors);
    const day = Math.floor(event.eventTime / DAY);
    const name = `${day} ${actor.id}`;
    const { eventId } = event;
    const row = this.#rows.get(name) ?? {
      actor,
      day,
      hours: Array<number>(24).fill(0),
      bits: new Set<number>(),
      firstEventId: eventId,
      lastEventId: eventId,
    };
    row.lastEventId = eventId;
    this.#rows.set(name, row);
    const hour = Math.floor((event.eventTime % DAY) / HOUR);
    row.hours[hour] = (row.hours[hour] ?? 0) + 1;
    if (withContext && event.encryptionContext !== null) row.bits.add(contextBit(event.encryptionContext));
  }

  rows(): DailyVolume[] {
    return inVolumeOrder([...this.#rows.values()].map(({ bits, ...row }) => ({ ...row, bits: bits.size })));
  }
}

export function inVolumeOrder(rows: readonly DailyVolume[]): DailyVolume[] {
  return rows.toSorted((a, b) => compare(a.actor.id, b.actor.id) || a.day - b.day);
}

/** Does a call count for the volume under a key? */
export function formsVolume(event: KmsEvent): boolean {
  return event.operationClass === 'use' && isCaller(event.actor);
}

const SHOWN = 10;

/** Of one caller; events in event order. */
export function spreadsOf(events: readonly KmsEvent[]): DailySpread[] {
  const days = new Map<string, { day: number; operationClass: KmsEvent['operationClass']; firsts: Map<string, KmsEvent>; fresh: number }>();
  const known = new Set<string>();
  for (const event of events) {
    const { operationClass } = event;
    if (operationClass !== 'use' && operationClass !== 'read') continue;
    const day = Math.floor(event.eventTime / DAY);
    for (const arn of keysOfHabit(event)) {
      const name = `${day} ${operationClass}`;
      const row = days.get(name) ?? { day, operationClass, firsts: new Map<string, KmsEvent>(), fresh: 0 };
      days.set(name, row);
      if (row.firsts.has(arn)) continue;
      row.firsts.set(arn, event);
      if (!known.has(`${operationClass} ${arn}`)) row.fresh++;
      known.add(`${operationClass} ${arn}`);
    }
  }
  return inSpreadOrder(
    [...days.values()].map(({ day, operationClass, firsts, fresh }) => {
      const ordered = [...firsts].toSorted(
        ([a, x], [b, y]) => x.eventTime - y.eventTime || compare(eventUuid(x.eventId), eventUuid(y.eventId)) || compare(a, b),
      );
      const shown = ordered.slice(0, SHOWN);
      const times = ordered.map(([, event]) => event.eventTime);
      return {
        day,
        operationClass,
        count: firsts.size,
        fresh,
        keys: shown.map(([arn]) => arn),
        evidence: [...new Set(shown.map(([, event]) => event.eventId))],
        firstAt: times[0] ?? 0,
        lastAt: times.at(-1) ?? 0,
      };
    }),
  );
}

export function inSpreadOrder(rows: readonly DailySpread[]): DailySpread[] {
  return rows.toSorted((a, b) => a.day - b.day || compare(a.operationClass, b.operationClass));
}

/** Of one caller; events in event order. */
export function sessionPlaces(events: readonly KmsEvent[]): SessionPlace[] {
  const rows = new Map<string, { -readonly [P in keyof SessionPlace]: SessionPlace[P] }>();
  const networks = new Map<string, Set<string>>();
  for (const event of events) {
    const { network, session, callingService, eventTime: at, eventId } = event;
    if (!formsHabit(event) || !isCaller(event.actor)) continue;
    if (network.kind !== 'ip' || network.prefix === null || callingService !== null || session.accessKeyId === null) continue;
    const hour = Math.floor(at / HOUR);
    const accessKey = session.accessKeyId;
    const name = JSON.stringify([accessKey, network.prefix, hour]);
    networks.set(accessKey, (networks.get(accessKey) ?? new Set()).add(network.prefix));
    const row = rows.get(name);
    if (row) [row.lastAt, row.lastEventId] = [at, eventId];
    else rows.set(name, { accessKey, network: network.prefix, hour, firstAt: at, firstEventId: eventId, lastAt: at, lastEventId: eventId });
  }
  return inSessionOrder([...rows.values()].filter(({ accessKey }) => (networks.get(accessKey)?.size ?? 0) > 1));
}

export function inSessionOrder(rows: readonly SessionPlace[]): SessionPlace[] {
  return rows.toSorted((a, b) => compare(a.accessKey, b.accessKey) || a.hour - b.hour || compare(a.network, b.network));
}

/** A key with a pause of so many days or more is one of which dormancy may be told. */
export const LONG_PAUSE_DAYS = 60;

/** Successful cryptographic calls of the key paused for so long that detectors may ask whether anybody looked. */
export function hasLongPause(habits: readonly Habit[]): boolean {
  let end = Number.POSITIVE_INFINITY;
  for (const habit of habits) {
    if (habit.profile.operationClass !== 'use') continue;
    if (habit.firstAt - end >= LONG_PAUSE_DAYS * DAY) return true;
    end = end === Number.POSITIVE_INFINITY ? habit.lastAt : Math.max(end, habit.lastAt);
  }
  return false;
}
