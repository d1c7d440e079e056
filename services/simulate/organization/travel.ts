import { DAY } from '../../core/clock.ts';
import { Random } from '../random.ts';
import type { Caller } from '../record.ts';
import type { Rhythm } from '../stream.ts';
import type { OrgPerson } from './contract.ts';
import type { Rhythms } from './rhythms.ts';

/** A few days at another place: another office, or a hotel's network. */
export interface Trip {
  readonly from: number;
  readonly to: number;
  readonly address: string;
  /** Hours east of UTC there. */
  readonly offset: number;
}

const PLACES = [
  { address: '203.0.113.14', offset: 1 },
  { address: '198.51.100.23', offset: -6 },
  { address: null, offset: 0 },
  { address: null, offset: 1 },
  { address: null, offset: -5 },
] as const;

/** About one trip a person and eight months. */
export function tripsOf(seed: string, person: OrgPerson, period: { start: number; end: number }): Trip[] {
  const random = new Random(`${seed}/trips/${person.mail}`);
  const count = random.poisson((period.end - period.start) / (240 * DAY));
  return Array.from({ length: count }, () => {
    const from = Math.floor((period.start + random.float() * (period.end - period.start)) / DAY) * DAY;
    const { address, offset } = random.pick(PLACES);
    return {
      from,
      to: from + random.int(2, 6) * DAY,
      address: address ?? `3fff:9${random.hex(2)}:${random.hex(4)}::${random.hex(3)}`,
      offset,
    };
  });
}

/** The person's working hours, wherever they are. */
export function hoursOf(person: OrgPerson, trips: readonly Trip[], rhythms: Rhythms): Rhythm {
  const usual = rhythms.office(person.offset);
  if (trips.length === 0) return usual;
  return (time) => {
    const trip = tripAt(trips, time);
    return trip ? rhythms.office(trip.offset)(time) : usual(time);
  };
}

/** The person's session, wherever they are. */
export function sessionOf(
  person: OrgPerson,
  trips: readonly Trip[],
  at: { account: string; time: number; tool: 'cli' | 'console' },
): Caller {
  const caller = person.caller(at.account, at.time, at.tool);
  const trip = tripAt(trips, at.time);
  return trip ? { ...caller, from: trip.address } : caller;
}

function tripAt(trips: readonly Trip[], time: number): Trip | undefined {
  return trips.find(({ from, to }) => time >= from && time < to);
}
