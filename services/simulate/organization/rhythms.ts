import { DAY, HOUR } from '../../core/clock.ts';
import { Random } from '../random.ts';
import type { Rhythm } from '../stream.ts';
import { customers, nightly, office } from '../stream.ts';

/** Days on which offices are closed, month and day. */
const HOLIDAYS = new Set([
  '01-01',
  '01-06',
  '01-26',
  '03-08',
  '04-25',
  '05-01',
  '06-10',
  '07-04',
  '08-15',
  '10-02',
  '10-03',
  '11-01',
  '11-26',
  '12-24',
  '12-25',
  '12-26',
  '12-31',
]);
/** Hours whose value a rhythm remembers: streams of one day ask for the same ones again and again. */
const REMEMBERED = 4_096;

/** How busy the hours are for whom, with holidays and the sale of the year; averages to about 1 but for those. */
export interface Rhythms {
  /** The two days of the sale, from midnight UTC; epoch milliseconds. */
  readonly saleAt: number;
  readonly steady: Rhythm;
  customers(offset: number): Rhythm;
  office(offset: number): Rhythm;
  nightly(hour: number): Rhythm;
}

export function rhythmsOf(seed: string, period: { start: number; end: number }): Rhythms {
  const random = new Random(`${seed}/calendar`);
  const saleAt = saleIn(random, period);
  const rush = random.int(30, 60) / 10;
  const isSale = (time: number): boolean => time >= saleAt && time < saleAt + 2 * DAY;
  return {
    saleAt,
    steady: () => 1,
    customers: keptBy((offset) => {
      const usual = customers(offset);
      return (time) => usual(time) * (isSale(time) ? rush : isHoliday(time, offset) ? 0.7 : 1);
    }),
    office: keptBy((offset) => {
      const usual = office(offset);
      return (time) => (isHoliday(time, offset) ? 0 : usual(time));
    }),
    nightly: keptBy((hour) => nightly(hour)),
  };
}

export function isHoliday(time: number, offset: number): boolean {
  return HOLIDAYS.has(new Date(time + offset * HOUR).toISOString().slice(5, 10));
}

/** Black Friday and the day after it; in a period without one, a Friday and Saturday drawn from its second half. */
function saleIn(random: Random, { start, end }: { start: number; end: number }): number {
  for (let day = Math.ceil(start / DAY) * DAY; day < end; day += DAY) {
    const date = new Date(day);
    if (date.getUTCMonth() === 10 && date.getUTCDay() === 5 && date.getUTCDate() >= 23 && date.getUTCDate() <= 29) return day;
  }
  const drawn = Math.floor((start + (end - start) * (0.5 + random.float() * 0.4)) / DAY) * DAY;
  return drawn + ((5 - new Date(drawn).getUTCDay() + 7) % 7) * DAY;
}

function keptBy(make: (about: number) => Rhythm): (about: number) => Rhythm {
  const made = new Map<number, Rhythm>();
  return (about) => {
    const known = made.get(about);
    if (known) return known;
    const rhythm = remembering(make(about));
    made.set(about, rhythm);
    return rhythm;
  };
}

function remembering(rhythm: Rhythm): Rhythm {
  const hours = new Map<number, number>();
  return (time) => {
    const known = hours.get(time);
    if (known !== undefined) return known;
    if (hours.size >= REMEMBERED) hours.clear();
    const value = rhythm(time);
    hours.set(time, value);
    return value;
  };
}
