import { hash } from 'node:crypto';
import type { Raw } from './fields.ts';
import type { EventIdentity } from './identity.ts';
import type { Parts } from './parts.ts';

/** Facts that the event's reader has established already. */
export interface EssenceFacts {
  readonly identity: EventIdentity;
  readonly service: string;
  readonly operation: string;
}

/**
 * Digest (the first 64 bits of SHA-256, 16 hexadecimal digits) of what all tellings of one event share: when, where, which call, by
 * whom, with which request, answer and error, on which resources. It tells apart what is told under one event id, of which there are
 * few, so that 64 bits are enough; that nobody forges records is for digest files to show. Not in it: formatting, the order of members, members that are
 * null, and what only some deliveries carry (requestID, userAgent, TLS, eventContext, versions, categories).
 */
export function essenceOf(parts: Parts, { identity, service, operation }: EssenceFacts): string {
  const { record, identity: who, resourceArns } = parts;
  const text =
    canonical(identity.eventTime) +
    canonical(service) +
    canonical(operation) +
    canonical(identity.account) +
    canonical(identity.region) +
    canonical(who?.type) +
    canonical(who?.arn) +
    canonical(who?.principalId) +
    canonical(who?.accountId) +
    canonical(who?.invokedBy) +
    canonical(record.errorCode) +
    canonical(resourceArns.length > 1 ? resourceArns.toSorted() : resourceArns) +
    canonical(record.requestParameters) +
    canonical(record.serviceEventDetails) +
    canonical(record.responseElements);
  return hash('sha256', text, 'hex').slice(0, 16);
}

/**
 * One text for each JSON value, whatever the order of its members: strings carry their length, so that no two values
 * run into one. Recursion is bounded by the depth limit of records.
 */
function canonical(value: unknown): string {
  if (typeof value === 'string') return `s${value.length}:${value}`;
  if (value === undefined || value === null) return '_';
  if (typeof value === 'object') return Array.isArray(value) ? canonicalArray(value) : canonicalObject(value as Raw);
  // Numbers and truth values; -0 and 0 are one number.
  return typeof value === 'number' ? `n${value};` : value === true ? 't' : 'f';
}

function canonicalArray(items: readonly unknown[]): string {
  let text = '[';
  for (const item of items) text += canonical(item);
  return `${text}]`;
}

function canonicalObject(object: Raw): string {
  const names = Object.keys(object);
  if (names.length > 1) names.sort();
  let text = '{';
  for (const name of names) {
    const value = object[name];
    if (value !== null) text += `${name.length}:${name}=${canonical(value)}`;
  }
  return `${text}}`;
}
