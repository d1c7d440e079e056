import type { QuarantineReason } from '../core/quarantine.ts';
import { parseMoment } from './dates.ts';
import { isObject, lose, type Raw, readAccount, readName } from './fields.ts';
import type { Parts } from './parts.ts';
import { clean, NAME_LIMIT } from './text.ts';

/** What makes an event this one, and where and when it happened. */
export interface EventIdentity {
  readonly eventId: string;
  readonly eventTime: number;
  readonly account: string;
  readonly region: string;
  readonly eventVersion: string;
}

export interface Refusal {
  readonly reason: QuarantineReason;
  readonly message: string;
}

/** CloudTrail is of 2013. Times far outside make no sense, and each month of events costs a partition. */
const EARLIEST = Date.UTC(2000, 0, 1);
const LATEST = Date.UTC(2100, 0, 1);

/** Stands for an account or Region that the record does not tell. */
const UNKNOWN = 'unknown';
const SUPPORTED_MAJOR = 1;
const REGION = /^[a-z0-9-]{1,64}$/;
const KMS_ARN_REGION = /^arn:aws[a-z-]*:kms:([a-z0-9-]{1,64}):/;

/** The identity, or why the record has none. `eventId` and `@timestamp` are how exports spell `eventID` and `eventTime`. */
export function readIdentity(parts: Parts): EventIdentity | Refusal {
  const { record, lost } = parts;
  const version = readVersion(record, lost);
  if (typeof version !== 'string') return version;
  const eventId = readEventId(record.eventID ?? record.eventId);
  if (eventId === null)
    return { reason: 'no-event-id', message: `eventID is missing, empty, no text or longer than ${NAME_LIMIT} characters` };
  const eventTime = parseMoment(record.eventTime ?? record['@timestamp']);
  if (eventTime === null) return { reason: 'no-event-time', message: 'eventTime is missing or cannot be read' };
  if (eventTime < EARLIEST || eventTime >= LATEST)
    return { reason: 'no-event-time', message: 'eventTime lies outside the years 2000 to 2099' };
  return { eventId, eventTime, account: accountOf(parts), region: regionOf(parts), eventVersion: version };
}

/**
 * `major.minor`, compared as numbers; a higher minor version only adds fields. Records before versions existed, and unreadable
 * versions, are taken as what all known records are.
 */
function readVersion(record: Raw, lost: string[]): string | Refusal {
  const value = record.eventVersion;
  if (value === undefined || value === null) return UNKNOWN;
  const text = typeof value === 'number' ? String(value) : readName(value, 'eventVersion', lost);
  if (text === null) return UNKNOWN;
  const major = /^v?(\d{1,9})(?!\d)/.exec(text)?.[1];
  if (major === undefined) {
    lose('eventVersion', lost);
    return UNKNOWN;
  }
  if (Number(major) === SUPPORTED_MAJOR) return text;
  return { reason: 'unsupported-version', message: `eventVersion has the major version ${Number(major)}; supported is ${SUPPORTED_MAJOR}` };
}

/** Never shortened: two ids must not become one. */
function readEventId(value: unknown): string | null {
  if (typeof value !== 'string' || value.length > NAME_LIMIT || value.trim() === '') return null;
  return clean(value, NAME_LIMIT);
}

function accountOf({ record, identity, lost }: Parts): string {
  return (
    readAccount(record.recipientAccountId, 'recipientAccountId', lost) ??
    readAccount(identity?.accountId, 'userIdentity.accountId', lost) ??
    accountOfResources(record.resources) ??
    UNKNOWN
  );
}

/** Only ids of digits: samples have "AWS Internal" here. */
function accountOfResources(resources: unknown): string | null {
  if (!Array.isArray(resources)) return null;
  for (const resource of resources.slice(0, 100)) {
    const account = isObject(resource) ? resource.accountId : undefined;
    if (typeof account === 'string' && /^\d{1,64}$/.test(account)) return account;
  }
  return null;
}

function regionOf(parts: Parts): string {
  const { record, request, response, lost } = parts;
  const region = record.awsRegion;
  if (typeof region === 'string' && REGION.test(region)) return region;
  if (region !== undefined && region !== null && region !== '') lose('awsRegion', lost);
  for (const named of [...parts.resourceArns, response?.keyId, request?.keyId, request?.sourceKeyId, request?.targetKeyId]) {
    const found = typeof named === 'string' ? KMS_ARN_REGION.exec(named)?.[1] : undefined;
    if (found !== undefined) return found;
  }
  return UNKNOWN;
}
