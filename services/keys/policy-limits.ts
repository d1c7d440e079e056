/** What narrows an access: a condition, the exclusion by NotPrincipal, or a denial that reaches a part of it. */
import type { Condition, Statement } from './policy-statement.ts';

export interface Limit {
  readonly operator: string;
  readonly key: string;
  readonly values: ReadonlySet<string>;
  /** The same for limits that are the same. */
  readonly id: string;
  /** How sentences call it. Values of an encryption context are left out: they may be personal data. */
  readonly text: string;
}

const SHOWN_VALUES = 3;

export function limitOfCondition({ operator, key, values }: Condition): Limit {
  return limit({ operator, key, values: new Set(values), text: textOf({ operator, key, values }) });
}

/** Everyone but those named: another limit than any condition, the same when it names the same. */
export function limitOfExclusion(statement: Statement): Limit {
  const named = canonical(statement.principal);
  return limit({ operator: '(not principal)', key: '', values: new Set([named]), text: 'not those that NotPrincipal names' });
}

/** The denial as a whole: two policies have the same one when all of it is the same. */
export function limitOfDenial({ principal, principalNegated, conditions, wholeKey, name }: Statement): Limit {
  const parts = [principal, principalNegated, wholeKey, conditions.map(({ operator, key, values }) => [operator, key, values.toSorted()])];
  const when = conditions.slice(0, SHOWN_VALUES).map(textOf).join(' and ');
  const who = principalNegated ? ', for all but those it names' : '';
  return limit({
    operator: '(denied)',
    key: '',
    values: new Set([canonical(parts)]),
    text: `not what ${name} denies${who}${when === '' ? '' : ` (where ${when})`}`,
  });
}

function limit(parts: Omit<Limit, 'id'>): Limit {
  return { ...parts, id: JSON.stringify([parts.operator, parts.key, [...parts.values].toSorted()]) };
}

/** Is one of these limits at least as strict as `wanted`? */
export function isImplied(wanted: Limit, by: Limits): boolean {
  if (by.ids.has(wanted.id)) return true;
  return isOrdered(wanted) && by.list.some((own) => atLeastAsStrict(own, wanted));
}

/** Limits made for asking quickly. */
export interface Limits {
  readonly list: readonly Limit[];
  readonly ids: ReadonlySet<string>;
}

export function limitsOf(list: readonly Limit[]): Limits {
  return { list, ids: new Set(list.map(({ id }) => id)) };
}

/** Conditions but for `Null` can be stricter than others of their kind; everything else is the same or it is not. */
function isOrdered({ operator }: Limit): boolean {
  return !operator.startsWith('(') && operator !== 'null';
}

/**
 * Does `a` let through nothing that `b` stops? Positive operators compare with any of their values, so fewer are stricter; negated ones
 * with none of them, so more are. Asked of ordered ones only.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html
 */
function atLeastAsStrict(a: Limit, b: Limit): boolean {
  if (a.operator !== b.operator || a.key !== b.key) return false;
  return a.operator.includes('not') ? b.values.isSubsetOf(a.values) : a.values.isSubsetOf(b.values);
}

/** `aws:principalorgid stringequals o-a1b2c3d4e5 or o-…`. */
function textOf({ operator, key, values }: Condition): string {
  if (key.startsWith('kms:encryptioncontext')) return `${key.slice(0, 80)} ${operator} a given value`;
  const shown = values.slice(0, SHOWN_VALUES).map((value) => value.slice(0, 80));
  const rest = values.length - shown.length;
  return `${key.slice(0, 80)} ${operator} ${shown.join(' or ')}${rest > 0 ? ` or ${rest} more` : ''}`;
}

/** The same text for the same value, whatever the order of its members. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const members = Object.entries(value).toSorted(([x], [y]) => (x < y ? -1 : 1));
  return `{${members.map(([name, one]) => `${JSON.stringify(name)}:${canonical(one)}`).join(',')}}`;
}
