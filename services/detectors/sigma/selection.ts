/**
 * A selection of a rule compiled to a test of a whole record. A map joins its fields by *and*, a list joins maps, or words to be found
 * anywhere, by *or*.
 */
import { leavesOf, pathOf, textOf, valuesAt } from './fields.ts';
import { Refusal } from './refusal.ts';
import { VALUE_MODIFIERS, type ValueTest, valueTest } from './values.ts';

export interface Selection {
  test(record: unknown): boolean;
  /** `eventName`s without which it cannot hold, in lower case; null = any. */
  readonly names: ReadonlySet<string> | null;
  /** The same of `eventSource`. */
  readonly sources: ReadonlySet<string> | null;
}

type Where = readonly (string | number)[];

const VALUES_LIMIT = 10_000;
const OTHER_MODIFIERS = ['all', 'exists', 'fieldref'];

/** @throws Refusal */
export function selectionOf(definition: unknown, path: Where): Selection {
  if (Array.isArray(definition)) {
    if (definition.length === 0) throw new Refusal(path, 'the list is empty');
    const parts = (definition as unknown[]).map((each, index) => alternative(each, [...path, index]));
    return {
      test: (record) => parts.some((part) => part.test(record)),
      names: union(parts.map((part) => part.names)),
      sources: union(parts.map((part) => part.sources)),
    };
  }
  return alternative(definition, path);
}

function alternative(definition: unknown, path: Where): Selection {
  if (typeof definition === 'string' || typeof definition === 'number') {
    const test = valueTest(definition, new Set(['contains']), path);
    return { test: (record) => leavesOf(record).some(test), names: null, sources: null };
  }
  if (typeof definition !== 'object' || definition === null || Array.isArray(definition))
    throw new Refusal(path, 'a selection must be a map of fields, a list of such maps, or words');
  const fields = Object.entries(definition);
  if (fields.length === 0) throw new Refusal(path, 'the selection is empty');
  const tests = fields.map(([field, wanted]) => fieldTest(field, wanted, [...path, field]));
  return {
    test: (record) => tests.every((test) => test(record)),
    names: exactly(fields, 'eventName'),
    sources: exactly(fields, 'eventSource'),
  };
}

function fieldTest(key: string, wanted: unknown, path: Where): (record: unknown) => boolean {
  const [field = '', ...names] = key.split('|');
  if (field === '') throw new Refusal(path, 'a field must be named');
  for (const name of names) {
    if (!VALUE_MODIFIERS.includes(name) && !OTHER_MODIFIERS.includes(name))
      throw new Refusal(path, `the modifier "${name}" is not supported`);
  }
  const modifiers = new Set(names);
  const at = pathOf(field);
  if (modifiers.has('exists')) {
    if (typeof wanted !== 'boolean') throw new Refusal(path, 'the modifier exists needs true or false');
    return (record) => valuesAt(record, at).length > 0 === wanted;
  }
  const list: unknown[] = Array.isArray(wanted) ? wanted : [wanted];
  if (list.length === 0) throw new Refusal(path, 'the list of values is empty');
  if (list.length > VALUES_LIMIT) throw new Refusal(path, `more than ${VALUES_LIMIT} values`);
  const tests = list.map((value, index) => oneTest(value, modifiers, Array.isArray(wanted) ? [...path, index] : path));
  if (modifiers.has('all')) {
    if (list.length < 2) throw new Refusal(path, 'the modifier all needs a list of values');
    return (record) => {
      const values = valuesAt(record, at);
      return tests.every((test) => test(values, record));
    };
  }
  return (record) => {
    const values = valuesAt(record, at);
    return tests.some((test) => test(values, record));
  };
}

type FieldTest = (values: readonly unknown[], record: unknown) => boolean;

function oneTest(wanted: unknown, modifiers: ReadonlySet<string>, path: Where): FieldTest {
  if (wanted === null) {
    if (modifiers.size > 0) throw new Refusal(path, 'null goes with no modifier');
    return (values) => values.length === 0;
  }
  if (modifiers.has('fieldref')) {
    if (typeof wanted !== 'string') throw new Refusal(path, 'the modifier fieldref needs the name of a field');
    const at = pathOf(wanted);
    const compare = comparison(modifiers);
    return (values, record) =>
      values.some((value) => valuesAt(record, at).some((other) => compare(textOf(value).toLowerCase(), textOf(other).toLowerCase())));
  }
  const test: ValueTest = valueTest(wanted, modifiers, path);
  return (values) => values.some(test);
}

function comparison(modifiers: ReadonlySet<string>): (a: string, b: string) => boolean {
  if (modifiers.has('contains')) return (a, b) => a.includes(b);
  if (modifiers.has('startswith')) return (a, b) => a.startsWith(b);
  if (modifiers.has('endswith')) return (a, b) => a.endsWith(b);
  return (a, b) => a === b;
}

/** The values of a field that is compared as a whole, without wildcards. */
function exactly(fields: readonly (readonly [string, unknown])[], field: string): ReadonlySet<string> | null {
  const wanted = fields.find(([key]) => key === field)?.[1];
  const values: unknown[] = Array.isArray(wanted) ? wanted : [wanted];
  if (!values.every((value): value is string => typeof value === 'string' && !/[*?\\]/.test(value))) return null;
  return new Set(values.map((value) => value.toLowerCase()));
}

/** Of alternatives: one that may have any makes the whole have any. */
export function union(sets: readonly (ReadonlySet<string> | null)[]): ReadonlySet<string> | null {
  return sets.every((set) => set !== null) ? new Set(sets.flatMap((set) => [...set])) : null;
}

/** Of conditions that hold together. */
export function intersection(sets: readonly (ReadonlySet<string> | null)[]): ReadonlySet<string> | null {
  const known = sets.filter((set) => set !== null);
  const [first, ...others] = known;
  return first === undefined ? null : new Set([...first].filter((value) => others.every((set) => set.has(value))));
}
