/**
 * Words that detectors share, so that every finding speaks alike. What stands in a record is hostile: names are
 * made printable and clipped before they reach a sentence, and only harmless ARNs reach a command.
 */
import { DAY } from '../core/clock.ts';
import type { Actor, StoredEvent } from '../core/event.ts';
import type { Explanation } from '../core/finding.ts';
import type { Fact } from '../core/key.ts';
import type { JsonObject } from '../core/json.ts';
import type { Severity } from '../core/severity.ts';
import type { KeySubject, Match } from './contract.ts';
import { printable } from './printable.ts';

const LATEST_DATE = 8.64e15;

/** A name from a record, for a sentence: one printable line of at most `max` characters. */
export function plain(text: string, max = 120): string {
  return printable(text, max);
}

/** ISO 8601 in UTC, null for what is no date. */
export function iso(at: number | null | undefined): string | null {
  return at !== null && at !== undefined && Math.abs(at) <= LATEST_DATE ? new Date(at).toISOString() : null;
}

/** `2026-03-04 10:22 UTC`. */
export function moment(at: number): string {
  const text = iso(at);
  return text === null ? 'an unreadable date' : `${text.slice(0, 10)} ${text.slice(11, 16)} UTC`;
}

/** `on …` for one moment, `from … to …` for two. */
export function period(from: number, to: number): string {
  const [begin, end] = [moment(from), moment(to)];
  return begin === end ? `on ${begin}` : `from ${begin} to ${end}`;
}

export function count(n: number, noun: string): string {
  return n === 1 ? `1 ${noun}` : `${n} ${noun}s`;
}

/** Whole days from `from` to `to`, rounded down; `less than a day` for none. */
export function span(from: number, to: number): string {
  const days = Math.floor(Math.abs(to - from) / DAY);
  return days === 0 ? 'less than a day' : count(days, 'day');
}

/** `a, b, c and 4 more`; empty text for an empty list. */
export function listed(items: readonly string[], max = 5): string {
  const shown = items.slice(0, max).map((item) => plain(item));
  const rest = items.length - shown.length;
  return rest > 0 ? `${shown.join(', ')} and ${rest} more` : shown.join(', ');
}

const NOUNS: Partial<Record<Actor['type'], string>> = {
  'iam-user': 'IAM user',
  role: 'role',
  'federated-user': 'federated user',
  'identity-center': 'Identity Center user',
  saml: 'SAML user',
  'web-identity': 'web identity',
  service: 'AWS service',
  account: 'account',
};

/** `role Admin of account 111122223333`, `the root user of account …`, `AWS itself`. */
export function actorName(actor: Actor): string {
  if (actor.type === 'aws') return 'AWS itself';
  if (actor.type === 'anonymous') return 'an anonymous caller';
  if (actor.type === 'unknown') return 'an unknown caller';
  if (actor.type === 'root') return actor.account === null ? 'a root user' : `the root user of account ${plain(actor.account)}`;
  const name = `${NOUNS[actor.type] ?? 'caller'} ${plain(actor.name)}`;
  return actor.account === null || actor.type === 'account' ? name : `${name} of account ${plain(actor.account)}`;
}

/** The same at the begin of a sentence. */
export function actorFirst(actor: Actor): string {
  const text = actorName(actor);
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The caller of an event with session and the service it came through, as far as the record says. */
export function caller(event: StoredEvent): string {
  const session = event.sessionName === null || event.actor.type === 'service' ? '' : ` (session ${plain(event.sessionName, 64)})`;
  const through = event.callingService === null || isAws(event.actor) ? '' : ` through ${plain(event.callingService, 64)}`;
  return `${actorName(event.actor)}${session}${through}`;
}

/** The same at the begin of a sentence. */
export function callerFirst(event: StoredEvent): string {
  const text = caller(event);
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** An AWS service acting for itself, or AWS internally; not a person or role whose call came through a service. */
export function isAws(actor: Actor): boolean {
  return actor.type === 'aws' || actor.type === 'service';
}

/** `key 1234abcd-… (alias/orders) in eu-central-1`. */
export function keyName(subject: Pick<KeySubject, 'arn' | 'region' | 'aliases'>): string {
  const aliases = subject.aliases.length === 0 ? '' : ` (${listed([...new Set(subject.aliases)], 3)})`;
  return `key ${keyId(subject.arn)}${aliases} in ${plain(subject.region, 32)}`;
}

/** Key id of a key ARN, for sentences. */
export function keyId(arn: string): string {
  return plain(arn.slice(arn.indexOf('/') + 1), 80);
}

/** `--key-id ARN --region REGION` to paste into a shell; a placeholder where the record's text could do harm there. */
export function keyArguments(subject: Pick<KeySubject, 'arn' | 'region'>): string {
  return `--key-id ${argument(subject.arn, 'KEY_ARN')} --region ${argument(subject.region, 'REGION')}`;
}

/** A command-line argument as it stands if it is harmless in every shell, the placeholder otherwise. */
export function argument(text: string, placeholder: string): string {
  return /^[A-Za-z0-9][A-Za-z0-9:/_.-]{0,255}$/.test(text) ? text : placeholder;
}

/** Event ids behind facts, without those that came from an inventory. */
export function proofs(...facts: readonly (Fact<unknown> | undefined)[]): string[] {
  const origins = facts.flatMap((fact) => (fact === undefined || fact.origin.startsWith('inventory:') ? [] : [fact.origin]));
  return [...new Set(origins)];
}

export interface EventMatchParts {
  readonly explanation: Explanation;
  readonly details?: JsonObject;
  readonly severity?: Severity;
  readonly title?: string;
}

/** The match of one event: its time, caller and id, and what the detector has to say. */
export function eventMatch(event: StoredEvent, parts: EventMatchParts): Match {
  return {
    at: event.eventTime,
    actor: event.actor.id,
    evidence: [event.eventId],
    explanation: parts.explanation,
    details: { operation: event.operation, ...parts.details },
    ...(parts.severity === undefined ? {} : { severity: parts.severity }),
    ...(parts.title === undefined ? {} : { title: parts.title }),
  };
}

/** `CancelKeyDeletion by role Admin … on 2026-03-04 10:22 UTC`: how a resolution names the event that mended. */
export function deed(event: StoredEvent): string {
  return `${event.operation} by ${caller(event)} on ${moment(event.eventTime)}`;
}

/** Resolution of what has no object any more: the key was deleted. Null for every other event. */
export function gone(event: StoredEvent): string | null {
  return event.service === 'kms' && event.operation === 'DeleteKey' ? `AWS deleted the key on ${moment(event.eventTime)}.` : null;
}
