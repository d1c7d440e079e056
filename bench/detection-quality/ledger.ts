/**
 * Subjects from events that come in order, brought forward moment by moment: what `detectors/subjects.ts` says of all events so far,
 * without walking through all of them again. A test holds one against the other.
 */
import { alsoUsedKey } from '../../services/core/also-used.ts';
import { DAY } from '../../services/core/clock.ts';
import type { Actor, KmsEvent } from '../../services/core/event.ts';
import { formsHabit } from '../../services/core/habit.ts';
import type { AliasSubject, KeySubject, Organization, Subject } from '../../services/detectors/contract.ts';
import { compare, hasLongPause, keysOfHabit } from '../../services/detectors/habits.ts';
import { storedEvent } from '../../services/detectors/stored-event.ts';
import { canonical } from '../../services/detectors/tally.ts';
import { aliasOf } from '../../services/keys/alias.ts';
import { ActorPage } from './caller-page.ts';
import { AccountPage, AliasPage, KeyPage } from './pages.ts';

/** Names subjects as `key:ARN`, `alias:ARN`, `account:ID`, `actor:ID`. */
export class SubjectLedger {
  readonly #organization: Organization;
  readonly #actors = new Map<string, Actor>();
  readonly #keys = new Map<string, KeyPage>();
  readonly #aliases = new Map<string, AliasPage>();
  readonly #accounts = new Map<string, AccountPage>();
  readonly #callers = new Map<string, ActorPage>();
  /** Days with cryptographic calls, by `account/region`. */
  readonly #watched = new Map<string, Set<number>>();

  constructor(organization: Organization) {
    this.#organization = organization;
  }

  /**
   * @param events all events of one moment, each once, in event order; no earlier than those before
   * @returns names of the subjects that each event touches
   */
  add(events: readonly KmsEvent[]): string[][] {
    for (const event of events) this.#move(event);
    return events.map((event) => this.#note(event));
  }

  /** Another telling of an event that was added. */
  conflict(event: KmsEvent, tellings: number): void {
    this.#account(event.account).conflicts.set(`${event.region} ${event.eventId}`, {
      eventId: event.eventId,
      region: event.region,
      at: event.eventTime,
      tellings,
    });
  }

  /** Null for a name of which there is nothing to judge. */
  subject(name: string): Subject | null {
    const at = name.indexOf(':');
    const [kind, id] = [name.slice(0, at), name.slice(at + 1)];
    if (kind === 'key') return this.#keySubject(id);
    if (kind === 'alias') return this.#aliasSubject(id);
    if (kind === 'account') return this.#accounts.get(id)?.subject(id) ?? null;
    const page = this.#callers.get(id);
    return page?.isSubject === true ? page.subject() : null;
  }

  /** In the order of `subjectsOf`. */
  names(): string[] {
    const ordered = (kind: string, pages: ReadonlyMap<string, unknown>): string[] =>
      [...pages.keys()].toSorted(compare).map((id) => `${kind}:${id}`);
    return [
      ...ordered('key', this.#keys),
      ...ordered('alias', this.#aliases),
      ...ordered('account', this.#accounts),
      ...ordered('actor', this.#callers),
    ];
  }

  /** What an alias points to changes before anything else of the same moment is looked at. */
  #move(event: KmsEvent): void {
    if (!this.#actors.has(event.actor.id)) this.#actors.set(event.actor.id, event.actor);
    for (const ref of [event.key, event.otherKey]) {
      if (ref?.kind === 'key' && !this.#keys.has(ref.arn)) this.#keys.set(ref.arn, new KeyPage(ref, this.#actors));
      if (ref?.kind === 'alias' && !this.#aliases.has(ref.arn)) this.#aliases.set(ref.arn, new AliasPage(ref));
    }
    const alias = aliasOf(event);
    const page = alias && this.#aliases.get(alias.arn);
    if (!page) return;
    this.#keys.get(page.target ?? '')?.aliases.delete(page.ref.arn);
    page.add(storedEvent(event));
    this.#keys.get(page.target ?? '')?.aliases.set(page.ref.arn, page.ref.id);
  }

  #note(event: KmsEvent): string[] {
    const { key, otherKey } = event;
    const resolved = key === null ? null : key.kind === 'key' ? key.arn : (this.#aliases.get(key.arn)?.target ?? null);
    const touched = new Set<string>();
    for (const ref of [key, otherKey]) if (ref) touched.add(`${ref.kind}:${ref.arn}`);
    for (const arn of keysOfHabit(event)) this.#keys.get(arn)?.addHabit(event);
    this.#keys.get(resolved ?? '')?.addOwn(event);
    for (const arn of [resolved, alsoUsedKey(event)?.arn ?? null]) if (arn !== null) this.#keys.get(arn)?.uses.add(event, arn);
    if (event.operationClass === 'control') {
      const stored = storedEvent(event);
      for (const arn of new Set([resolved, otherKey?.kind === 'key' ? otherKey.arn : null])) {
        if (arn !== null) this.#keys.get(arn)?.addControl(stored);
      }
    }
    if (event.operationClass === 'use' && formsHabit(event)) {
      const place = `${event.account}/${event.region}`;
      this.#watched.set(place, (this.#watched.get(place) ?? new Set()).add(Math.floor(event.eventTime / DAY)));
    }
    this.#account(event.account).add(event, this.#actors);
    this.#caller(event).add(event, resolved);
    if (resolved !== null) touched.add(`key:${resolved}`);
    return [...touched, `account:${event.account}`, `actor:${event.actor.id}`];
  }

  #account(id: string): AccountPage {
    const page = this.#accounts.get(id) ?? new AccountPage();
    this.#accounts.set(id, page);
    return page;
  }

  #caller(event: KmsEvent): ActorPage {
    const page = this.#callers.get(event.actor.id) ?? new ActorPage(canonical(event, this.#actors), this.#actors);
    this.#callers.set(event.actor.id, page);
    return page;
  }

  #keySubject(arn: string): KeySubject | null {
    const page = this.#keys.get(arn);
    if (!page) return null;
    const { account, region } = page.ref;
    const habits = page.habits.rows();
    return {
      kind: 'key',
      arn,
      account,
      region,
      facts: page.timeline.at(-1)?.after ?? {},
      timeline: page.timeline,
      uses: page.uses.rows(),
      failures: page.failures.rows(),
      aliases: [...page.aliases.values()].sort(),
      protectsLogs: this.#organization.logKeys.has(arn) || page.protectsLogs,
      habits,
      volumes: page.volumes.rows(),
      ...(hasLongPause(habits) && { watched: [...(this.#watched.get(`${account}/${region}`) ?? [])] }),
    };
  }

  #aliasSubject(arn: string): AliasSubject | null {
    const page = this.#aliases.get(arn);
    if (!page) return null;
    const targets = [...new Set(page.timeline.flatMap((step) => step.after ?? []))].sort();
    const pages = targets.flatMap((target): [string, KeyPage | undefined][] => [[target, this.#keys.get(target)]]);
    return {
      kind: 'alias',
      arn,
      account: page.ref.account,
      region: page.ref.region,
      timeline: page.timeline,
      lastUsed: Object.fromEntries(
        pages.flatMap(([target, key]) => {
          const times = (key?.uses.rows() ?? [])
            .filter((use) => use.operationClass === 'use' && use.outcome === 'ok')
            .map((use) => use.lastAt);
          return times.length === 0 ? [] : [[target, Math.max(...times)]];
        }),
      ),
      targets: Object.fromEntries(pages.map(([target, key]) => [target, key?.timeline.at(-1)?.after ?? {}])),
    };
  }
}
