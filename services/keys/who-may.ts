/**
 * Who may use a key: by its policy, by a grant, or both. Not in it is what IAM policies of the key's account allow, which records about
 * the key do not tell; whether they decide at all is.
 */
import type { KeyFacts } from '../core/key.ts';
import { granteeOf } from './grantee.ts';
import type { Grant } from './grants.ts';
import { policyAccess } from './policy-access.ts';

export interface Permitted {
  /** `role orders of account 111122223333`, `everyone`, `AWS service dynamodb.amazonaws.com`. */
  readonly principal: string;
  /** 12-digit account, where the name tells one. */
  readonly account: string | null;
  readonly through: readonly ('policy' | 'grant')[];
  /** Sorted, without `kms:`. */
  readonly operations: readonly string[];
  /** Some of it only under conditions or constraints. */
  readonly limited: boolean;
  /** How many grants it has. */
  readonly grants: number;
  /** AWS services that gave grants to it, on behalf of a caller or for themselves. Sorted; empty = all were given directly, as far as is known. */
  readonly services: readonly string[];
}

export interface WhoMay {
  /** By principal. */
  readonly permitted: readonly Permitted[];
  /** IAM policies of the key's account may let further principals of it use the key. */
  readonly accountDecides: boolean;
  /** Sentences on what is not known; with any, others may be permitted too. */
  readonly unknown: readonly string[];
}

/** AWS's default policy of a key: https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html */
function defaultPolicy(account: string, partition: string): string {
  const principal = { AWS: `arn:${partition}:iam::${account}:root` };
  return JSON.stringify({ Statement: [{ Effect: 'Allow', Principal: principal, Action: 'kms:*', Resource: '*' }] });
}

/** The policy in force as text; null when it is not known. */
export function policyInForce(facts: KeyFacts, keyArn: string): string | null {
  const { policy, policyOmitted } = facts;
  if (policy === undefined || (policyOmitted?.value === true && policyOmitted.at >= policy.at)) return null;
  const [, partition = 'aws', , , account = ''] = keyArn.split(':');
  return policy.value ?? defaultPolicy(account, partition);
}

/** @param grants grants of the key; those that have ended are passed over */
export function whoMay(facts: KeyFacts, grants: Iterable<Grant>, keyArn: string): WhoMay {
  const { accesses, unreadable } = policyAccess(policyInForce(facts, keyArn));
  const found = new Map<string, Draft>();
  for (const { principal, operation, limits } of accesses) {
    add(found, principal, { through: 'policy', operations: [operation], limited: limits.list.length > 0 });
  }
  const unknown = [...unreadable];
  for (const grant of grants) {
    if (grant.ended !== null) continue;
    if (grant.operations === null)
      unknown.push(`The record of grant ${grant.grantId.slice(0, 16)} does not say which operations it gives.`);
    const limited = grant.constraints.some((constraint) => constraint !== 'none');
    const draft = add(found, granteeOf(grant.grantee), { through: 'grant', operations: grant.operations ?? [], limited });
    draft.grants += 1;
    if (grant.through !== null) draft.services.add(grant.through);
  }
  const account = keyArn.split(':')[4] ?? '';
  return {
    permitted: [...found]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([principal, draft]) => ({
        principal,
        account: draft.account,
        through: [...draft.through].toSorted(),
        operations: [...draft.operations].toSorted(),
        limited: draft.limited,
        grants: draft.grants,
        services: [...draft.services].toSorted(),
      })),
    accountDecides: accesses.some(({ principal }) => principal.kind === 'account' && principal.account === account),
    unknown,
  };
}

interface Draft {
  readonly account: string | null;
  readonly through: Set<'policy' | 'grant'>;
  readonly operations: Set<string>;
  limited: boolean;
  grants: number;
  readonly services: Set<string>;
}

interface Addition {
  readonly through: 'policy' | 'grant';
  readonly operations: readonly string[];
  readonly limited: boolean;
}

function add(found: Map<string, Draft>, principal: { readonly text: string; readonly account: string | null }, addition: Addition): Draft {
  const draft = found.get(principal.text) ?? {
    account: principal.account,
    through: new Set(),
    operations: new Set(),
    limited: false,
    grants: 0,
    services: new Set(),
  };
  draft.through.add(addition.through);
  for (const operation of addition.operations) draft.operations.add(operation);
  draft.limited ||= addition.limited;
  found.set(principal.text, draft);
  return draft;
}
