/**
 * Who a policy statement reaches, as a set that may be a little too large but never too small: everyone, AWS accounts,
 * and holders whose account the policy does not tell (an organization, a VPC endpoint, a principal id).
 * AWS services acting for themselves and deleted principals are in no audience.
 */
export interface Audience {
  readonly everyone: boolean;
  /** 12-digit account ids. */
  readonly accounts: ReadonlySet<string>;
  /** In words, e.g. `organization o-a1b2c3d4e5`. */
  readonly others: ReadonlySet<string>;
}

export const NOBODY: Audience = { everyone: false, accounts: new Set(), others: new Set() };
export const EVERYONE: Audience = { everyone: true, accounts: new Set(), others: new Set() };

export function anAccount(id: string): Audience {
  return { everyone: false, accounts: new Set([id]), others: new Set() };
}

export function another(description: string): Audience {
  return { everyone: false, accounts: new Set(), others: new Set([description]) };
}

export function isNobody(audience: Audience): boolean {
  return !audience.everyone && audience.accounts.size === 0 && audience.others.size === 0;
}

export function union(audiences: readonly Audience[]): Audience {
  return {
    everyone: audiences.some((audience) => audience.everyone),
    accounts: new Set(audiences.flatMap((audience) => [...audience.accounts])),
    others: new Set(audiences.flatMap((audience) => [...audience.others])),
  };
}

/**
 * Those in both. An account may belong to an organization that the policy only names, so an account against a described
 * holder stays: the result may be too large, never too small.
 */
export function intersection(a: Audience, b: Audience): Audience {
  if (a.everyone) return b;
  if (b.everyone) return a;
  const accounts = new Set(a.accounts.intersection(b.accounts));
  if (b.others.size > 0) for (const account of a.accounts) accounts.add(account);
  if (a.others.size > 0) for (const account of b.accounts) accounts.add(account);
  const others = a.others.size > 0 && b.others.size > 0 ? a.others : NOBODY.others;
  return { everyone: false, accounts, others };
}

/** Takes accounts out; everyone stays everyone, because the rest of the world is still in. */
export function without(audience: Audience, accounts: ReadonlySet<string>): Audience {
  return { ...audience, accounts: audience.accounts.difference(accounts) };
}
