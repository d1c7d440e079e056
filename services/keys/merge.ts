import { eventUuid } from '../core/ids.ts';
import type { Fact, KeyFacts } from '../core/key.ts';

/** Names of the registers that hold one fact; tags hold one a tag. */
export type Register = Exclude<keyof KeyFacts, 'tags'>;

/**
 * Which of two *inferred* facts stands. Mostly the later one; but an import of key material that does not say of which kind
 * it is, is new material only if it was the first one: there the earliest stands. Also the order in which registers are written.
 */
const AMONG_INFERRED: Readonly<Record<Register, 'latest' | 'earliest'>> = {
  enabled: 'latest',
  deletion: 'latest',
  deleted: 'latest',
  material: 'latest',
  created: 'latest',
  manager: 'latest',
  origin: 'latest',
  keySpec: 'latest',
  keyUsage: 'latest',
  multiRegion: 'latest',
  multiRegionKeyType: 'latest',
  primaryKeyArn: 'latest',
  customKeyStoreId: 'latest',
  description: 'latest',
  rotationEnabled: 'latest',
  rotationPeriodDays: 'latest',
  lastRotated: 'earliest',
  keyMaterialId: 'earliest',
  policy: 'latest',
  policyOmitted: 'latest',
};

const REGISTERS = Object.keys(AMONG_INFERRED) as Register[];

/** AWS allows 50 tags a key; removed ones stay as tombstones. Beyond this many, the first in name order are kept. */
const TAG_LIMIT = 500;

/**
 * Joins what two sets of events say about one key. Associative, commutative and idempotent, so that facts may arrive in any
 * order and any grouping: stated before inferred, then the later one, ties by origin, then (two tellings of one event) by value.
 */
export function mergeFacts(a: KeyFacts, b: KeyFacts): KeyFacts {
  if (isEmpty(b)) return a;
  if (isEmpty(a)) return b;
  const tags = a.tags === undefined ? b.tags : b.tags === undefined ? a.tags : mergeTags(a.tags, b.tags);
  return inWrittenOrder((register) => winner<unknown>(a[register], b[register], AMONG_INFERRED[register]), tags);
}

/** Facts with their registers always in the same order, so that equal facts are equal as text too. */
export function inWrittenOrder(fact: (register: Register) => Fact<unknown> | undefined, tags: KeyFacts['tags']): KeyFacts {
  const facts: Record<string, unknown> = {};
  for (const register of REGISTERS) {
    const one = fact(register);
    if (one !== undefined) facts[register] = one;
  }
  if (tags !== undefined) facts['tags'] = tags;
  return facts;
}

function isEmpty(facts: KeyFacts): boolean {
  for (const _ in facts) return false;
  return true;
}

/** Tag names are the caller's: a Map in between, and `fromEntries`, which defines and never assigns, so `__proto__` is a name like others. */
function mergeTags(a: NonNullable<KeyFacts['tags']>, b: NonNullable<KeyFacts['tags']>): KeyFacts['tags'] {
  const tags = new Map(Object.entries(a));
  for (const [name, fact] of Object.entries(b)) tags.set(name, winner(tags.get(name), fact, 'latest') ?? fact);
  return tagRegisters(tags);
}

/** The registers of tags, in name order and bounded in number. */
export function tagRegisters(tags: Iterable<readonly [string, Fact<string | null>]>): Record<string, Fact<string | null>> {
  const entries = [...tags].sort(([x], [y]) => (x < y ? -1 : 1));
  return Object.fromEntries(entries.slice(0, TAG_LIMIT));
}

function winner<T>(a: Fact<T> | undefined, b: Fact<T> | undefined, amongInferred: 'latest' | 'earliest'): Fact<T> | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  const inferred = a.inferred === true;
  if (inferred !== (b.inferred === true)) return inferred ? b : a;
  const order = compareFacts(a, b);
  return order > 0 !== (inferred && amongInferred === 'earliest') ? a : b;
}

function compareFacts(a: Fact<unknown>, b: Fact<unknown>): number {
  if (a.at !== b.at) return a.at - b.at;
  const [x, y] = a.origin === b.origin ? [canonical(a.value), canonical(b.value)] : [eventUuid(a.origin), eventUuid(b.origin)];
  return x === y ? 0 : x < y ? -1 : 1;
}

/** Text of a register's value that does not depend on the order of its fields: a database may give them back in another one. */
function canonical(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? '';
  return JSON.stringify(Object.entries(value).sort(([x], [y]) => (x < y ? -1 : 1)));
}
