/**
 * Inventory: what KMS itself answers about the keys of one account in one Region. An answer is a fact as of the moment at which it was
 * asked for; it is held against events by time. https://docs.aws.amazon.com/kms/latest/APIReference/API_Operations.html
 */
import type { Fact, KeyFacts } from './key.ts';

/** Calls about one key. */
export const INVENTORY_CALLS = [
  'DescribeKey',
  'GetKeyRotationStatus',
  'ListKeyRotations',
  'GetKeyPolicy',
  'ListGrants',
  'ListResourceTags',
  'GetKeyLastUsage',
] as const;

export type InventoryCall = (typeof INVENTORY_CALLS)[number];

/** Why a call about a key was not answered. The three kinds of policy are those that AWS names in its refusal. */
export const UNREAD_REASONS = [
  'denied-by-key-policy',
  'denied-by-identity-policy',
  'denied-by-organization-policy',
  'access-denied',
  'service-error',
  'refused',
] as const;

export type UnreadReason = (typeof UNREAD_REASONS)[number];

/** `partly`: described, but not all else was answered. `gone`: KMS knows no such key any more. */
export const KEY_READINGS = ['readable', 'partly', 'unreadable', 'gone'] as const;

export type KeyReading = (typeof KEY_READINGS)[number];

/** Facts that are held against what events add up to; a difference means that events were missed. */
export const DRIFT_FACTS = ['enabled', 'deletion', 'rotation', 'policy', 'alias', 'material', 'creation'] as const;

export type DriftFact = (typeof DRIFT_FACTS)[number];

export type Answer<T> =
  | { readonly kind: 'answered' /** When it was asked for, epoch milliseconds. */; readonly at: number; readonly value: T }
  | { readonly kind: 'unread'; readonly at: number; readonly reason: UnreadReason; readonly message: string }
  | { readonly kind: 'gone'; readonly at: number };

/** DescribeKey; moments are epoch milliseconds, null = not said. */
export interface KeyDescription {
  readonly state: string | null;
  readonly created: number | null;
  readonly manager: string | null;
  readonly origin: string | null;
  readonly keySpec: string | null;
  readonly keyUsage: string | null;
  readonly description: string | null;
  readonly multiRegion: boolean | null;
  readonly multiRegionKeyType: string | null;
  readonly primaryKeyArn: string | null;
  readonly customKeyStoreId: string | null;
  readonly deletionDate: number | null;
  /** Only of a primary key that waits for its replicas to be deleted. */
  readonly pendingWindowDays: number | null;
  readonly expires: boolean;
  readonly validTo: number | null;
  readonly materialId: string | null;
}

export interface RotationStatus {
  readonly enabled: boolean;
  readonly periodDays: number | null;
}

export interface ListedGrant {
  readonly grantId: string;
  readonly name: string | null;
  readonly grantee: string | null;
  readonly retiringPrincipal: string | null;
  readonly operations: readonly string[];
  readonly constraints: GrantConstraintShape;
  readonly issuingAccount: string | null;
  readonly created: number | null;
}

/** By what a grant is limited; never the values of an encryption context. */
export interface GrantConstraintShape {
  readonly encryption_context_subset?: readonly string[];
  readonly encryption_context_equals?: readonly string[];
  readonly source_arn?: true;
}

/** The latest successful cryptographic call that KMS itself remembers; nulls = none since it began to. */
export interface LastUsage {
  readonly operation: string | null;
  readonly at: number | null;
  readonly eventId: string | null;
  readonly trackedSince: number | null;
}

/** What was answered about one key. Null was not asked: it does not apply to such a key, or the key could not be described. */
export interface KeyAnswers {
  readonly arn: string;
  readonly describe: Answer<KeyDescription>;
  readonly rotation: Answer<RotationStatus> | null;
  /** Moment of the latest rotation; a value of null = there was none. */
  readonly lastRotation: Answer<number | null> | null;
  readonly policy: Answer<string> | null;
  readonly grants: Answer<readonly ListedGrant[]> | null;
  readonly tags: Answer<readonly (readonly [name: string, value: string])[]> | null;
  readonly lastUsage: Answer<LastUsage> | null;
}

/** A fact that KMS has answered with: `at` and `origin` tell the first of the answers that agree, `asOf` the last. */
export interface InventoryFact<T> extends Fact<T> {
  readonly asOf: number;
}

type Registers = Omit<KeyFacts, 'tags'>;

/** The latest answers about one key, each with its time; a call that was refused leaves its earlier answer. */
export type InventoryFacts = {
  readonly [R in keyof Registers]?: InventoryFact<NonNullable<Registers[R]>['value']>;
} & {
  readonly tags?: Readonly<Record<string, InventoryFact<string>>>;
  /** When all tags were listed: others are gone. */
  readonly tagsListed?: { readonly asOf: number; readonly origin: string };
};

/** One difference; both sides as plain JSON with their time and, for events, the id of the latest that says so. */
export interface Drift {
  readonly fact: DriftFact;
  readonly events: DriftSide;
  readonly inventory: DriftSide;
}

export interface DriftSide {
  readonly value: string | boolean | null | readonly string[];
  /** Epoch milliseconds; null = never said. */
  readonly asOf: number | null;
  readonly origin: string | null;
}
