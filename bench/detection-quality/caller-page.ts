/** What the ledger holds of callers. */
import { alsoUsedKey } from '../../services/core/also-used.ts';
import { DAY, HOUR } from '../../services/core/clock.ts';
import type { Actor, KmsEvent, StoredEvent } from '../../services/core/event.ts';
import { formsHabit, isCaller } from '../../services/core/habit.ts';
import { harmsKey } from '../../services/core/key-harm.ts';
import type { ActorSubject, SessionPlace } from '../../services/detectors/contract.ts';
import { callerProfile, HabitTally, inSessionOrder, keysOfHabit, spreadsOf, VolumeTally } from '../../services/detectors/habits.ts';
import { storedEvent } from '../../services/detectors/stored-event.ts';
import { actorUses, type Actors, failureHours } from '../../services/detectors/tally.ts';

const PROBES: ReadonlySet<string> = new Set(['denied', 'not-found', 'dry-run']);

export class ActorPage {
  isSubject = false;
  readonly #actor: Actor;
  readonly #denied;
  readonly #probes;
  readonly #uses;
  readonly #habits;
  readonly #presence;
  /** The first event of every day and key, of which alone a spread is made. */
  readonly #reached: KmsEvent[] = [];
  readonly #known = new Set<string>();
  readonly #sessions = new SessionTally();
  readonly #harms: StoredEvent[] = [];

  constructor(actor: Actor, actors: Actors) {
    this.#actor = actor;
    this.#denied = failureHours(actors);
    this.#probes = failureHours(actors);
    this.#uses = actorUses(actors);
    this.#habits = new HabitTally(actors, callerProfile);
    this.#presence = new VolumeTally(actors);
  }

  add(event: KmsEvent, resolved: string | null): void {
    const { outcome, operationClass, eventTime } = event;
    const isHabit = formsHabit(event) && isCaller(this.#actor);
    if (PROBES.has(outcome) || this.#actor.type === 'root' || harmsKey(event) || isHabit) this.isSubject = true;
    if (outcome === 'denied') this.#denied.add(event, event.key?.arn ?? null);
    if (outcome === 'not-found' || outcome === 'dry-run') this.#probes.add(event, event.key?.arn ?? null);
    if (harmsKey(event)) this.#harms.push(storedEvent(event));
    if (isHabit) {
      this.#habits.add(event);
      this.#presence.add(event, operationClass === 'use');
      this.#sessions.add(event);
    }
    if (operationClass === 'use' || operationClass === 'read') {
      const reached = keysOfHabit(event).map((arn) => `${Math.floor(eventTime / DAY)} ${operationClass} ${arn}`);
      if (reached.some((name) => !this.#known.has(name))) this.#reached.push(event);
      for (const name of reached) this.#known.add(name);
    }
    if (this.#actor.type !== 'root') return;
    this.#uses.add(event, resolved);
    const also = alsoUsedKey(event);
    if (also) this.#uses.add(event, also.arn);
  }

  subject(): ActorSubject {
    return {
      kind: 'actor',
      actor: this.#actor,
      denied: this.#denied.rows(),
      uses: this.#uses.rows(),
      probes: this.#probes.rows(),
      habits: this.#habits.rows(),
      presence: this.#presence.rows(),
      spreads: spreadsOf(this.#reached),
      sessions: this.#sessions.rows(),
      ...(this.#harms.length > 0 && { harms: this.#harms }),
    };
  }
}

type Writable<T> = { -readonly [P in keyof T]: T[P] };

interface Places {
  readonly networks: Set<string>;
  /** By network and hour. */
  readonly rows: Map<string, Writable<SessionPlace>>;
}

/** From where access keys were used. */
class SessionTally {
  readonly #keys = new Map<string, Places>();

  /** Of an event that forms a habit. */
  add({ network, session, callingService, eventTime: at, eventId }: KmsEvent): void {
    const { accessKeyId: accessKey } = session;
    if (network.kind !== 'ip' || network.prefix === null || callingService !== null || accessKey === null) return;
    const hour = Math.floor(at / HOUR);
    const places: Places = this.#keys.get(accessKey) ?? { networks: new Set(), rows: new Map() };
    this.#keys.set(accessKey, places);
    places.networks.add(network.prefix);
    const name = `${network.prefix} ${hour}`;
    const row = places.rows.get(name);
    if (row) [row.lastAt, row.lastEventId] = [at, eventId];
    else
      places.rows.set(name, {
        accessKey,
        network: network.prefix,
        hour,
        firstAt: at,
        firstEventId: eventId,
        lastAt: at,
        lastEventId: eventId,
      });
  }

  rows(): SessionPlace[] {
    return inSessionOrder([...this.#keys.values()].flatMap(({ networks, rows }) => (networks.size > 1 ? [...rows.values()] : [])));
  }
}
