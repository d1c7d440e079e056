import type { About } from '../core/about.ts';
import type { EncryptionContext, KmsEvent, Network } from '../core/event.ts';
import { operationClass } from '../core/operations.ts';
import { actorOf } from './actor.ts';
import { resourceNamed } from './adjacent.ts';
import type { Normalized, RelevanceFilter, RuleFilter } from './contract.ts';
import { detailOf } from './detail.ts';
import { encryptionContextOf } from './encryption-context.ts';
import { essenceOf } from './essence.ts';
import { isObject, lose, type Raw, readBoolean, readName, readObject, readText } from './fields.ts';
import { type EventIdentity, readIdentity } from './identity.ts';
import { keysOf } from './keys.ts';
import { NO_NETWORK, parseNetwork } from './network.ts';
import { outcomeOf } from './outcome.ts';
import { type Parts, takeApart } from './parts.ts';
import { AWS_INTERNAL, eventService, serviceName } from './service-name.ts';
import { sessionOf } from './session.ts';
import { clean, IDENTIFIER_LIMIT, NAME_LIMIT } from './text.ts';
import { unwrap } from './unwrap.ts';
import { userAgentFamily } from './user-agent.ts';

const NO_RULES: RuleFilter = () => [];

const DROP: Normalized = Object.freeze({ outcome: 'drop' });

/**
 * The event in the bytes of one candidate: a CloudTrail record, bare or in one of the envelopes that `unwrap` knows. What is none of
 * our business is dropped before it is looked at closely; a relevant record that has no identity, no time or another major
 * version is put aside with the reason. Never throws; a field of the wrong type loses that field.
 */
export function normalize(bytes: Uint8Array, relevant: RelevanceFilter, rules: RuleFilter = NO_RULES): Normalized {
  const unwrapped = unwrap(bytes);
  if (unwrapped.record === null) return { outcome: 'quarantine', reason: unwrapped.reason, message: unwrapped.message };
  const { record } = unwrapped;
  const { eventSource } = record;
  if (eventSource === undefined || eventSource === null) return DROP;
  if (typeof eventSource !== 'string') return { outcome: 'quarantine', reason: 'not-a-record', message: 'eventSource is no text' };
  const service = eventService(clean(eventSource, NAME_LIMIT));
  const operation = operationOf(record);
  const matched = rules(record);
  if (matched.length === 0 && !relevant(service, operation, () => aboutOf(record, service, operation))) return DROP;
  const parts = takeApart(record);
  const identity = readIdentity(parts);
  if ('reason' in identity) return { outcome: 'quarantine', reason: identity.reason, message: identity.message };
  return { outcome: 'ok', event: eventOf(parts, { identity, service, operation }), rules: matched };
}

/** Few fields, and no loss is noted: most of these records are none of our business. */
function aboutOf({ recipientAccountId, awsRegion, requestParameters: request }: Raw, service: string, operation: string): About {
  const text = (value: unknown): string | null => (typeof value === 'string' ? clean(value, IDENTIFIER_LIMIT) : null);
  return {
    service,
    operation,
    account: text(recipientAccountId),
    region: text(awsRegion),
    resource: resourceNamed(service, request),
    part: isObject(request) ? text(request.key) : null,
  };
}

/** Aggregated events have no name. */
function operationOf({ eventName }: Raw): string {
  return typeof eventName === 'string' && eventName !== '' ? clean(eventName, NAME_LIMIT) : '(none)';
}

interface Established {
  readonly identity: EventIdentity;
  readonly service: string;
  readonly operation: string;
}

