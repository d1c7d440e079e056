import type { EventDetail, StoredEvent } from '../core/event.ts';
import type { Fact, KeyFacts } from '../core/key.ts';
import { inWrittenOrder, type Register, tagRegisters } from './merge.ts';

type ValueOf<R extends Register> = NonNullable<KeyFacts[R]>['value'];

/** Collects what one event says about one key; every fact gets the event's time and id. */
export class Statements {
  readonly event: StoredEvent;
  readonly detail: EventDetail;
  readonly keyArn: string;
  /** A `mrk-` id is a multi-Region key's: https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-keys-overview.html */
  readonly isMultiRegionId: boolean;
  readonly #facts = new Map<Register, Fact<unknown>>();
  #tags: KeyFacts['tags'];

  constructor(event: StoredEvent, keyArn: string) {
    this.event = event;
    this.detail = event.detail ?? {};
    this.keyArn = keyArn;
    this.isMultiRegionId = keyArn.includes(':key/mrk-');
  }

  /** The record states it. `undefined` = it does not. */
  says<R extends Register>(register: R, value: ValueOf<R> | undefined): void {
    if (value !== undefined) this.#facts.set(register, this.#fact(value));
  }

  /** It follows from the call having succeeded. A statement of the same event stands before it. */
  implies<R extends Register>(register: R, value: ValueOf<R>): void {
    if (!this.#facts.has(register)) this.#facts.set(register, { ...this.#fact(value), inferred: true });
  }

  /** Null = the tag was removed. */
  saysTags(tags: Iterable<readonly [string, string | null]>): void {
    const registers = tagRegisters(Array.from(tags, ([name, value]) => [name, this.#fact(value)] as const));
    if (Object.keys(registers).length > 0) this.#tags = registers;
  }

  get facts(): KeyFacts {
    return inWrittenOrder((register) => this.#facts.get(register), this.#tags);
  }

  #fact<T>(value: T): Fact<T> {
    return { value, at: this.event.eventTime, origin: this.event.eventId };
  }
}
