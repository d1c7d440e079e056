/** Events of log files as the service takes them: what detectors do not ask for is left out, what came twice comes once, in order of time. */
import { DAY, HOUR } from '../../services/core/clock.ts';
import { compareEvents, type KmsEvent } from '../../services/core/event.ts';
import type { Json } from '../../services/core/json.ts';
import type { RelevanceFilter } from '../../services/normalize/contract.ts';
import { normalize } from '../../services/normalize/normalize.ts';
import type { LogFile } from '../../services/simulate/log-file.ts';

/** No simulated record comes later than this after its time. */
const LATEST = DAY;

export interface Day {
  /** All events of the day, in order. */
  readonly events: readonly KmsEvent[];
  /** Hours of which its records tell, whatever is in them, by `account/region`; epoch milliseconds. */
  readonly heard: ReadonlyMap<string, ReadonlySet<number>>;
  readonly records: number;
}

interface Gathered {
  readonly events: Map<string, KmsEvent>;
  readonly heard: Map<string, Set<number>>;
  records: number;
}

/**
 * The days (UTC) of the files' records, in order, each as soon as nothing of it can come any more: files must come in order of time.
 * @throws Error for a record that comes too late or cannot be read, and for two tellings of one event: nothing simulated is like that
 */
export function* daysOf(files: Iterable<LogFile>, relevant: RelevanceFilter): Generator<Day, void, undefined> {
  const open = new Map<number, Gathered>();
  let closed = Number.NEGATIVE_INFINITY;
  for (const file of files) {
    if (!file.history) yield* close(Math.floor((file.time - LATEST) / DAY));
    for (const record of file.records) {
      const [time, account, region] = [textOf(record['eventTime']), textOf(record['recipientAccountId']), textOf(record['awsRegion'])];
      const at = Date.parse(time);
      const number = Math.floor(at / DAY);
      if (number < closed) throw new Error(`a record of ${time} comes after its day was judged`);
      const day: Gathered = open.get(number) ?? { events: new Map(), heard: new Map(), records: 0 };
      open.set(number, day);
      day.records++;
      const place = `${account}/${region}`;
      day.heard.set(place, (day.heard.get(place) ?? new Set()).add(at - (at % HOUR)));
      const result = normalize(Buffer.from(JSON.stringify(record)), relevant);
      if (result.outcome === 'quarantine') throw new Error(`a simulated record is quarantined: ${result.message}`);
      if (result.outcome === 'drop') continue;
      const { event } = result;
      const identity = `${event.account} ${event.region} ${event.eventId}`;
      const known = day.events.get(identity);
      if (known && known.essence !== event.essence) throw new Error(`event ${event.eventId} is told in two ways`);
      if (!known) day.events.set(identity, event);
    }
  }
  yield* close(Number.POSITIVE_INFINITY);

  function* close(before: number): Generator<Day, void, undefined> {
    if (before <= closed) return;
    for (const number of [...open.keys()].filter((each) => each < before).sort((a, b) => a - b)) {
      const { events, heard, records } = open.get(number) as Gathered;
      open.delete(number);
      yield { events: [...events.values()].sort(compareEvents), heard, records };
    }
    closed = before;
  }
}

function textOf(value: Json | undefined): string {
  if (typeof value !== 'string') throw new Error('a simulated record lacks its time or place');
  return value;
}
