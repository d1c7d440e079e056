import type { KeyRef } from './arn.ts';
import { eventUuid } from './ids.ts';
import type { JsonObject } from './json.ts';
import type { OperationClass } from './operations.ts';

/**
 * The normalized, immutable fact: what one CloudTrail record says, parsed once.
 *
 * Identity is (account, region, eventId). `essence` is a digest of the facts that two tellings of one event must
 * share; the same identity with another essence is a conflict. Times are milliseconds since the epoch, UTC.
 */
export interface KmsEvent {
  readonly eventId: string;
  readonly eventTime: number;
  /** `recipientAccountId`, or what stands in for it in old records. */
  readonly account: string;
  readonly region: string;
  /** 32 lower-case hex digits. */
  readonly essence: string;
  readonly eventVersion: string;
  /** `AwsApiCall`, `AwsServiceEvent`, `AwsVpceEvent`, `AwsConsoleAction`, `AwsConsoleSignIn`, … open text. */
  readonly eventType: string;
  /** Event source without `.amazonaws.com`: `kms`, `cloudtrail`, … */
  readonly service: string;
  /** `eventName`; `(none)` where a record has none. */
  readonly operation: string;
  readonly operationClass: OperationClass;
  readonly readOnly: boolean | null;
  /** The key that the event is about (for ReEncrypt: the source key). */
  readonly key: KeyRef | null;
  /** ReEncrypt: the destination key. Alias operations: the alias. ReplicateKey: the replica. */
  readonly otherKey: KeyRef | null;
  readonly actor: Actor;
  readonly session: Session;
  /** AWS service through which the call came, e.g. `secretsmanager`, from `invokedBy`, `sourceIPAddress` or ViaService. */
  readonly callingService: string | null;
  readonly network: Network;
  readonly userAgentFamily: string | null;
  readonly vpcEndpoint: string | null;
  readonly tlsVersion: string | null;
  readonly outcome: Outcome;
  /** `errorCode` as written; null for success. */
  readonly errorCode: string | null;
  /** Encryption context; null where the call carried none or is of a kind that has none. */
  readonly encryptionContext: EncryptionContext | null;
  readonly keyMaterialId: string | null;
  readonly sharedEventId: string | null;
  readonly requestId: string | null;
  /** `addendum.originalEventID`: the event that this record corrects. */
  readonly correctsEventId: string | null;
  readonly dryRun: boolean;
  /** Facts of control and grant operations that key state and detectors need; null for use and read. */
  readonly detail: EventDetail | null;
  /** This event shows that the key encrypts a CloudTrail trail or its bucket. */
  readonly protectsLogs: boolean;
  /** Unimportant fields with a wrong type that were given up: field path names, for counting. */
  readonly lostFields: readonly string[];
}

export const ACTOR_TYPES = [
  'root',
  'iam-user',
  'role',
  'federated-user',
  'identity-center',
  'saml',
  'web-identity',
  'service',
  'account',
  'aws',
  'anonymous',
  'unknown',
] as const;

export type ActorType = (typeof ACTOR_TYPES)[number];

/**
 * Who called, in canonical form: `id` is the same for every session of the same principal, and is the actor's
 * identity in the database (role ARN behind an assumed-role session, user ARN, `arn:…:root`, `service:NAME`, `account:ID`, …).
 */
export interface Actor {
  readonly type: ActorType;
  readonly id: string;
  /** Account the principal belongs to; null for AWS services and anonymous callers. */
  readonly account: string | null;
  /** Short name for people: role name, user name, service. */
  readonly name: string;
}

export interface Session {
  readonly name: string | null;
  readonly accessKeyId: string | null;
  readonly mfa: boolean | null;
  /** Born in the console: `sessionCredentialFromConsole`. */
  readonly console: boolean;
}

export interface Network {
  /** `ip`: an address; `service`: a service's DNS name; `aws-internal`; `none`. */
  readonly kind: 'ip' | 'service' | 'aws-internal' | 'none';
  /** The address or name as written; null for none. */
  readonly address: string | null;
  /** What baselines count: /16 of IPv4, /32 of IPv6, `private`, the service name, `aws-internal`; null for none. */
  readonly prefix: string | null;
}

/**
 * How a call ended, as far as detectors care. `ok` is stored as 0; the list is closed and append-only,
 * because the positions are what the database holds.
 */
export const OUTCOMES = [
  'ok',
  'denied',
  'disabled',
  'pending-deletion',
  'invalid-state',
  'not-found',
  'throttled',
  'dry-run',
  'other',
] as const;

export type Outcome = (typeof OUTCOMES)[number];

export interface EncryptionContext {
  /** Sorted keys joined by `,`; AWS services use fixed ones, so this tells the use. */
  readonly shape: string;
  readonly values: Readonly<Record<string, string>>;
}

