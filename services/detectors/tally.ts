/** Aggregates of events, equal to what the database's rollups hold: counts with exact first and last events. */
import { HOUR } from '../core/clock.ts';
import type { Actor, KmsEvent } from '../core/event.ts';
import type { FailureHour, KeyUse } from './contract.ts';

type Writable<T> = { -readonly [P in keyof T]: T[P] };

/** Looks an actor up, so that every session of a principal counts for one and the same. */
export type Actors = ReadonlyMap<string, Actor>;

/** Takes events in event order. */
export class Tally<T extends { count: number; firstAt: number; firstEventId: string; lastAt: number; lastEventId: string }> {
  readonly #rows = new Map<string, Writable<T>>();
  readonly #begin: (event: KmsEvent) => Omit<T, 'count' | 'firstAt' | 'firstEventId' | 'lastAt' | 'lastEventId'>;

  /** @param begin what rows are counted by; texts, numbers, null and actors (by id) */
  constructor(begin: (event: KmsEvent) => Omit<T, 'count' | 'firstAt' | 'firstEventId' | 'lastAt' | 'lastEventId'>) {
    this.#begin = begin;
  }

  add(event: KmsEvent): void {
    const by = this.#begin(event);
    const name = JSON.stringify(Object.values(by).map((value) => (isActor(value) ? value.id : value)));
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

  /** In order of their first events. */
  rows(): T[] {
    return [...this.#rows.values()];
  }
}

function isActor(value: unknown): value is Actor {
  return typeof value === 'object' && value !== null;
}

export function keyUses(actors: Actors): Tally<KeyUse> {
  return new Tally((event) => ({ actor: canonical(event, actors), operationClass: event.operationClass, outcome: event.outcome }));
}

export function failureHours(actors: Actors, keyArn: (event: KmsEvent) => string | null): Tally<FailureHour> {
  return new Tally((event) => ({
    hour: Math.floor(event.eventTime / HOUR) * HOUR,
    actor: canonical(event, actors),
    operation: event.operation,
    operationClass: event.operationClass,
    outcome: event.outcome,
    keyArn: keyArn(event),
  }));
}

export function canonical(event: KmsEvent, actors: Actors): Actor {
  return actors.get(event.actor.id) ?? event.actor;
}
