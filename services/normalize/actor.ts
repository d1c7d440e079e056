import { partitionOf } from '../core/arn.ts';
import type { Actor, ActorType } from '../core/event.ts';
import { type Lost, type Raw, readAccount, readIdentifier, readName, readObject } from './fields.ts';
import type { Parts } from './parts.ts';
import { ANONYMOUS, AWS_ITSELF, actorOfArn, UNKNOWN_ACTOR } from './principal-arn.ts';
import { AWS_INTERNAL, serviceName } from './service-name.ts';
import { clean, IDENTIFIER_LIMIT } from './text.ts';

/**
 * Who called, out of `userIdentity`, under a name that is the same for all of a principal's sessions.
 * https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
 *
 * AWS service events have no `type`. A session of an IAM Identity Center person in a reserved role is that role; the person
 * is the session's name. Types that AWS does not determine (`Unknown`, `Directory`) are told by their ARN where there is one.
 */
export function actorOf(parts: Parts, eventType: string, region: string): Actor {
  const { identity, lost } = parts;
  if (identity === null) return eventType === 'AwsServiceEvent' ? AWS_ITSELF : UNKNOWN_ACTOR;
  const type = readName(identity.type, 'userIdentity.type', lost) ?? '';
  if (type === 'AssumedRole' || type === 'Role') return roleActor(identity, lost);
  if (type === 'AWSService') return serviceActor(identity, lost);
  const arn = arnOf(identity.arn, lost);
  const byArn = arn === null ? null : actorOfArn(arn);
  switch (type) {
    case 'IAMUser':
      return byArn ?? userActor(identity, region, lost);
    case 'Root':
      return byArn?.type === 'root' ? byArn : rootActor(identity, region, lost);
    case 'FederatedUser':
      return byArn ?? namedActor('federated-user', identity, lost);
    case 'AWSAccount':
      return accountActor(identity, lost);
    case 'IdentityCenterUser':
      return personActor(identity, lost);
    case 'SAMLUser':
      return federatedActor('saml', identity, lost);
    case 'WebIdentityUser':
      return federatedActor('web-identity', identity, lost);
    case 'Anonymous':
      return ANONYMOUS;
    default:
      return byArn ?? untypedActor(identity, lost);
  }
}

function roleActor(identity: Raw, lost: Lost): Actor {
  const issuer = issuerOf(identity);
  const byIssuer = issuer !== null && typeof issuer.arn === 'string' ? actorOfArn(issuer.arn) : null;
  if (byIssuer?.type === 'role') return byIssuer;
  const arn = arnOf(identity.arn, lost);
  const byArn = arn === null ? null : actorOfArn(arn);
  if (byArn?.type === 'role') return byArn;
  return namedActor('role', identity, lost);
}

/** `sessionContext.sessionIssuer`; the context's own type is checked where the session is read. */
function issuerOf(identity: Raw): Raw | null {
  const context = identity.sessionContext;
  const issuer = typeof context === 'object' && context !== null ? (context as Raw).sessionIssuer : undefined;
  return typeof issuer === 'object' && issuer !== null ? (issuer as Raw) : null;
}

/** A service acting for itself. Old records give it the ARN of its role and its principal as `principalId`. */
function serviceActor(identity: Raw, lost: Lost): Actor {
  const invokedBy = readName(identity.invokedBy, 'userIdentity.invokedBy', lost);
  const principal = readName(identity.principalId, 'userIdentity.principalId', lost);
  const name = (invokedBy === null ? null : serviceName(invokedBy)) ?? (principal === null ? null : serviceName(principal));
  if (name === AWS_INTERNAL) return AWS_ITSELF;
  if (name !== null) return actor('service', `service:${name}`, null, name);
  const text = arnOf(identity.arn, lost) ?? invokedBy ?? principal;
  return text === null ? AWS_ITSELF : actor('service', `service:${text}`, null, lastPart(text));
}

function rootActor(identity: Raw, region: string, lost: Lost): Actor {
  const account = readAccount(identity.accountId, 'userIdentity.accountId', lost);
  const arn = account === null ? null : actorOfArn(`arn:${partitionOf(region)}:iam::${account}:root`);
  return arn ?? namedActor('root', identity, lost);
}

