/** What people may write as the value of an option. */
import { InvalidArgumentError } from 'commander';
import { number } from '../api/text/words.ts';
import type { AsOf } from '../workers/replay.ts';

const TIME = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)(Z|[+-]\d{2}:?\d{2})?)?$/;

/** A moment of ISO 8601, UTC where it names no zone. @throws InvalidArgumentError */
export function parseTime(text: string): number {
  const [, date, clock = '00:00', zone = 'Z'] = TIME.exec(text) ?? [];
  const at = date === undefined ? Number.NaN : Date.parse(`${date}T${clock}${zone}`);
  if (Number.isNaN(at)) throw new InvalidArgumentError('Write a time as in 2026-03-04 or 2026-03-04T10:22:00Z.');
  return at;
}

/** @throws InvalidArgumentError unless the text is a whole number within the bounds */
export function parseCount(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d{1,15}$/.test(text) || value < min || value > max)
      throw new InvalidArgumentError(`Give a whole number from ${number(min)} to ${number(max)}.`);
    return value;
  };
}

/** A list, given with commas or by repeating the option. @throws InvalidArgumentError for a word that is not allowed */
export function parseList(allowed: readonly string[], what: string): (text: string, before?: readonly string[]) => readonly string[] {
  return (text, before = []) => {
    const words = text
      .split(',')
      .map((word) => word.trim())
      .filter((word) => word !== '');
    const unknown = words.find((word) => !allowed.includes(word));
    if (unknown !== undefined)
      throw new InvalidArgumentError(`There is no ${what} ${JSON.stringify(unknown)}; it is one of ${allowed.join(', ')}.`);
    return [...before, ...words];
  };
}

/** @throws InvalidArgumentError */
export function parseAsOf(text: string): AsOf {
  return text === 'newest' || text === 'now' ? text : parseTime(text);
}
