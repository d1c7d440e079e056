import type { Call, Caller } from '../record.ts';
import type { Rhythm, Stream } from '../stream.ts';
import { writeUse } from '../stream.ts';
import type { SimKey } from '../world.ts';

export interface Habit {
  readonly name: string;
  readonly perDay: number;
  readonly rhythm: Rhythm;
  readonly key: SimKey;
  readonly caller: (time: number) => Caller;
  readonly call: (time: number, pick: number) => Call;
}

/** One caller's one way of using one key. */
export function habit({ name, perDay, rhythm, key, caller, call }: Habit): Stream {
  return {
    name,
    perDay,
    rhythm,
    key,
    write: (time, scribe) => writeUse(scribe, key, { time, caller: caller(time), call: call(time, scribe.random.int(0, 999)) }),
  };
}
