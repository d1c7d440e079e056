/**
 * Who may use a key by its key policy, judged statement by statement as sets of principal × operation × condition, never by
 * searching the text. Says `unknown` where it cannot decide. Grants, and the identity policies that the account's own
 * statement enables, are not part of a key policy and not looked at.
 * Source: https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html
 */
import { operationsOf } from './policy-actions.ts';
import { type Audience, EVERYONE, intersection, isNobody, union, without } from './policy-audience.ts';
import { audienceOfConditions, sparedByDeny } from './policy-conditions.ts';
import { audienceOfPrincipal, wholeAccounts } from './policy-principals.ts';
import { POLICY_LIMITS, readStatement, type Statement } from './policy-statement.ts';

export interface PolicyVerdict {
  /**
   * `public`: anyone in any account; `external`: others than the key's account, but not anyone; `internal`: the key's own
   * account and AWS services only; `unknown`: not decidable from what is there.
   */
  readonly verdict: 'public' | 'external' | 'internal' | 'unknown';
  /** Foreign accounts that are let in by number, sorted. */
  readonly accounts: readonly string[];
  /** Others that are let in and whose accounts the policy does not tell, in words: `organization o-a1b2c3d4e5`. Sorted. */
  readonly others: readonly string[];
  /** Sentences, at most ten. */
  readonly reasons: readonly string[];
}

const MAX_REASONS = 10;

/**
 * @param document the policy as JSON text; null when the record did not hold it
 * @param keyAccount 12-digit account that owns the key
 */
export function analyzePolicy(document: string | null, keyAccount: string): PolicyVerdict {
  if (document === null) return unknown('The record does not hold the policy.');
  const raw = statementsOf(document);
  return typeof raw === 'string' ? unknown(raw) : judge(raw, keyAccount);
}

/** The statements of a policy as parsed, or a sentence why there are none to look at. */
export function statementsOf(document: string): readonly unknown[] | string {
  if (document.length > POLICY_LIMITS.characters) return 'The policy is larger than any that AWS accepts.';
  const raw = statementsIn(document);
  if (raw === null) return 'The policy is not a JSON policy document.';
  return raw.length > POLICY_LIMITS.statements ? `The policy has more than ${POLICY_LIMITS.statements} statements.` : raw;
}

function judge(raw: readonly unknown[], keyAccount: string): PolicyVerdict {
  const rules: Rule[] = [];
  const unreadable: string[] = [];
  raw.forEach((item, index) => {
    const rule = ruleOf(item, index + 1);
    if (rule !== null) rules.push(rule);
    // A Deny that cannot be read takes nothing away; the verdict without it is on the safe side.
    else if (effectOf(item) !== 'Deny') unreadable.push(`Statement ${index + 1} cannot be read.`);
  });
  const denials = rules.filter((rule) => !rule.statement.allow);
  const outside = rules
    .filter((rule) => rule.statement.allow)
    .map((rule) => reachOutside(rule, denials, keyAccount))
    .filter((reach) => !isNobody(reach.audience));

  const open = outside.filter((reach) => reach.audience.everyone);
  const all = union(outside.map((reach) => reach.audience));
  const [accounts, others] = [[...all.accounts].toSorted(), [...all.others].toSorted()];
  if (open.length > 0) return { verdict: 'public', accounts, others, reasons: open.slice(0, MAX_REASONS).map(sentence) };
  if (unreadable.length > 0) return { verdict: 'unknown', accounts, others, reasons: unreadable.slice(0, MAX_REASONS) };
  if (outside.length > 0) return { verdict: 'external', accounts, others, reasons: outside.slice(0, MAX_REASONS).map(sentence) };
  return { verdict: 'internal', accounts: [], others: [], reasons: ["No statement lets anyone outside the key's account use the key."] };
}

/** A statement with what it says as sets, worked out once. */
interface Rule {
  readonly statement: Statement;
  readonly named: Audience;
  readonly operations: ReadonlySet<string>;
  /** Allow: those left in by its conditions. */
  readonly admitted: Audience;
  /** Deny of everyone: those it spares; null = perhaps anyone. */
  readonly spared: Audience | null;
  /** Deny of some: the accounts that it names as a whole. */
  readonly wholeAccounts: ReadonlySet<string>;
}

