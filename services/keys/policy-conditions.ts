import { type Audience, anAccount, another, EVERYONE, NOBODY, union } from './policy-audience.ts';
import type { Condition } from './policy-statement.ts';

/**
 * Whom a condition leaves in. Only a positive operator with concrete values narrows who may call; everything else (how, from
 * where, for what the key is used) leaves everyone in. `…IfExists`, `ForAllValues:` and `Null` are true for a request that
 * lacks the key, so they hold nobody off.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
 */
export function audienceOfConditions(conditions: readonly Condition[]): readonly Audience[] {
  return conditions.map((condition) => {
    const matching = POSITIVE.get(condition.operator.replace(/^foranyvalue:/, ''));
    return matching === undefined ? EVERYONE : audienceOfValues(condition, matching);
  });
}

/**
 * Whom a Deny with these conditions leaves in, if it denies everyone else: all conditions are negations of ones that narrow
 * (`StringNotEquals aws:PrincipalOrgID …`). Negated operators, with `IfExists` or `ForAllValues:` too, are true for a request
 * that lacks the key, so the denial reaches it. Null when the Deny may leave anyone in.
 */
export function sparedByDeny(conditions: readonly Condition[]): Audience | null {
  const spared: Audience[] = [];
  for (const condition of conditions) {
    const matching = NEGATIVE.get(condition.operator.replace(/^forallvalues:|ifexists$/g, ''));
    const isServiceTest = condition.key === 'aws:principalisawsservice' && /^bool(ifexists)?$/.test(condition.operator);
    if (isServiceTest && condition.values.every((value) => value.toLowerCase() === 'false')) continue;
    if (matching === undefined) return null;
    const audience = audienceOfValues(condition, matching);
    if (audience.everyone) return null;
    spared.push(audience);
  }
  return union(spared);
}

/** `text`: `*` and `?` are plain characters. `like`: wildcards over the whole text. `arn`: wildcards within each part of an ARN. */
type Matching = 'text' | 'like' | 'arn' | 'bool';

const POSITIVE: ReadonlyMap<string, Matching> = new Map([
  ['stringequals', 'text'],
  ['stringequalsignorecase', 'text'],
  ['stringlike', 'like'],
  ['arnequals', 'arn'],
  ['arnlike', 'arn'],
  ['bool', 'bool'],
]);

const NEGATIVE: ReadonlyMap<string, Matching> = new Map([
  ['stringnotequals', 'text'],
  ['stringnotequalsignorecase', 'text'],
  ['stringnotlike', 'like'],
  ['arnnotequals', 'arn'],
  ['arnnotlike', 'arn'],
]);

const ACCOUNT = /^\d{12}$/;
const WILD = /[*?]|\$\{/;

/** Reads one value of a condition key; null = it does not narrow. Values of one key are alternatives. */
type ValueReader = (value: string, matching: Matching) => Audience | null;

/** For keys that hold a text, or a yes or no: operators of another kind compare nothing of use with them. */
const textual =
  (read: (value: string) => Audience | null): ValueReader =>
  (value, matching) =>
    matching === 'text' || matching === 'like' ? read(value) : null;

const named = (what: string, form: RegExp) => textual((value) => (form.test(value) ? another(`${what} ${value}`) : null));

const account = textual((value) => (ACCOUNT.test(value) ? anAccount(value) : null));

const organization = named('organization', /^o-[a-z0-9]{10,32}$/);

const organizationPath = textual((value) => {
  const path = /^(o-[a-z0-9]{10,32})\//.exec(value);
  return path === null || value.includes('${') ? null : another(`organization ${path[1]}`);
});

const arn: ValueReader = (value, matching) => {
  if (matching === 'bool' || value.includes('${')) return null;
  const parts = value.split(':');
  if (parts[0] !== 'arn' || parts.length < 6) return null;
  const id = parts[4] ?? '';
  // StringLike matches across colons: behind a wildcard the place of the account is no longer certain.
  const certain = matching === 'arn' || !WILD.test(parts.slice(0, 4).join(':'));
  if (ACCOUNT.test(id)) return certain ? anAccount(id) : null;
  // A bucket's ARN holds no account, but names one bucket of the world.
  return parts[2] === 's3' && id === '' && !WILD.test(value) ? another(`resource ${value}`) : null;
};

/** The part before `:` of `aws:userid` is the unique id of one role or user. */
const userId = textual((value) => {
  const id = /^(A(?:RO|ID)A[A-Z0-9]{8,124})(?::|$)/.exec(value);
  return id === null ? null : another(`principal id ${id[1]}`);
});

const service = textual((value) => (/^[a-z0-9.-]+\.amazonaws\.com(\.cn)?$/.test(value) ? NOBODY : null));

const isService: ValueReader = (value, matching) => (matching === 'bool' && value.toLowerCase() === 'true' ? NOBODY : null);

const NARROWING: ReadonlyMap<string, ValueReader> = new Map([
  ['kms:calleraccount', account],
  ['aws:principalaccount', account],
  ['aws:sourceaccount', account],
  ['aws:sourceowner', account],
  ['aws:principalarn', arn],
  ['aws:sourcearn', arn],
  ['aws:principalorgid', organization],
  ['aws:sourceorgid', organization],
  ['aws:principalorgpaths', organizationPath],
  ['aws:sourceorgpaths', organizationPath],
  ['aws:sourcevpce', named('VPC endpoint', /^vpce-[0-9a-f]+$/)],
  ['aws:sourcevpc', named('VPC', /^vpc-[0-9a-f]+$/)],
  ['aws:userid', userId],
  ['aws:principalservicename', service],
  ['aws:principalisawsservice', isService],
]);

function audienceOfValues(condition: Condition, matching: Matching): Audience {
  const read = NARROWING.get(condition.key);
  if (read === undefined || condition.values.length === 0) return EVERYONE;
  const audiences = condition.values.map((value) => read(value, matching));
  return audiences.every((audience) => audience !== null) ? union(audiences) : EVERYONE;
}
