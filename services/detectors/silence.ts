/**
 * When a source that used to speak fell silent. Hours are weighed by habit, so that nobody wonders about a quiet night: the *loss* of a
 * stretch of silence is the number of hours in it of which, by habit, something should have been heard.
 */
import { DAY, HOUR } from '../core/clock.ts';

export interface Speech {
  /** Hours of which something was heard, epoch milliseconds, ascending. */
  readonly heard: readonly number[];
  /** Hours in which somebody listened. What was not heard in others tells of the habit, and is no silence. */
  readonly listened: readonly number[];
  /** Hours that begin before this are over, and what was to come of them has come. */
  readonly closedBefore: number;
}

export interface SilenceRule {
  /** Habit that must be known before silence is one, milliseconds. */
  readonly learnMs: number;
  /** The least loss that counts, hours. */
  readonly leastHours: number;
}

export interface Silence {
  /** Begin of its first silent hour. */
  readonly from: number;
  /** End of its last silent hour. */
  readonly to: number;
  /** Begin of the hour that ended it; null = it lasts. */
  readonly endedAt: number | null;
  readonly silentHours: number;
  /** Hours that by habit should have been heard. */
  readonly loss: number;
  /** What the loss had to reach. */
  readonly floor: number;
  /** Since when its habit was known. */
  readonly knownSince: number;
}

/** A slot with fewer days tells no habit: nothing is expected of it. */
const LEAST_DAYS = 3;
/** A stretch must be this many times as long as the usual longest. */
const FACTOR = 2;
/** A silence is judged by the sixty days before it and by nothing older, so that it is judged the same for as long as it is told. */
const MEMORY = 60 * DAY;
/** So long after its end a silence is told: the hours that are loaded reach back as far as both together. */
const TOLD = 30 * DAY;

/**
 * The silences of one source, oldest first, each judged by the sixty days before it. Its loss must reach the least, and twice that of
 * the second longest quiet stretch in them: the longest may have been an outage, and must not make us deaf for the next one.
 */
export function silences({ heard, listened, closedBefore }: Speech, rule: SilenceRule): Silence[] {
  const [first] = heard;
  const newest = heard.at(-1);
  if (first === undefined || newest === undefined) return [];
  const spoken = new Set(heard);
  const attended = new Set(listened);
  const habit = new Habit();
  const found: Silence[] = [];
  const before: { readonly endedAt: number; readonly loss: number }[] = [];
  let quiet: number[] = [];

  const end = (endedAt: number | null): void => {
    const silent = quiet.filter((hour) => attended.has(hour));
    const [from] = silent;
    const loss = lossOf(silent, habit);
    const isTold = endedAt === null || endedAt > closedBefore - TOLD;
    if (from !== undefined && isTold && from - first >= rule.learnMs && loss >= rule.leastHours - ROUNDING) {
      const known = before.filter((stretch) => stretch.endedAt > from - MEMORY).map((stretch) => stretch.loss);
      const floor = Math.max(rule.leastHours, FACTOR * (known.toSorted((x, y) => y - x)[1] ?? 0));
      const to = (silent.at(-1) ?? from) + HOUR;
      if (loss >= floor - ROUNDING)
        found.push({ from, to, endedAt, silentHours: silent.length, loss, floor, knownSince: Math.max(first, from - MEMORY) });
    }
    before.push({ endedAt: endedAt ?? Number.POSITIVE_INFINITY, loss: lossOf(quiet, habit) });
    for (const hour of quiet) habit.add(hour, false);
    quiet = [];
  };

  for (let hour = first; hour <= newest || hour < closedBefore; hour += HOUR) {
    if (!spoken.has(hour)) {
      quiet.push(hour);
      continue;
    }
    if (quiet.length > 0) end(hour);
    habit.add(hour, true);
  }
  if (quiet.length > 0) end(null);
  return found;
}

/** Losses are sums of fractions. */
const ROUNDING = 1e-9;

function lossOf(hours: readonly number[], habit: Habit): number {
  return hours.reduce((sum, hour) => sum + habit.weight(hour), 0);
}

/** How often each hour of the day was heard in the sixty days before the latest one, on working days and on weekends (UTC). */
class Habit {
  readonly #hours: { readonly hour: number; readonly isHeard: boolean }[] = [];
  #oldest = 0;
  readonly #days = Array.from({ length: 48 }, () => 0);
  readonly #heard = Array.from({ length: 48 }, () => 0);

  add(hour: number, isHeard: boolean): void {
    this.#hours.push({ hour, isHeard });
    this.#count(slotOf(hour), isHeard, 1);
    for (let old = this.#hours[this.#oldest]; old && old.hour <= hour - MEMORY; old = this.#hours[++this.#oldest])
      this.#count(slotOf(old.hour), old.isHeard, -1);
  }

  #count(slot: number, isHeard: boolean, by: 1 | -1): void {
    this.#days[slot] = (this.#days[slot] ?? 0) + by;
    if (isHeard) this.#heard[slot] = (this.#heard[slot] ?? 0) + by;
  }

  /** 0 to 1. */
  weight(hour: number): number {
    const slot = slotOf(hour);
    const days = this.#days[slot] ?? 0;
    return days < LEAST_DAYS ? 0 : (this.#heard[slot] ?? 0) / days;
  }
}

function slotOf(hour: number): number {
  // The first of January 1970 was a Thursday.
  const weekday = (Math.floor(hour / DAY) + 4) % 7;
  return (weekday === 0 || weekday === 6 ? 24 : 0) + Math.floor((hour % DAY) / HOUR);
}