function ruleOf(item: unknown, position: number): Rule | null {
  const statement = readStatement(item, position);
  const named = statement === null ? null : audienceOfPrincipal(statement.principal);
  if (statement === null || named === null) return null;
  return {
    statement,
    named,
    operations: operationsOf(statement.actions, statement.actionsNegated),
    admitted: audienceOfConditions(statement.conditions).reduce(intersection, EVERYONE),
    spared: sparedByDeny(statement.conditions),
    wholeAccounts: wholeAccounts(statement.principal),
  };
}

interface Reach {
  readonly statement: Statement;
  readonly audience: Audience;
  readonly operations: readonly string[];
}

/** Whom outside the key's account an Allow lets do what, after all denials. */
function reachOutside({ statement, named, operations, admitted }: Rule, denials: readonly Rule[], keyAccount: string): Reach {
  // Everyone else than those named by NotPrincipal is, for all that matters, everyone.
  const allowed = intersection(statement.principalNegated && !named.everyone ? EVERYONE : named, admitted);
  const home = new Set([keyAccount]);
  const byOperation = [...operations].map((operation) => {
    const left = denials.reduce(
      (audience, denial) => (denial.operations.has(operation) ? afterDenial(audience, denial) : audience),
      allowed,
    );
    return { operation, audience: without(left, home) };
  });
  const audience = union(byOperation.map((entry) => entry.audience));
  // Name the operations of the widest audience only: those that are open to everyone, if any is.
  const told = byOperation.filter((entry) => (audience.everyone ? entry.audience.everyone : !isNobody(entry.audience)));
  return { statement, audience, operations: told.map((entry) => entry.operation) };
}

function afterDenial(audience: Audience, { statement, named, spared, wholeAccounts: denied }: Rule): Audience {
  if (!statement.wholeKey) return audience;
  const unconditional = statement.conditions.length === 0;
  if (statement.principalNegated) return unconditional ? intersection(audience, named) : audience;
  if (named.everyone) return spared === null ? audience : intersection(audience, spared);
  return unconditional ? without(audience, denied) : audience;
}

function sentence({ statement, audience, operations }: Reach): string {
  const shown = operations.length > 6 ? `${operations.slice(0, 6).join(', ')} and ${operations.length - 6} more` : operations.join(', ');
  const keys = [...new Set(statement.conditions.map((condition) => condition.key.slice(0, 60)))].slice(0, 5).join(', ');
  const name = `S${statement.name.slice(1)}`;
  if (!audience.everyone) {
    const who = [...[...audience.accounts].toSorted().map((id) => `account ${id}`), ...[...audience.others].toSorted()];
    const shownWho = who.slice(0, 10).map((one) => one.slice(0, 100));
    return `${name} lets ${shownWho.join(', ')}${who.length > 10 ? ` and ${who.length - 10} more` : ''} call ${shown}.`;
  }
  const limits = keys === '' ? '' : ` Its conditions (${keys}) do not limit who the caller is.`;
  const everyone = statement.principalNegated ? 'everyone but those it names (NotPrincipal)' : 'everyone';
  return `${name} lets ${everyone} call ${shown}.${limits}`;
}

function statementsIn(document: string): readonly unknown[] | null {
  // Programs on the way wrap long lines, within texts too; KMS itself accepts no control character there.
  const parsed = parse(document) ?? parse(document.replace(/[\u0000-\u001f]/g, ' '));
  if (typeof parsed !== 'object' || parsed === null || !Object.hasOwn(parsed, 'Statement')) return null;
  const { Statement: statement } = parsed as { Statement: unknown };
  if (Array.isArray(statement)) return statement as readonly unknown[];
  return typeof statement === 'object' && statement !== null ? [statement] : null;
}

function parse(document: string): unknown {
  try {
    return JSON.parse(document);
  } catch {
    return null;
  }
}

function effectOf(item: unknown): unknown {
  return typeof item === 'object' && item !== null && Object.hasOwn(item, 'Effect') ? (item as { Effect: unknown }).Effect : undefined;
}

function unknown(reason: string): PolicyVerdict {
  return { verdict: 'unknown', accounts: [], others: [], reasons: [reason] };
}
