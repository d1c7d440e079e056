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

/**
 * The silences of one source, oldest first, each judged by what was known when it began. Its loss must reach the least, and twice
 * that of the second longest quiet stretch before it: the longest may have been an outage, and must not make us deaf for the next one.
 */
export function silences({ heard, listened, closedBefore }: Speech, rule: SilenceRule): Silence[] {
  const [first] = heard;
  const newest = heard.at(-1);
  if (first === undefined || newest === undefined) return [];
  const spoken = new Set(heard);
  const attended = new Set(listened);
  const habit = new Habit();
  const usual = { longest: 0, second: 0 };
  const found: Silence[] = [];
  let quiet: number[] = [];

  const end = (endedAt: number | null): void => {
    const silent = quiet.filter((hour) => attended.has(hour));
    const [from] = silent;
    const loss = lossOf(silent, habit);
    const floor = Math.max(rule.leastHours, FACTOR * usual.second);
    if (from !== undefined && from - first >= rule.learnMs && loss >= floor - ROUNDING) {
      const to = (silent.at(-1) ?? from) + HOUR;
      found.push({ from, to, endedAt, silentHours: silent.length, loss, floor, knownSince: first });
    }
    const length = lossOf(quiet, habit);
    if (length > usual.longest) [usual.second, usual.longest] = [usual.longest, length];
    else usual.second = Math.max(usual.second, length);
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

/** How often each hour of the day was heard, on working days and on weekends (UTC). */
class Habit {
  readonly #days = Array.from({ length: 48 }, () => 0);
  readonly #heard = Array.from({ length: 48 }, () => 0);

  add(hour: number, isHeard: boolean): void {
    const slot = slotOf(hour);
    this.#days[slot] = (this.#days[slot] ?? 0) + 1;
    if (isHeard) this.#heard[slot] = (this.#heard[slot] ?? 0) + 1;
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
