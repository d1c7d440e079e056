/** Who calls: a token's holder, the subject of an OIDC bearer token, or, where authentication is off, whoever can reach a loopback address. */
import type { FastifyRequest } from 'fastify';
import { createRemoteJWKSet, errors, jwtVerify } from 'jose';
import type pg from 'pg';
import { includesScope, type Scope, SCOPES } from '../../core/scope.ts';
import { createHolderOf } from '../../store/tokens.ts';
import { Problem } from './problem.ts';

export interface Principal {
  /** `token:NAME (ID)`, `oidc:SUBJECT` or `local`. */
  readonly name: string;
  readonly scope: Scope;
}

export interface OidcSettings {
  readonly issuer: string;
  readonly audience: string;
  readonly jwks_url: string;
  readonly scope_claim: string;
}

export interface AuthenticationOptions {
  readonly pool: pg.Pool;
  readonly now: () => number;
  readonly required: boolean;
  readonly oidc: OidcSettings | undefined;
}

export type Authenticate = (request: FastifyRequest) => Promise<Principal>;

/** Asymmetric only: with a shared secret whoever can verify can also sign. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];
/** A longer header is no credential of ours. */
const CREDENTIAL_LIMIT = 8_192;

export function createAuthentication({ pool, now, required, oidc }: AuthenticationOptions): Authenticate {
  const holderOf = createHolderOf(pool);
  const keys = oidc && createRemoteJWKSet(new URL(oidc.jwks_url), { timeoutDuration: 5_000, cooldownDuration: 30_000 });

  async function bearer(credential: string): Promise<Principal | null> {
    const token = await holderOf(credential, now());
    if (token) return { name: `token:${token.name} (${token.id})`, scope: token.scope };
    if (!oidc || !keys || credential.split('.').length !== 3) return null;
    try {
      const { payload } = await jwtVerify(credential, keys, {
        issuer: oidc.issuer,
        audience: oidc.audience,
        algorithms: ALGORITHMS,
        requiredClaims: ['exp', 'sub'],
        clockTolerance: 30,
        currentDate: new Date(now()),
      });
      const claimed = payload[oidc.scope_claim];
      const words = Array.isArray(claimed) ? claimed : typeof claimed === 'string' ? claimed.split(' ') : [];
      const scope = SCOPES.findLast((each) => words.includes(each) || words.includes(`kmswatch:${each}`));
      return scope === undefined ? null : { name: `oidc:${(payload.sub ?? '').slice(0, 200)}`, scope };
    } catch (error) {
      if (error instanceof errors.JOSEError && error.code !== 'ERR_JWKS_TIMEOUT') return null;
      throw new Problem('unavailable', 'The keys of the identity provider cannot be had.');
    }
  }

  return async (request) => {
    const credential = credentialOf(request.headers.authorization);
    if (!required) return { name: 'local', scope: 'admin' };
    const principal = credential === null ? null : await bearer(credential);
    if (!principal) throw new Problem('unauthorized', 'A valid token is needed: Authorization: Bearer …');
    return principal;
  };
}

/** @throws Problem forbidden */
export function demand(principal: Principal, scope: Scope): void {
  if (!includesScope(principal.scope, scope)) throw new Problem('forbidden', `This needs the scope ${scope}; yours is ${principal.scope}.`);
}

/** From `Bearer TOKEN`, or from `Basic`, whose password is the token: so that a browser can show the pages. */
function credentialOf(header: string | undefined): string | null {
  if (header === undefined || header.length > CREDENTIAL_LIMIT) return null;
  const [, scheme = '', value = ''] = /^(bearer|basic) +(\S+)$/i.exec(header) ?? [];
  if (scheme.toLowerCase() === 'bearer') return value;
  if (scheme.toLowerCase() !== 'basic') return null;
  const decoded = Buffer.from(value, 'base64').toString('utf8');
  return decoded.slice(decoded.indexOf(':') + 1);
}
