/** What the ledger holds of keys, aliases and accounts. */
import type { KeyRef } from '../../services/core/arn.ts';
import { HOUR } from '../../services/core/clock.ts';
import type { KmsEvent, StoredEvent } from '../../services/core/event.ts';
import { opensKey } from '../../services/core/key-opening.ts';
import { isOfAccount } from '../../services/core/of-account.ts';
import type { AccountSubject } from '../../services/detectors/contract.ts';
import { formsVolume, HabitTally, keyProfile, VolumeTally } from '../../services/detectors/habits.ts';
import { sharingPeriod } from '../../services/detectors/sharing.ts';
import { storedEvent } from '../../services/detectors/stored-event.ts';
import { type Actors, canonical, failureHours, keyUses } from '../../services/detectors/tally.ts';
import { type ThrottledCalls, throttledHours } from '../../services/detectors/throttled.ts';
import { type AliasStep, aliasTimeline } from '../../services/keys/alias.ts';
import { type FactStep, foldTimeline } from '../../services/keys/reduce.ts';

export class KeyPage {
  readonly ref: KeyRef;
  readonly uses;
  readonly failures;
  readonly habits;
  readonly volumes;
  /** Names of the aliases that point to it, by their ARNs. */
  readonly aliases = new Map<string, string>();
  protectsLogs = false;
  readonly #controls: StoredEvent[] = [];
  #timeline: readonly FactStep[] | null = null;

  constructor(ref: KeyRef, actors: Actors) {
    this.ref = ref;
    this.uses = keyUses(actors);
    this.failures = failureHours(actors);
    this.habits = new HabitTally(actors, keyProfile);
    this.volumes = new VolumeTally(actors);
  }

  get timeline(): readonly FactStep[] {
    this.#timeline ??= foldTimeline(this.#controls, this.ref.arn);
    return this.#timeline;
  }

  addHabit(event: KmsEvent): void {
    this.habits.add(event);
    if (formsVolume(event)) this.volumes.add(event, true);
  }

  /** Of an event that is about this key. */
  addOwn(event: KmsEvent): void {
    if (event.outcome !== 'ok' && event.outcome !== 'denied') this.failures.add(event, this.ref.arn);
    if (event.protectsLogs) this.protectsLogs = true;
  }

  addControl(event: StoredEvent): void {
    this.#controls.push(event);
    this.#timeline = null;
  }
}

export class AliasPage {
  readonly ref: KeyRef;
  timeline: readonly AliasStep[] = [];
  readonly #events: StoredEvent[] = [];

  constructor(ref: KeyRef) {
    this.ref = ref;
  }

  /** ARN of the key that it points to. */
  get target(): string | null {
    return this.timeline.at(-1)?.after ?? null;
  }

  add(event: StoredEvent): void {
    this.#events.push(event);
    this.timeline = aliasTimeline(this.#events, this.ref.arn);
  }
}

export class AccountPage {
  readonly conflicts = new Map<string, AccountSubject['conflicts'][number]>();
  readonly #timeline: StoredEvent[] = [];
  readonly #openings: StoredEvent[] = [];
  /** All KMS calls, by `region hour`. */
  readonly #calls = new Map<string, number>();
  readonly #throttled: ThrottledCalls[] = [];
  #isThrottled = false;

  add(event: KmsEvent, actors: Actors): void {
    if (isOfAccount(event)) this.#timeline.push(storedEvent(event));
    if (opensKey(event)) this.#openings.push(storedEvent(event));
    if (event.outcome === 'throttled') this.#isThrottled = true;
    if (event.service !== 'kms') return;
    const { region, operation, eventTime: at, eventId } = event;
    const hour = Math.floor(at / HOUR) * HOUR;
    this.#calls.set(`${region} ${hour}`, (this.#calls.get(`${region} ${hour}`) ?? 0) + 1);
    if (event.outcome !== 'throttled') return;
    const actor = canonical(event, actors);
    this.#throttled.push({
      region,
      hour,
      actor,
      operation,
      count: 1,
      firstAt: at,
      firstEventId: eventId,
      lastAt: at,
      lastEventId: eventId,
    });
  }

  subject(account: string): AccountSubject | null {
    if (this.#timeline.length === 0 && this.conflicts.size === 0 && !this.#isThrottled) return null;
    const period = sharingPeriod(this.#timeline);
    return {
      kind: 'account',
      account,
      timeline: this.#timeline,
      conflicts: [...this.conflicts.values()],
      throttled: throttledHours(this.#throttled, (region, hour) => this.#calls.get(`${region} ${hour}`) ?? 0),
      ...(period && { openings: this.#openings.filter((event) => event.eventTime >= period.from && event.eventTime <= period.to) }),
    };
  }
}
