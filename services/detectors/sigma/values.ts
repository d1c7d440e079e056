/**
 * What a rule says of a field's value, compiled to a test. Modifiers and comparison follow the Sigma specification 2.1
 * (https://github.com/SigmaHQ/sigma-specification/blob/main/specification/sigma-rules-specification.md and its appendix on modifiers):
 * text is compared without regard to case, `*` and `?` are wildcards, a backslash takes that meaning from them.
 */
import { BlockList, isIP } from 'node:net';
import { RE2JS } from 're2js';
import { textOf } from './fields.ts';
import { Refusal } from './refusal.ts';

export type ValueTest = (value: unknown) => boolean;

const TEXT_LIMIT = 4_096;
const PATTERN_LIMIT = 1_000;

const PLACES = ['contains', 'startswith', 'endswith'] as const;
const ORDERS: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  lt: (a, b) => a < b,
  lte: (a, b) => a <= b,
  gt: (a, b) => a > b,
  gte: (a, b) => a >= b,
};
const REGEX_FLAGS: Readonly<Record<string, number>> = { i: RE2JS.CASE_INSENSITIVE, m: RE2JS.MULTILINE, s: RE2JS.DOTALL };

/** Modifiers that a value test understands; the others are the field's business. */
export const VALUE_MODIFIERS: readonly string[] = [...PLACES, ...Object.keys(ORDERS), ...Object.keys(REGEX_FLAGS), 're', 'cidr', 'cased'];

/** @throws Refusal when the value does not fit the modifiers */
export function valueTest(wanted: unknown, modifiers: ReadonlySet<string>, path: readonly (string | number)[]): ValueTest {
  if (modifiers.has('re')) return regexTest(wanted, modifiers, path);
  if (modifiers.has('cidr')) return cidrTest(wanted, path);
  const order = Object.keys(ORDERS).find((name) => modifiers.has(name));
  if (order !== undefined) return orderTest(wanted, order, path);
  if (typeof wanted === 'number' && !placeOf(modifiers))
    return (value) => value === wanted || (typeof value === 'string' && value === String(wanted));
  if (typeof wanted !== 'string' && typeof wanted !== 'number' && typeof wanted !== 'boolean')
    throw new Refusal(path, 'the value must be text, a number or a truth value');
  return textTest(String(wanted), modifiers, path);
}

function textTest(wanted: string, modifiers: ReadonlySet<string>, path: readonly (string | number)[]): ValueTest {
  if (wanted.length > TEXT_LIMIT) throw new Refusal(path, `the value is longer than ${TEXT_LIMIT} characters`);
  const cased = modifiers.has('cased');
  const fold = (text: string): string => (cased ? text : text.toLowerCase());
  const parts = wildcards(wanted);
  const place = placeOf(modifiers);
  if (parts.every((part) => typeof part === 'string')) {
    const literal = fold(parts.join(''));
    const compare = { contains: 'includes', startswith: 'startsWith', endswith: 'endsWith' } as const;
    if (!place) return (value) => fold(textOf(value)) === literal;
    const method = compare[place];
    return (value) => fold(textOf(value))[method](literal);
  }
  const body = parts.map((part) => (typeof part === 'string' ? RE2JS.quote(part) : part.any)).join('');
  const before = place === 'contains' || place === 'endswith' ? '.*' : '';
  const after = place === 'contains' || place === 'startswith' ? '.*' : '';
  const pattern = RE2JS.compile(`^${before}${body}${after}$`, RE2JS.DOTALL | (cased ? 0 : RE2JS.CASE_INSENSITIVE));
  return (value) => pattern.matches(textOf(value));
}

/** Literal parts and wildcards of a value. */
function wildcards(text: string): (string | { any: string })[] {
  const parts: (string | { any: string })[] = [];
  let literal = '';
  const flush = (): void => {
    if (literal !== '') parts.push(literal);
    literal = '';
  };
  for (let i = 0; i < text.length; i++) {
    const char = text[i] ?? '';
    const next = text[i + 1] ?? '';
    if (char === '\\' && ['*', '?', '\\'].includes(next)) {
      literal += next;
      i++;
    } else if (char === '*' || char === '?') {
      flush();
      parts.push({ any: char === '*' ? '.*' : '.' });
    } else literal += char;
  }
  flush();
  return parts;
}

/** Users' regular expressions run in linear time; what the engine cannot do (look-around, back references) is refused. */
function regexTest(wanted: unknown, modifiers: ReadonlySet<string>, path: readonly (string | number)[]): ValueTest {
  if (typeof wanted !== 'string') throw new Refusal(path, 'the regular expression must be text');
  if (wanted.length > PATTERN_LIMIT) throw new Refusal(path, `the regular expression is longer than ${PATTERN_LIMIT} characters`);
  const flags = Object.entries(REGEX_FLAGS).reduce((all, [name, flag]) => (modifiers.has(name) ? all | flag : all), 0);
  const pattern = compiled(wanted, flags, path);
  return (value) => pattern.matcher(textOf(value)).find();
}

function compiled(pattern: string, flags: number, path: readonly (string | number)[]): RE2JS {
  try {
    return RE2JS.compile(pattern, flags);
  } catch (error) {
    throw new Refusal(path, `the regular expression cannot be used: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function cidrTest(wanted: unknown, path: readonly (string | number)[]): ValueTest {
  const [, address = '', bits = ''] = /^([0-9a-fA-F.:]{2,45})\/(\d{1,3})$/.exec(String(wanted)) ?? [];
  const family = isIP(address);
  if (family === 0 || Number(bits) > (family === 4 ? 32 : 128)) throw new Refusal(path, 'the value must be a network, as in 10.0.0.0/8');
  const list = new BlockList();
  list.addSubnet(address, Number(bits), family === 4 ? 'ipv4' : 'ipv6');
  return (value) => typeof value === 'string' && isIP(value) !== 0 && list.check(value, isIP(value) === 4 ? 'ipv4' : 'ipv6');
}

function orderTest(wanted: unknown, order: string, path: readonly (string | number)[]): ValueTest {
  const bound = typeof wanted === 'number' ? wanted : Number.NaN;
  const holds = ORDERS[order];
  if (Number.isNaN(bound) || !holds) throw new Refusal(path, `the modifier ${order} needs a number`);
  return (value) => {
    const number = typeof value === 'number' ? value : typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN;
    return !Number.isNaN(number) && holds(number, bound);
  };
}

function placeOf(modifiers: ReadonlySet<string>): (typeof PLACES)[number] | undefined {
  return PLACES.find((name) => modifiers.has(name));
}