function eventOf(parts: Parts, established: Established): KmsEvent {
  const { record, request, lost } = parts;
  const { identity, service, operation } = established;
  if (operation === '(none)' && typeof record.eventName !== 'string') readName(record.eventName, 'eventName', lost);
  const eventType = readName(record.eventType, 'eventType', lost) ?? 'unknown';
  const errorCode = errorCodeOf(parts);
  const outcome = outcomeOf(errorCode, readText(record.errorMessage, 'errorMessage', lost));
  const failed = outcome !== 'ok';
  const readOnly = readBoolean(record.readOnly, 'readOnly', lost);
  const network = networkOf(parts);
  const callingService = callingServiceOf(parts, network);
  const actor = actorOf(parts, eventType, identity.region);
  const named = operationClass(service, operation, readOnly);
  // Who gives a grant directly administers the key; AWS services do it all day long for themselves.
  const kind = named === 'grant' && callingService === null && actor.type !== 'service' && actor.type !== 'aws' ? 'control' : named;
  const { key, otherKey } = keysOf(parts, { service, operation, failed, account: identity.account, region: identity.region });
  const encryptionContext = service === 'kms' ? encryptionContextOf(request, lost) : null;
  const dryRun = outcome === 'dry-run' || readBoolean(request?.dryRun, 'requestParameters.dryRun', lost) === true;
  return {
    eventId: identity.eventId,
    eventTime: identity.eventTime,
    account: identity.account,
    region: identity.region,
    essence: essenceOf(parts, established),
    eventVersion: identity.eventVersion,
    eventType,
    service,
    operation,
    operationClass: kind,
    readOnly,
    key,
    otherKey,
    actor,
    session: sessionOf(parts),
    callingService,
    network,
    userAgentFamily: userAgentOf(parts),
    vpcEndpoint: readName(record.vpcEndpointId, 'vpcEndpointId', lost),
    tlsVersion: tlsVersionOf(parts),
    outcome,
    errorCode,
    encryptionContext,
    keyMaterialId: keyMaterialOf(parts),
    sharedEventId: readName(record.sharedEventID, 'sharedEventID', lost),
    requestId: readName(record.requestID ?? record.requestId, 'requestID', lost),
    correctsEventId: correctedEventOf(parts),
    dryRun,
    detail: detailOf(parts, { service, operation, operationClass: kind, failed }),
    protectsLogs:
      key !== null && !failed && (service === 'cloudtrail' || (callingService === 'cloudtrail' && isOfTrail(encryptionContext))),
    lostFields: lost,
  };
}

/** An error code of a wrong type is an error all the same. */
function errorCodeOf({ record, lost }: Parts): string | null {
  const code = record.errorCode;
  if (typeof code === 'number' || code === true) {
    lose('errorCode', lost);
    return String(code);
  }
  return readName(code, 'errorCode', lost);
}

function networkOf({ record, lost }: Parts): Network {
  const address = record.sourceIPAddress;
  if (address === undefined || address === null || address === '') return NO_NETWORK;
  const network = typeof address === 'string' ? parseNetwork(address) : null;
  if (network === null) lose('sourceIPAddress', lost);
  return network ?? NO_NETWORK;
}

/** A named service rather than "AWS Internal". `kms:ViaService` is only told by event data stores. */
function callingServiceOf({ record, identity, lost }: Parts, network: Network): string | null {
  const invokedBy = readName(identity?.invokedBy, 'userIdentity.invokedBy', lost);
  const invoking = invokedBy === null ? null : serviceName(invokedBy);
  if (invoking !== null && invoking !== AWS_INTERNAL) return invoking;
  if (network.kind === 'service') return network.prefix;
  if (invoking !== null || network.kind === 'aws-internal') return AWS_INTERNAL;
  const context = isObject(record.eventContext) ? record.eventContext.requestContext : undefined;
  const via = isObject(context) ? context['kms:ViaService'] : undefined;
  return typeof via === 'string' ? serviceName(via) : null;
}

function userAgentOf({ record, lost }: Parts): string | null {
  const { userAgent } = record;
  if (typeof userAgent === 'string') return userAgent === '' ? null : userAgentFamily(userAgent);
  return readName(userAgent, 'userAgent', lost);
}

function tlsVersionOf({ record, lost }: Parts): string | null {
  return readName(readObject(record.tlsDetails, 'tlsDetails', lost)?.tlsVersion, 'tlsDetails.tlsVersion', lost);
}

/** Since May 2025 records tell the key material; ReEncrypt tells the source's and the destination's. */
function keyMaterialOf({ additional, response, service, request, lost }: Parts): string | null {
  return (
    readName(additional?.keyMaterialId ?? additional?.sourceKeyMaterialId, 'additionalEventData.keyMaterialId', lost) ??
    readName(service?.currentKeyMaterialId ?? service?.keyMaterialId, 'serviceEventDetails.keyMaterialId', lost) ??
    readName(response?.keyMaterialId, 'responseElements.keyMaterialId', lost) ??
    readName(request?.keyMaterialId, 'requestParameters.keyMaterialId', lost)
  );
}

function correctedEventOf({ record, lost }: Parts): string | null {
  return readName(readObject(record.addendum, 'addendum', lost)?.originalEventID, 'addendum.originalEventID', lost);
}

/** CloudTrail encrypts log files with the trail's ARN in the context: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/encrypting-cloudtrail-log-files-with-aws-kms.html */
function isOfTrail(context: EncryptionContext | null): boolean {
  return context !== null && Object.hasOwn(context.values, 'aws:cloudtrail:arn');
}
