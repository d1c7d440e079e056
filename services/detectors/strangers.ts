/** Who of those that a policy or a grant lets in is none of ours. */
import type { Severity } from '../core/severity.ts';
import type { Organization } from './contract.ts';
import { isOurOrganization, isTrusted, knowsAccounts } from './organization.ts';
import { listed } from './wording.ts';

export interface Strangers {
  /** 12-digit ids of accounts that are neither ours nor trusted, sorted. */
  readonly accounts: readonly string[];
  /** Others in words whose account is not told, organizations that are not ours among them; sorted. */
  readonly others: readonly string[];
  /** High where the configuration shows that they are strangers, medium where it does not tell. */
  readonly severity: Severity;
  /** One sentence on how that is known. */
  readonly known: string;
}

const ORGANIZATION = 'organization ';

/** Null when nobody is a stranger. @param owner account of the key, which is always ours */
export function strangersAmong(
  organization: Organization,
  let_in: { readonly accounts: readonly string[]; readonly others?: readonly string[] },
  owner: string,
): Strangers | null {
  const accounts = [...new Set(let_in.accounts)].filter((account) => !isTrusted(organization, account, owner)).toSorted();
  const others = (let_in.others ?? []).filter(
    (text) => !(text.startsWith(ORGANIZATION) && isOurOrganization(organization, text.slice(ORGANIZATION.length))),
  );
  if (accounts.length + others.length === 0) return null;
  const foreignOrganization = (organization.organizationIds?.size ?? 0) > 0 && others.some((text) => text.startsWith(ORGANIZATION));
  const certain = (accounts.length > 0 && knowsAccounts(organization)) || foreignOrganization;
  return { accounts, others, severity: certain ? 'high' : 'medium', known: sentence(certain, accounts.length > 0) };
}

function sentence(certain: boolean, accounts: boolean): string {
  if (certain) return 'The configuration names no such account or organization, neither as our own nor as trusted.';
  return accounts
    ? 'The configuration names no accounts of the organization, so whether they are ours is not known.'
    : 'Which accounts those are is not in the policy, and the configuration does not tell.';
}

/** `account 444455556666 and organization o-…`. */
export function strangerText({ accounts, others }: Strangers): string {
  return listed([...accounts.map((account) => `account ${account}`), ...others]);
}