/** Failed console sign-ins tell account and user name only. */
function userActor(identity: Raw, region: string, lost: Lost): Actor {
  const account = readAccount(identity.accountId, 'userIdentity.accountId', lost);
  const name = readName(identity.userName, 'userIdentity.userName', lost);
  const told = account !== null && name !== null && arnOf(identity.arn, lost) === null;
  const arn = told ? actorOfArn(`arn:${partitionOf(region)}:iam::${account}:user/${name}`) : null;
  return arn ?? namedActor('iam-user', identity, lost);
}

/** A principal of another account, of which AWS only tells the account. */
function accountActor(identity: Raw, lost: Lost): Actor {
  const account = readAccount(identity.accountId, 'userIdentity.accountId', lost);
  if (account === null) return namedActor('account', identity, lost);
  return /^anonymous/i.test(account) ? ANONYMOUS : actor('account', `account:${account}`, account, account);
}

/** A person of IAM Identity Center acts in many accounts, and belongs to the one that has the identity store. */
function personActor(identity: Raw, lost: Lost): Actor {
  const person = readObject(identity.onBehalfOf, 'userIdentity.onBehalfOf', lost);
  const id = readName(person?.userId, 'userIdentity.onBehalfOf.userId', lost);
  if (id === null) return namedActor('identity-center', identity, lost);
  const store = readIdentifier(person?.identityStoreArn, 'userIdentity.onBehalfOf.identityStoreArn', lost) ?? '';
  return actor('identity-center', `identity-center:${lastPart(store)}/${id}`, accountIn(store), id);
}

function federatedActor(type: 'saml' | 'web-identity', identity: Raw, lost: Lost): Actor {
  const provider = readName(identity.identityProvider, 'userIdentity.identityProvider', lost);
  const name = readName(identity.userName, 'userIdentity.userName', lost);
  if (provider === null || name === null) return namedActor(type, identity, lost);
  return actor(type, `${type}:${provider}:${name}`, null, name);
}

/** Without type and without a telling ARN: service events, VPC endpoint events, and what AWS could not determine. */
function untypedActor(identity: Raw, lost: Lost): Actor {
  const invokedBy = readName(identity.invokedBy, 'userIdentity.invokedBy', lost);
  const service = invokedBy === null ? null : serviceName(invokedBy);
  if (service === AWS_INTERNAL) return AWS_ITSELF;
  if (service !== null) return actor('service', `service:${service}`, null, service);
  const hasName = identity.principalId !== undefined || identity.userName !== undefined || identity.arn !== undefined;
  if (identity.type === undefined && !hasName && identity.accountId !== undefined) return accountActor(identity, lost);
  return namedActor('unknown', identity, lost);
}

/**
 * What is left when the canonical ARN is not told: the ARN as written, else the unique id (`AROA…` of `AROA…:session`) or the user name.
 * The id holds type and account, so that one id never stands for two different actors.
 */
function namedActor(type: ActorType, identity: Raw, lost: Lost): Actor {
  const arn = arnOf(identity.arn, lost);
  if (arn !== null) return actor(type, `${type}:${arn}`, accountIn(arn), lastPart(arn));
  const account = readAccount(identity.accountId, 'userIdentity.accountId', lost);
  const principal = readName(identity.principalId, 'userIdentity.principalId', lost);
  const name = principal === null ? readName(identity.userName, 'userIdentity.userName', lost) : withoutSession(principal, type);
  if (name !== null) return actor(type, `${type}:${account ?? ''}:${name}`, account, name);
  return account === null ? UNKNOWN_ACTOR : actor(type, `${type}:${account}`, account, account);
}

/** `AROA…:session`. In the ids of federated people the colon parts the provider or account from the person. */
function withoutSession(principal: string, type: ActorType): string {
  const end = type === 'role' || /^A[A-Z]{3}/.test(principal) ? principal.lastIndexOf(':') : -1;
  return end > 0 ? principal.slice(0, end) : principal;
}

function arnOf(value: unknown, lost: Lost): string | null {
  const arn = readIdentifier(value, 'userIdentity.arn', lost);
  return arn?.startsWith('arn:') ? arn : null;
}

function actor(type: ActorType, id: string, account: string | null, name: string): Actor {
  return { type, id: clean(id, IDENTIFIER_LIMIT), account, name };
}

function lastPart(text: string): string {
  return text.slice(text.lastIndexOf('/') + 1) || text;
}

function accountIn(arn: string): string | null {
  return /^arn:[^:]*:[^:]*:[^:]*:([^:\s/]{1,64}):/.exec(arn)?.[1] ?? null;
}
