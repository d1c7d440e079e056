import { type Audience, anAccount, another, EVERYONE, NOBODY, union } from './policy-audience.ts';
import { textsOf } from './policy-statement.ts';

const ACCOUNT = /^\d{12}$/;
const UNIQUE_ID = /^A[A-Z]{2}A[A-Z0-9]{8,124}$/;

/**
 * Who is named by a `Principal` or `NotPrincipal`: `"*"`, or an object of kinds with a single value or an array each.
 * Null when it cannot be read. A 12-digit id is the account, as `arn:aws:iam::ID:root` is.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
 */
export function audienceOfPrincipal(principal: unknown): Audience | null {
  if (principal === '*' || (Array.isArray(principal) && principal.includes('*'))) return EVERYONE;
  if (typeof principal !== 'object' || principal === null || Array.isArray(principal)) return null;
  const named: Audience[] = [];
  for (const [kind, value] of Object.entries(principal)) {
    const names = textsOf(value);
    if (names === null) return null;
    for (const name of names) {
      const audience = audienceOfName(kind, name);
      if (audience === null) return null;
      named.push(audience);
    }
  }
  return named.length === 0 ? null : union(named);
}

/** Accounts that are named as a whole: what a Deny of them takes out. A Deny of one role leaves its account in. */
export function wholeAccounts(principal: unknown): ReadonlySet<string> {
  const accounts = new Set<string>();
  if (typeof principal !== 'object' || principal === null || !Object.hasOwn(principal, 'AWS')) return accounts;
  for (const name of textsOf((principal as { AWS: unknown }).AWS) ?? []) {
    const parts = name.split(':');
    const account = ACCOUNT.test(name) ? name : parts[2] === 'iam' && parts[5] === 'root' ? (parts[4] ?? '') : '';
    if (ACCOUNT.test(account)) accounts.add(account);
  }
  return accounts;
}

function audienceOfName(kind: string, name: string): Audience | null {
  if (name === '*') return EVERYONE;
  switch (kind) {
    case 'AWS':
      return audienceOfAws(name);
    // A service acts for itself. That it can be misled by others (confused deputy) does not open the key to everyone.
    case 'Service':
      return NOBODY;
    case 'Federated':
      return audienceOfArn(name) ?? another(`identity provider ${name.slice(0, 80)}`);
    case 'CanonicalUser':
      return another('a canonical user id');
    default:
      return null;
  }
}

function audienceOfAws(name: string): Audience | null {
  if (ACCOUNT.test(name)) return anAccount(name);
  // What AWS leaves behind of a principal that was deleted.
  if (UNIQUE_ID.test(name)) return NOBODY;
  return audienceOfArn(name);
}

function audienceOfArn(name: string): Audience | null {
  const parts = name.split(':');
  if (parts[0] !== 'arn' || parts.length < 6) return null;
  const account = parts[4] ?? '';
  if (ACCOUNT.test(account)) return anAccount(account);
  // AWS refuses partial wildcards in a principal; should one get through, it names every account.
  return account.includes('*') ? EVERYONE : null;
}
