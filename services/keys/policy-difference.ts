/**
 * What one key policy allows that another does not, in words. Compared are accesses (principal × operation × limits), never the text:
 * reordering, other wildcards for the same operations, and arrays for single values are no difference.
 */
import { type Access, isEveryOperation, type PolicyAccess, policyAccess } from './policy-access.ts';
import { isImplied, type Limit } from './policy-limits.ts';
import type { PolicyPrincipal } from './policy-names.ts';

export interface PolicyChange {
  /** `role orders of account 111122223333`, `everyone`. */
  readonly principal: string;
  /** 12-digit account of the principal, where its name tells one. */
  readonly account: string | null;
  /** Sorted. */
  readonly operations: readonly string[];
  /** Gained, lost: the limits under which. Loosened, tightened: the limits that went or came. Texts, sorted. */
  readonly limits: readonly string[];
}

export interface PolicyDifference {
  /** Could not call the operations at all before. */
  readonly gained: readonly PolicyChange[];
  /** Cannot call them at all any more. */
  readonly lost: readonly PolicyChange[];
  /** Could call them before, under more limits. */
  readonly loosened: readonly PolicyChange[];
  /** Can still call them, under more limits. */
  readonly tightened: readonly PolicyChange[];
  /** What of the two policies could not be read; with any of it, the difference may be larger. */
  readonly undecided: readonly string[];
  /** All of it as sentences, the dangerous ones first. Empty when the policies allow the same. */
  readonly sentences: readonly string[];
}

/** @param before null = not known, which makes the difference undecided @param after the same */
export function policyDifference(before: string | null, after: string | null): PolicyDifference {
  const [old, now] = [policyAccess(before), policyAccess(after)];
  const undecided = [
    ...(before === null ? ['The earlier policy is not known.'] : old.unreadable.map((reason) => `Of the earlier policy: ${reason}`)),
    ...(after === null ? ['The new policy is not known.'] : now.unreadable.map((reason) => `Of the new policy: ${reason}`)),
  ];
  // Nothing can be told as new where nothing is known of before; nothing is told as lost that may stand where nobody can read it.
  const [gained, loosened] = isBlank(old) ? [[], []] : newIn(now, old);
  const [lost, tightened] = now.unreadable.length > 0 ? [[], []] : newIn(old, now);
  const sentences = [
    ...gained.map((change) => `${first(change.principal)} gained ${listOperations(change.operations)}${under(change.limits)}.`),
    ...loosened.map(
      (change) => `${first(change.principal)} may call ${listOperations(change.operations)} under fewer limits${gone(change.limits)}.`,
    ),
    ...lost.map((change) => `${first(change.principal)} lost ${listOperations(change.operations)}.`),
    ...tightened.map(
      (change) =>
        `${first(change.principal)} may call ${listOperations(change.operations)} only under more limits than before${came(change.limits)}.`,
    ),
    ...undecided,
  ];
  return { gained, lost, loosened, tightened, undecided, sentences };
}

function isBlank({ accesses, unreadable }: PolicyAccess): boolean {
  return accesses.length === 0 && unreadable.length > 0;
}

type Found = { readonly access: Access; readonly limits: readonly Limit[] };

/** Accesses of `here` that no access of `there` covers: those of which `there` has nothing, and those that it has under more limits. */
function newIn(here: PolicyAccess, there: PolicyAccess): readonly [readonly PolicyChange[], readonly PolicyChange[]] {
  const others = Map.groupBy(there.accesses, nameOf);
  const everyone = Map.groupBy(
    there.accesses.filter((access) => access.principal.kind === 'everyone'),
    (access) => access.operation,
  );
  const wholly: Found[] = [];
  const partly: Found[] = [];
  for (const access of here.accesses) {
    const same = others.get(nameOf(access)) ?? [];
    const candidates = access.principal.kind === 'everyone' ? same : [...same, ...(everyone.get(access.operation) ?? [])];
    if (candidates.some((other) => covers(other, access))) continue;
    if (same.length === 0) wholly.push({ access, limits: access.limits.list });
    else partly.push({ access, limits: missing(same, access) });
  }
  return [changesOf(wholly), changesOf(partly)];
}

function nameOf({ principal, operation }: Access): string {
  return `${principal.kind} ${principal.text} ${operation}`;
}

/** `other` allows at least what `access` does: every limit of it is one of the access's, or looser. */
function covers(other: Access, access: Access): boolean {
  return other.limits === access.limits || other.limits.list.every((limit) => isImplied(limit, access.limits));
}

/** Limits of the other policy's nearest access that this one does not have. */
function missing(others: readonly Access[], access: Access): readonly Limit[] {
  const lists = others.map((other) => other.limits.list.filter((limit) => !isImplied(limit, access.limits)));
  return lists.reduce((least, list) => (list.length < least.length ? list : least), lists[0] ?? []);
}

/** One change for each principal and set of limits, its operations together. */
function changesOf(found: readonly Found[]): readonly PolicyChange[] {
  const groups = new Map<string, { principal: PolicyPrincipal; limits: readonly string[]; operations: Set<string> }>();
  for (const { access, limits } of found) {
    const texts = [...new Set(limits.map((limit) => limit.text))].toSorted();
    const key = JSON.stringify([access.principal.kind, access.principal.text, texts]);
    const group = groups.get(key) ?? { principal: access.principal, limits: texts, operations: new Set<string>() };
    group.operations.add(access.operation);
    groups.set(key, group);
  }
  return [...groups]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { principal, limits, operations }]) => ({
      principal: principal.text,
      account: principal.account,
      operations: [...operations].toSorted(),
      limits,
    }));
}

/** `Decrypt, Encrypt and 3 more`; `every operation`. */
export function listOperations(operations: readonly string[]): string {
  if (isEveryOperation(new Set(operations))) return 'every operation';
  return operations.length > 6 ? `${operations.slice(0, 5).join(', ')} and ${operations.length - 5} more` : operations.join(', ');
}

function under(limits: readonly string[]): string {
  return limits.length === 0 ? '' : ` where ${shown(limits)}`;
}

function gone(limits: readonly string[]): string {
  return limits.length === 0 ? '' : `; gone is: ${shown(limits)}`;
}

function came(limits: readonly string[]): string {
  return limits.length === 0 ? '' : `; new is: ${shown(limits)}`;
}

function shown(limits: readonly string[]): string {
  return limits.length > 3 ? `${limits.slice(0, 3).join(' and ')} and ${limits.length - 3} more` : limits.join(' and ');
}

function first(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
