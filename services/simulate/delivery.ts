import { HOUR } from '../core/clock.ts';
import type { LogFile } from './log-file.ts';
import { logFileKey } from './log-file.ts';
import type { Random } from './random.ts';
import type { Entry } from './record.ts';

export interface DeliveryTerms {
  readonly seed: string;
  /** Entries before and after these moments are not delivered. */
  readonly start: number;
  readonly end: number;
  /** Milliseconds of one account and Region that go into one file. */
  readonly span: number;
  /** What the trail does not see. */
  unseen(entry: Entry): boolean;
}

/** Sorts entries into files: one for each account, Region and stretch of time. */
export class Delivery {
  readonly #terms: DeliveryTerms;
  readonly #span: number;
  #waiting: Entry[] = [];

  constructor(terms: DeliveryTerms) {
    this.#terms = terms;
    this.#span = terms.span;
  }

  accept(entries: readonly Entry[]): void {
    const { start, end } = this.#terms;
    this.#waiting = this.#waiting.concat(entries.filter((entry) => entry.time >= start && entry.time <= end && !this.#terms.unseen(entry)));
  }

  /** Files whose stretch of time is over by `until`; later entries wait. */
  *due(until: number): Generator<LogFile, void, undefined> {
    const ready = this.#waiting.filter((entry) => this.#closing(entry) <= until);
    this.#waiting = this.#waiting.filter((entry) => this.#closing(entry) > until);
    yield* this.#files(ready, (entry) => Math.min(this.#closing(entry), this.#terms.end), false);
  }

  history(entries: readonly Entry[]): Generator<LogFile, void, undefined> {
    return this.#files(entries, (entry) => (Math.floor(entry.time / HOUR) + 1) * HOUR, true);
  }

  #closing(entry: Entry): number {
    return (Math.floor((entry.delivered ?? entry.time) / this.#span) + 1) * this.#span;
  }

  *#files(entries: readonly Entry[], closing: (entry: Entry) => number, history: boolean): Generator<LogFile, void, undefined> {
    const groups = Map.groupBy(entries, (entry) => `${String(closing(entry)).padStart(16, '0')}/${entry.account}/${entry.region}`);
    const ordered = [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [, group] of ordered) {
      const [first] = group;
      if (!first) continue;
      const time = closing(first);
      const records = group.sort((a, b) => a.time - b.time).map((entry) => entry.record);
      yield { key: logFileKey(this.#terms.seed, { account: first.account, region: first.region, time }), time, records, history };
    }
  }
}

/** CloudTrail delivers at least once: now and then a record comes late, or comes again hours later. */
export function deliveriesOf(luck: Random, entry: Entry): Entry[] {
  if (entry.delivered !== undefined) return [entry];
  if (luck.chance(0.003)) return [entry, { ...entry, delivered: entry.time + luck.int(2, 7) * HOUR }];
  if (!luck.chance(0.001)) return [entry];
  return [{ ...entry, delivered: entry.time + luck.int(3, 9) * HOUR, record: { ...entry.record, addendum: { reason: 'DELIVERY_DELAY' } } }];
}
