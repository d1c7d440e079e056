/** Which hours the trail of each account and Region was heard in, as the service's coverage ledger would have it. */
import { DAY, HOUR } from '../../services/core/clock.ts';
import type { Channel } from '../../services/detectors/contract.ts';
import type { Day } from './events.ts';

/** How far back the service judges silence (`store/read/coverage.ts`). */
const JUDGED_MS = 91 * DAY;

export class Channels {
  readonly #start: number;
  /** Ascending hours, by account, then by Region. */
  readonly #heard = new Map<string, Map<string, number[]>>();

  /** @param start since when somebody listens, epoch milliseconds of a full hour */
  constructor(start: number) {
    this.#start = start;
  }

  /** Days come in order. What was before anybody listened is not heard. */
  add({ heard }: Day): void {
    for (const [place, hours] of heard) {
      const [account = '', region = ''] = place.split('/');
      const regions = this.#heard.get(account) ?? new Map<string, number[]>();
      this.#heard.set(account, regions);
      const known = regions.get(region) ?? [];
      regions.set(region, known);
      known.push(...[...hours].filter((hour) => hour >= this.#start).sort((a, b) => a - b));
    }
  }

  of(account: string, asOf: number): Channel[] {
    const from = Math.max(this.#start, Math.floor((asOf - JUDGED_MS) / HOUR) * HOUR + HOUR);
    const listened: number[] = [];
    for (let hour = from; hour <= asOf; hour += HOUR) listened.push(hour);
    return [...(this.#heard.get(account) ?? [])].flatMap(([region, hours]): Channel[] => {
      const heard = hours.filter((hour) => hour >= from && hour <= asOf);
      return heard.length === 0 ? [] : [{ account, region, source: 's3-trail', heard, listened, missing: [], lastEventId: null }];
    });
  }
}
