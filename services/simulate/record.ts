import type { JsonObject } from '../core/json.ts';
import { isoSeconds } from './instants.ts';
import type { Random } from './random.ts';

/** Who makes calls and from where, in CloudTrail's words. */
export interface Caller {
  /** Account whose trail tells of the call, unless the call says otherwise. */
  readonly account: string;
  /** `userIdentity`. */
  readonly identity: JsonObject;
  /** `sourceIPAddress`: an address, a service's name, `AWS Internal`. */
  readonly from: string;
  readonly agent: string;
  /** A client of its own, not an AWS service on its behalf: such records carry `tlsDetails`. */
  readonly direct: boolean;
  /** `vpcEndpointId`. */
  readonly endpoint?: string;
  /** Credentials born in the console. */
  readonly console?: boolean;
}

/** What is called, and what came of it. */
export interface Call {
  /** Event source without `.amazonaws.com`; default `kms`. */
  readonly service?: string;
  readonly operation: string;
  readonly readOnly: boolean;
  readonly request: JsonObject | null;
  readonly response?: JsonObject | null;
  readonly extra?: JsonObject;
  readonly resources?: readonly JsonObject[];
  readonly error?: { readonly code: string; readonly message: string };
  readonly eventType?: 'AwsApiCall' | 'AwsServiceEvent' | 'AwsConsoleSignIn';
  readonly serviceEventDetails?: JsonObject;
  readonly version?: string;
  /** AWS gave both sides of the call a common `sharedEventID`. */
  readonly shared?: boolean;
  /** Account that the record is delivered to, where it is not the caller's. */
  readonly recipient?: string;
}

/** One record on its way into a log file. */
export interface Entry {
  readonly time: number;
  readonly account: string;
  readonly region: string;
  readonly record: JsonObject;
  /** When CloudTrail delivers it, where that is unusually late; epoch milliseconds. */
  readonly delivered?: number;
}

const CIPHERS = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384'] as const;

/**
 * A CloudTrail record in the field order of real ones.
 * Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
 */
export function entryOf(random: Random, place: { time: number; region: string }, caller: Caller, call: Call): Entry {
  const service = call.service ?? 'kms';
  const account = call.recipient ?? caller.account;
  const eventType = call.eventType ?? 'AwsApiCall';
  const ofService = eventType === 'AwsServiceEvent';
  const version = call.version ?? versionOf(caller, place.region);
  const record: Record<string, JsonObject[string]> = {
    eventVersion: version,
    userIdentity: caller.identity,
    eventTime: isoSeconds(place.time),
    eventSource: `${service}.amazonaws.com`,
    eventName: call.operation,
    awsRegion: place.region,
    sourceIPAddress: caller.from,
    userAgent: caller.agent,
  };
  if (call.error) {
    record['errorCode'] = call.error.code;
    record['errorMessage'] = call.error.message;
  }
  record['requestParameters'] = call.request;
  record['responseElements'] = call.error ? null : (call.response ?? null);
  if (call.extra) record['additionalEventData'] = call.extra;
  if (!ofService) record['requestID'] = random.uuid();
  record['eventID'] = random.uuid();
  record['readOnly'] = call.readOnly;
  if (call.resources) record['resources'] = call.resources;
  record['eventType'] = eventType;
  record['managementEvent'] = true;
  record['recipientAccountId'] = account;
  if (call.serviceEventDetails) record['serviceEventDetails'] = call.serviceEventDetails;
  if (call.shared) record['sharedEventID'] = random.uuid();
  if (caller.endpoint !== undefined) {
    record['vpcEndpointId'] = caller.endpoint;
    record['vpcEndpointAccountId'] = caller.account;
  }
  record['eventCategory'] = 'Management';
  if (caller.direct && eventType === 'AwsApiCall') {
    record['tlsDetails'] = {
      tlsVersion: 'TLSv1.3',
      cipherSuite: random.pick(CIPHERS),
      clientProvidedHostHeader: `${service}.${place.region}.amazonaws.com`,
    };
  }
  if (caller.console) record['sessionCredentialFromConsole'] = 'true';
  return { time: Math.floor(place.time / 1000) * 1000, account, region: place.region, record };
}

/** Accounts see several record versions at a time: AWS raises them service by service and Region by Region. */
function versionOf(caller: Caller, region: string): string {
  if (caller.endpoint !== undefined) return '1.09';
  if (!caller.direct) return '1.08';
  return region === 'us-east-1' ? '1.11' : '1.10';
}
