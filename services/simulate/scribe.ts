import type { Random } from './random.ts';
import type { Call, Caller, Entry } from './record.ts';
import { entryOf } from './record.ts';

/** Writes down what happens, as CloudTrail would; one scribe for each routine and day, so that none disturbs another. */
export class Scribe {
  readonly random: Random;
  readonly entries: Entry[] = [];

  constructor(random: Random) {
    this.random = random;
  }

  write(place: { time: number; region: string }, caller: Caller, call: Call): void {
    this.entries.push(entryOf(this.random, place, caller, call));
  }
}
