/**
 * The lockout question: who can still change the key's policy? Only principals of the key's own account can; without one, nobody can
 * manage the key ever again but AWS Support.
 * Source: https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
 */
import { type Access, policyAccess } from './policy-access.ts';

export interface PolicyAdministrators {
  /**
   * `account`: the account's IAM policies may give PutKeyPolicy to anyone in it; `named`: those listed; `nobody`; `unknown`: not
   * decidable from what is there.
   */
  readonly verdict: 'account' | 'named' | 'nobody' | 'unknown';
  /** Principals that may call PutKeyPolicy, in words; sorted, at most twenty. */
  readonly administrators: readonly string[];
  /** All of them only under conditions or but for denials: whether one is met is not in the policy. */
  readonly limited: boolean;
  /** One or more sentences. */
  readonly reasons: readonly string[];
}

const SHOWN = 20;

/** @param document the policy as JSON text; null when it is not known */
export function policyAdministrators(document: string | null, keyAccount: string): PolicyAdministrators {
  const { accesses, unreadable } = policyAccess(document);
  const able = accesses.filter((access) => access.operation === 'PutKeyPolicy' && canAdminister(access, keyAccount));
  const administrators = [...new Set(able.map(({ principal }) => principal.text))].toSorted().slice(0, SHOWN);
  const limited = able.length > 0 && able.every((access) => access.limits.list.length > 0);
  if (able.some(({ principal }) => principal.kind === 'account'))
    return {
      verdict: 'account',
      administrators,
      limited,
      reasons: [`The IAM policies of account ${keyAccount} decide who may change the policy.`],
    };
  if (able.length > 0)
    return { verdict: 'named', administrators, limited, reasons: [`May change the policy: ${administrators.join(', ')}.`] };
  if (unreadable.length > 0) return { verdict: 'unknown', administrators, limited, reasons: unreadable };
  return {
    verdict: 'nobody',
    administrators,
    limited,
    reasons: [`No statement lets a principal of account ${keyAccount} change the policy.`],
  };
}

function canAdminister({ principal }: Access, keyAccount: string): boolean {
  if (principal.kind === 'everyone') return true;
  return ['account', 'principal', 'session'].includes(principal.kind) && principal.account === keyAccount;
}