/** Request and response facts by their CloudTrail names; dates as epoch milliseconds. Only what the record states is present. */
export interface EventDetail {
  readonly policy?: string;
  /** The record should carry a policy but it was omitted (too large) or unreadable: unknown, not absent. */
  readonly policyOmitted?: true;
  readonly bypassPolicyLockoutSafetyCheck?: boolean;
  readonly pendingWindowInDays?: number;
  readonly deletionDate?: number;
  /** `responseElements.keyState`, e.g. `PendingReplicaDeletion`. */
  readonly keyState?: string;
  readonly rotationPeriodInDays?: number;
  /** RotateKey: `AUTOMATIC` or `ON_DEMAND`; absent in old records. */
  readonly rotationType?: string;
  readonly keyMaterialId?: string;
  readonly previousKeyMaterialId?: string;
  readonly expirationModel?: string;
  readonly importType?: string;
  readonly validTo?: number;
  readonly metadata?: KeyMetadata;
  readonly replicaRegion?: string;
  readonly primaryRegion?: string;
  readonly primaryKeyArn?: string;
  readonly grantId?: string;
  readonly granteePrincipal?: string;
  readonly retiringPrincipal?: string;
  readonly operations?: readonly string[];
  readonly grantConstraints?: JsonObject;
  readonly tags?: Readonly<Record<string, string>>;
  readonly tagKeys?: readonly string[];
  readonly description?: string;
  readonly customKeyStoreId?: string;
  readonly customKeyStoreName?: string;
  readonly xksProxyUriEndpoint?: string;
  /** cloudtrail operations: trail name or ARN. */
  readonly trailName?: string;
  /** PutEventSelectors, UpdateTrail …: the request as far as it concerns selectors. */
  readonly eventSelectors?: readonly JsonObject[];
  readonly advancedEventSelectors?: readonly JsonObject[];
  /** CreateTrail, UpdateTrail: what the trail is set to afterwards, as far as answer and request tell. */
  readonly trail?: TrailSettings;
  /** Calls to other services: what the call is about. A bucket, a queue's URL, the name of a rule or a role, a snapshot's id. */
  readonly resource?: string;
  /** What of it: an object's key, a policy's name or ARN. */
  readonly part?: string;
  /** SetQueueAttributes: names of the attributes. */
  readonly attributes?: readonly string[];
  /** Versioning, replication, rule: `Enabled`, `Disabled`, `Suspended`, as set; replication is Enabled when any rule is. */
  readonly setTo?: string;
  /** Lifecycle: days after which the first objects go. */
  readonly expiryDays?: number;
  /** Digest of the policy that was set, to tell it from another one. */
  readonly policyDigest?: string;
  /** Key under which data is to be encrypted from now on, as named; empty = none. */
  readonly kmsKeyId?: string;
  /** Snapshots: account ids that may restore it from now on; `all` = everyone. */
  readonly sharedWith?: readonly string[];
  readonly errorMessage?: string;
}

export interface TrailSettings {
  readonly bucket?: string;
  readonly multiRegion?: boolean;
  readonly globalEvents?: boolean;
  readonly validation?: boolean;
  /** Empty = log files are not encrypted under a key of the customer's. */
  readonly kmsKeyId?: string;
}

/** `keyMetadata` of CreateKey and ReplicateKey responses. Open text: AWS adds key specs and states. */
export interface KeyMetadata {
  readonly keySpec?: string;
  readonly keyUsage?: string;
  readonly origin?: string;
  readonly keyManager?: string;
  readonly keyState?: string;
  readonly enabled?: boolean;
  readonly multiRegion?: boolean;
  /** `PRIMARY` or `REPLICA`. */
  readonly multiRegionKeyType?: string;
  readonly primaryKeyArn?: string;
  readonly creationDate?: number;
  readonly customKeyStoreId?: string;
  readonly description?: string;
}

/** A stored event as detectors and the key reducer see it: what the database gives back without opening evidence. */
export type StoredEvent = Pick<
  KmsEvent,
  | 'eventId'
  | 'eventTime'
  | 'account'
  | 'region'
  | 'service'
  | 'operation'
  | 'operationClass'
  | 'key'
  | 'otherKey'
  | 'actor'
  | 'outcome'
  | 'errorCode'
  | 'callingService'
  | 'detail'
> & {
  readonly essence: string;
  readonly sessionName: string | null;
  /** Born in the console, and whether with MFA; left out where it is not told. */
  readonly console?: true;
  readonly mfa?: boolean;
};

/** Total order of events: event time, then stored event id, then essence. Every fold and every "first" and "last" uses it. */
export function compareEvents(a: EventOrder, b: EventOrder): number {
  if (a.eventTime !== b.eventTime) return a.eventTime < b.eventTime ? -1 : 1;
  if (a.eventId !== b.eventId) return eventUuid(a.eventId) < eventUuid(b.eventId) ? -1 : 1;
  const [x, y] = [a.essence ?? '', b.essence ?? ''];
  return x === y ? 0 : x < y ? -1 : 1;
}

export interface EventOrder {
  readonly eventTime: number;
  readonly eventId: string;
  readonly essence?: string;
}
