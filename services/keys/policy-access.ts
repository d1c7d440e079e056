/**
 * A key policy as accesses: who may call what, under which limits. Each Allow gives one access a principal and operation; denials that
 * do not take it away whole become limits of it. Two policies, or a policy and a question, are compared by these sets.
 */
import { type Limit, type Limits, limitOfCondition, limitOfDenial, limitOfExclusion, limitsOf } from './policy-limits.ts';
import { KEY_OPERATIONS, namedOperations } from './policy-actions.ts';
import { DeniedPrincipals, namesOf, type PolicyPrincipal } from './policy-names.ts';
import { statementsOf } from './policy.ts';
import { readStatement, type Statement } from './policy-statement.ts';

export interface Access {
  readonly principal: PolicyPrincipal;
  readonly operation: string;
  /** All must hold. */
  readonly limits: Limits;
}

export interface PolicyAccess {
  readonly accesses: readonly Access[];
  /** Sentences on what could not be read; with any, what is not in `accesses` may be allowed all the same. */
  readonly unreadable: readonly string[];
}

/** Bounds the work on policies made to be slow: AWS allows 32 KB. Beyond it, the policy counts as not readable. */
const ACCESS_LIMIT = 15_000;
const DENIAL_LIMIT = 50;

/** @param document the policy as JSON text; null when it is not known */
export function policyAccess(document: string | null): PolicyAccess {
  if (document === null) return { accesses: [], unreadable: ['The policy is not known.'] };
  const raw = statementsOf(document);
  if (typeof raw === 'string') return { accesses: [], unreadable: [raw] };
  const read = raw.map((item, index) => ({ item, position: index + 1, statement: readStatement(item, index + 1) }));
  const unreadable = read.filter(({ statement }) => statement === null).map(({ position }) => `Statement ${position} cannot be read.`);
  const statements = read.flatMap(({ statement }) => statement ?? []);
  const denials = statements.filter((statement) => !statement.allow).map(denialOf);
  if (denials.length > DENIAL_LIMIT) return { accesses: [], unreadable: ['The policy denies more than can be looked at.'] };
  const accesses: Access[] = [];
  const shared = sharedLimits();
  for (const statement of statements) {
    if (!statement.allow) continue;
    const principals = principalsOf(statement);
    if (principals === null) {
      unreadable.push(`The principal of ${statement.name} cannot be read.`);
      continue;
    }
    const own = [...statement.conditions.map(limitOfCondition), ...(statement.principalNegated ? [limitOfExclusion(statement)] : [])];
    for (const operation of namedOperations(statement.actions, statement.actionsNegated)) {
      for (const principal of principals) {
        const limits = afterDenials({ principal, operation, own }, denials);
        if (limits === null) continue;
        if (accesses.length >= ACCESS_LIMIT) return { accesses: [], unreadable: ['The policy allows more than can be looked at.'] };
        accesses.push({ principal, operation, limits: shared(limits) });
      }
    }
  }
  return { accesses, unreadable };
}

/** Everyone else than those that NotPrincipal names is everyone, within a limit. Null when the principal cannot be read. */
function principalsOf(statement: Statement): readonly PolicyPrincipal[] | null {
  const named = namesOf(statement.principal);
  if (named === null || !statement.principalNegated) return named;
  return [{ kind: 'everyone', text: 'everyone', account: null }];
}

interface Denial {
  readonly statement: Statement;
  /** Null = cannot be read, so it may or may not reach anyone. */
  readonly principals: DeniedPrincipals | null;
  readonly operations: ReadonlySet<string>;
  readonly limit: Limit;
}

function denialOf(statement: Statement): Denial {
  const named = statement.principalNegated ? null : namesOf(statement.principal);
  return {
    statement,
    principals: named === null ? null : new DeniedPrincipals(named),
    operations: new Set(namedOperations(statement.actions, statement.actionsNegated)),
    limit: limitOfDenial(statement),
  };
}

/** The limits of an access, those of denials that reach a part of it included; null when one takes it away whole. */
function afterDenials(
  access: Omit<Access, 'limits'> & { readonly own: readonly Limit[] },
  denials: readonly Denial[],
): readonly Limit[] | null {
  const limits = [...access.own];
  for (const denial of denials) {
    if (!denial.operations.has(access.operation)) continue;
    const reach = denial.principals === null ? 'part' : denial.principals.reachOf(access.principal);
    if (reach === 'none') continue;
    const whole = reach === 'whole' && denial.statement.conditions.length === 0 && denial.statement.wholeKey;
    if (whole) return null;
    limits.push(denial.limit);
  }
  return limits;
}

/** Most accesses of a policy have one of a few sets of limits: each is made once. */
function sharedLimits(): (limits: readonly Limit[]) => Limits {
  const known = new Map<string, Limits>();
  return (limits) => {
    const name = limits.map(({ id }) => id).join('\n');
    const found = known.get(name) ?? limitsOf(limits);
    known.set(name, found);
    return found;
  };
}

/** Is there an operation of the key that is not among these? For sentences: all of them are "every operation". */
export function isEveryOperation(operations: ReadonlySet<string>): boolean {
  return KEY_OPERATIONS.every((operation) => operations.has(operation));
}
