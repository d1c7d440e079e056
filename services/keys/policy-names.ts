/** Principals of a key policy by name, for sentences and for telling whether two policies mean the same ones. */
import { textsOf } from './policy-statement.ts';

export interface PolicyPrincipal {
  /** `session`: of a role, or of a federated user; `principal`: a role, a user. */
  readonly kind: 'everyone' | 'account' | 'principal' | 'session' | 'service' | 'federated' | 'other';
  /** How sentences call it: `role orders of account 111122223333`. */
  readonly text: string;
  /** 12-digit account id, where the name tells one. */
  readonly account: string | null;
}

const ACCOUNT = /^\d{12}$/;
const NAME_LIMIT = 100;
const EVERYONE: PolicyPrincipal = { kind: 'everyone', text: 'everyone', account: null };

/** Who is named by a `Principal`; null when it cannot be read. Names of principals that were deleted name nobody. */
export function namesOf(principal: unknown): readonly PolicyPrincipal[] | null {
  if (principal === '*' || (Array.isArray(principal) && principal.includes('*'))) return [EVERYONE];
  if (typeof principal !== 'object' || principal === null || Array.isArray(principal)) return null;
  const found = new Map<string, PolicyPrincipal>();
  for (const [kind, value] of Object.entries(principal)) {
    const names = textsOf(value);
    if (names === null) return null;
    for (const name of names) {
      const one = principalOf(kind, name);
      if (one === null) return null;
      if (one !== 'nobody') found.set(`${one.kind} ${one.text}`, one);
    }
  }
  return [...found.values()];
}

function principalOf(kind: string, name: string): PolicyPrincipal | 'nobody' | null {
  if (name === '*') return EVERYONE;
  switch (kind) {
    case 'AWS':
      return awsPrincipal(name);
    case 'Service':
      return { kind: 'service', text: `AWS service ${name.slice(0, NAME_LIMIT)}`, account: null };
    case 'Federated': {
      const account = name.split(':')[4] ?? '';
      const text = `identity provider ${name.slice(0, NAME_LIMIT)}`;
      return { kind: 'federated', text, account: ACCOUNT.test(account) ? account : null };
    }
    case 'CanonicalUser':
      return { kind: 'other', text: `canonical user ${name.slice(0, NAME_LIMIT)}`, account: null };
    default:
      return null;
  }
}

/** Also reads a grantee or retiring principal of a grant: a name is all that there is of one. */
export function awsPrincipal(name: string): PolicyPrincipal | 'nobody' | null {
  if (ACCOUNT.test(name)) return anAccount(name);
  if (/^A[A-Z]{2}A[A-Z0-9]{8,124}$/.test(name)) return 'nobody';
  const parts = name.split(':');
  if (parts[0] !== 'arn' || parts.length < 6) return null;
  const account = parts[4] ?? '';
  if (!ACCOUNT.test(account)) return account.includes('*') ? EVERYONE : null;
  const rest = parts.slice(5).join(':');
  if (rest === 'root') return anAccount(account);
  const slash = rest.indexOf('/');
  const what = { user: 'IAM user', role: 'role', 'assumed-role': 'session', 'federated-user': 'federated user' }[rest.slice(0, slash)];
  const named = what === undefined ? `principal ${rest}` : `${what} ${rest.slice(slash + 1)}`;
  const kind = what === 'session' || what === 'federated user' ? 'session' : 'principal';
  return { kind, text: `${named.slice(0, NAME_LIMIT)} of account ${account}`, account };
}

function anAccount(id: string): PolicyPrincipal {
  return { kind: 'account', text: `account ${id}`, account: id };
}

/** Principals that a denial names, made for asking quickly: a policy may name thousands. */
export class DeniedPrincipals {
  readonly #names: ReadonlySet<string>;
  readonly #accounts: ReadonlySet<string>;
  readonly #everyone: boolean;
  /** Accounts of which some principal is named, and of which some session is. */
  readonly #related: ReadonlySet<string>;
  readonly #sessions: ReadonlySet<string>;
  /** One whose account is not told, or that may become any other. */
  readonly #uncertain: boolean;

  constructor(named: readonly PolicyPrincipal[]) {
    this.#names = new Set(named.map(nameOf));
    this.#accounts = new Set(named.flatMap(({ kind, account }) => (kind === 'account' && account !== null ? [account] : [])));
    this.#everyone = named.some(({ kind }) => kind === 'everyone');
    this.#related = new Set(named.flatMap(({ account }) => account ?? []));
    this.#sessions = new Set(named.flatMap(({ kind, account }) => (kind === 'session' && account !== null ? [account] : [])));
    this.#uncertain = named.some(({ kind }) => kind === 'federated' || kind === 'other');
  }

  /**
   * How much of a principal the denial reaches. A denied account is all its principals; a denied role is a part of its account. A
   * role's session is a part of the role, and a federated identity of whatever it may become.
   */
  reachOf(one: PolicyPrincipal): 'none' | 'part' | 'whole' {
    if (this.#everyone || this.#names.has(nameOf(one))) return 'whole';
    if (one.account !== null && this.#accounts.has(one.account)) return 'whole';
    if (this.#uncertain || one.kind === 'everyone' || one.kind === 'federated') return 'part';
    // Two roles have nothing in common, but one may have the sessions that are named of the other.
    const named = one.kind === 'principal' ? this.#sessions : this.#related;
    return one.account !== null && named.has(one.account) ? 'part' : 'none';
  }
}

function nameOf({ kind, text }: PolicyPrincipal): string {
  return `${kind} ${text}`;
}
