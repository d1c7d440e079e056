/** Aggregates of events, equal to what the database's rollups hold: counts with exact first and last events. */
import { HOUR } from '../core/clock.ts';
import type { Actor, KmsEvent } from '../core/event.ts';
import { eventUuid } from '../core/ids.ts';
import type { ActorSubject, FailureHour, KeyUse } from './contract.ts';

type Writable<T> = { -readonly [P in keyof T]: T[P] };

/** Looks an actor up, so that every session of a principal counts for one and the same. */
export type Actors = ReadonlyMap<string, Actor>;

interface Counted {
  readonly count: number;
  readonly firstAt: number;
  readonly firstEventId: string;
  readonly lastAt: number;
  readonly lastEventId: string;
}

/** Takes events in event order. */
export class Tally<T extends Counted> {
  readonly #rows = new Map<string, Writable<T>>();
  readonly #begin: (event: KmsEvent, keyArn: string | null) => Omit<T, keyof Counted>;

  /** @param begin what rows are counted by, given an event and the key that it is counted for */
  constructor(begin: (event: KmsEvent, keyArn: string | null) => Omit<T, keyof Counted>) {
    this.#begin = begin;
  }

  add(event: KmsEvent, keyArn: string | null): void {
    const by = this.#begin(event, keyArn);
    const name = nameOf(by);
    const row = this.#rows.get(name);
    const { eventTime: at, eventId } = event;
    if (!row) {
      this.#rows.set(name, { ...by, count: 1, firstAt: at, firstEventId: eventId, lastAt: at, lastEventId: eventId } as Writable<T>);
      return;
    }
    row.count++;
    row.lastAt = at;
    row.lastEventId = eventId;
  }

  rows(): T[] {
    return inOrderOfFirst([...this.#rows.values()]);
  }
}

/** By first event; rows that begin with the same one, by what they are counted by. */
export function inOrderOfFirst<T extends Counted>(rows: readonly T[]): T[] {
  return rows.toSorted((a, b) => {
    if (a.firstAt !== b.firstAt) return a.firstAt - b.firstAt;
    if (a.firstEventId !== b.firstEventId) return eventUuid(a.firstEventId) < eventUuid(b.firstEventId) ? -1 : 1;
    const [x, y] = [nameOf(a), nameOf(b)];
    return x === y ? 0 : x < y ? -1 : 1;
  });
}

/** What a row is counted by, as one text. */
export function nameOf(row: object): string {
  const { actor, operationClass, outcome, operation, hour, keyArn, account, region } = row as Partial<
    FailureHour & ActorSubject['uses'][number]
  >;
  return JSON.stringify([actor?.id, operationClass, outcome, operation, hour, keyArn, account, region]);
}

export function keyUses(actors: Actors): Tally<KeyUse> {
  return new Tally((event) => ({ actor: canonical(event, actors), operationClass: event.operationClass, outcome: event.outcome }));
}

export function actorUses(actors: Actors): Tally<ActorSubject['uses'][number]> {
  return new Tally((event, keyArn) => {
    const { account, region, operationClass, outcome } = event;
    return { actor: canonical(event, actors), operationClass, outcome, keyArn, account, region };
  });
}

export function failureHours(actors: Actors): Tally<FailureHour> {
  return new Tally((event, keyArn) => ({
    hour: Math.floor(event.eventTime / HOUR) * HOUR,
    actor: canonical(event, actors),
    operation: event.operation,
    operationClass: event.operationClass,
    outcome: event.outcome,
    keyArn,
  }));
}

export function canonical(event: KmsEvent, actors: Actors): Actor {
  return actors.get(event.actor.id) ?? event.actor;
}
