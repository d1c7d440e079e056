import { HOUR } from '../core/clock.ts';
import type { LogFile } from './log-file.ts';
import { logFileKey } from './log-file.ts';
import type { Entry } from './record.ts';
import { unseen } from './stories/blinding.ts';
import type { World } from './world.ts';

/** Sorts entries into files: one for each account, Region and stretch of time. */
export class Delivery {
  readonly #world: World;
  readonly #span: number;
  #waiting: Entry[] = [];

  constructor(world: World, span: number) {
    this.#world = world;
    this.#span = span;
  }

  accept(entries: readonly Entry[]): void {
    const { start, end } = this.#world;
    this.#waiting = this.#waiting.concat(
      entries.filter((entry) => entry.time >= start && entry.time <= end && !unseen(this.#world, entry)),
    );
  }

  /** Files whose stretch of time is over by `until`; later entries wait. */
  *due(until: number): Generator<LogFile, void, undefined> {
    const ready = this.#waiting.filter((entry) => this.#closing(entry) <= until);
    this.#waiting = this.#waiting.filter((entry) => this.#closing(entry) > until);
    yield* this.#files(ready, (entry) => Math.min(this.#closing(entry), this.#world.end), false);
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
      yield { key: logFileKey(this.#world.seed, { account: first.account, region: first.region, time }), time, records, history };
    }
  }
}
