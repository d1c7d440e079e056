/** Questions to what the organization has told about itself. */
import type { Actor, StoredEvent } from '../core/event.ts';
import type { KeyFacts } from '../core/key.ts';
import { DAY, MINUTE } from '../core/clock.ts';
import type { ChangeWindow, KeyKnowledge, Organization } from './contract.ts';

/** An account of ours or one that is trusted. The account that owns the thing in question is always ours. */
export function isTrusted(organization: Organization, account: string, owner: string): boolean {
  return account === owner || organization.ownAccounts.has(account) || organization.trustedAccounts?.has(account) === true;
}

/** Whether accounts of ours were named: without, who is a stranger is not known. */
export function knowsAccounts(organization: Organization): boolean {
  return organization.ownAccounts.size > 0 || (organization.trustedAccounts?.size ?? 0) > 0;
}

export function isOurOrganization(organization: Organization, id: string): boolean {
  return organization.organizationIds?.has(id) === true;
}

/** Null where every Region is allowed. */
export function isAllowedRegion(organization: Organization, region: string): boolean | null {
  const allowed = organization.allowedRegions;
  return allowed === undefined || allowed.size === 0 ? null : allowed.has(region);
}

/** What role of ours an actor is, in words; null for others. */
export function knownRole(organization: Organization, actor: Actor): 'break-glass role' | 'pipeline role' | null {
  const among = (roles: ReadonlySet<string> | undefined) => roles?.has(actor.id) === true || roles?.has(actor.name) === true;
  if (actor.type !== 'role') return null;
  return among(organization.breakGlassRoles) ? 'break-glass role' : among(organization.pipelineRoles) ? 'pipeline role' : null;
}

/** Name of the change window that an event lies in; null for none. */
export function changeWindowAt(organization: Organization, at: number): string | null {
  return organization.changeWindows?.find((window) => isIn(window, at))?.name ?? null;
}

const WEEK_MINUTES = (7 * DAY) / MINUTE;
/** 1970-01-01 was a Thursday. */
const FIRST_MONDAY = 4 * DAY;

function isIn({ weekly, from, to }: ChangeWindow, at: number): boolean {
  if (!weekly) return at >= from && at < to;
  const minute = ((((at - FIRST_MONDAY) / MINUTE) % WEEK_MINUTES) + WEEK_MINUTES) % WEEK_MINUTES;
  return from <= to ? minute >= from && minute < to : minute >= from || minute < to;
}

/** Criticality and owner of a key: what is said of its ARN stands before what is said of its tags, the first before later ones. */
export function keyKnowledge(
  organization: Organization,
  key: { readonly arn: string; readonly facts: KeyFacts },
): Pick<KeyKnowledge, 'criticality' | 'owner'> {
  const said = (organization.keys ?? []).filter(({ arn, tag }) => {
    if (arn !== null) return arn === key.arn;
    const tags = key.facts.tags;
    return tag !== null && tags !== undefined && Object.hasOwn(tags, tag.key) && tags[tag.key]?.value === tag.value;
  });
  const ordered = [...said.filter(({ arn }) => arn !== null), ...said.filter(({ arn }) => arn === null)];
  return {
    criticality: ordered.find(({ criticality }) => criticality !== null)?.criticality ?? null,
    owner: ordered.find(({ owner }) => owner !== null)?.owner ?? null,
  };
}

/** What is known of the circumstances of a change, for `details`: facts beside the finding, they excuse nothing. */
export function circumstances(organization: Organization, event: Pick<StoredEvent, 'actor' | 'eventTime'>) {
  return { caller_is: knownRole(organization, event.actor), change_window: changeWindowAt(organization, event.eventTime) };
}

/**
 * The one name of a queue, rule or role, whatever named it: an ARN, a queue's URL, or a bare name at its place. Partition and path are
 * left out: a call names its role without a path. Null for what names none.
 */
export function resourceId(
  named: string,
  at: { readonly service: string; readonly account: string; readonly region: string },
): string | null {
  const arn = /^arn:[a-z0-9-]+:(sqs|events|iam):([a-z0-9-]*):(\d{12}):(.+)$/.exec(named);
  if (arn) {
    const [, service = '', region = '', account = '', rest = ''] = arn;
    return idOf(service, { region, account, name: lastPart(rest) });
  }
  const url = /^https?:\/\/[^/\s]+\/(\d{12})\/([^/\s]+)$/.exec(named);
  if (url && at.service === 'sqs') return idOf('sqs', { region: at.region, account: url[1] ?? '', name: url[2] ?? '' });
  return named === '' || named.includes(':') ? null : idOf(at.service, { ...at, name: lastPart(named) });
}

function idOf(
  service: string,
  { region, account, name }: { readonly region: string; readonly account: string; readonly name: string },
): string {
  return `${service}:${service === 'iam' ? '' : region}:${account}:${name}`;
}

function lastPart(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
