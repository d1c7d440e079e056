/**
 * What is known of one KMS key. Every fact is a last-writer-wins register: the value, the event time it holds from,
 * and where we have it from. Merging keeps the later one (ties by origin), so the order in which facts arrive
 * cannot matter. Derived facts (state, rotation standing) are functions of the registers, never stored registers.
 */
export interface Fact<T> {
  readonly value: T;
  /** Event time, epoch milliseconds. */
  readonly at: number;
  /** Event id, or `inventory:RUN`. */
  readonly origin: string;
  /**
   * The record does not state it, but it follows from the call having succeeded (only symmetric keys can have rotation enabled, …).
   * An inferred fact gives way to every stated one, whatever their times.
   */
  readonly inferred?: true;
}

export interface KeyFacts {
  /** EnableKey, DisableKey, CancelKeyDeletion (a cancelled key is Disabled), CreateKey. */
  readonly enabled?: Fact<boolean>;
  /** ScheduleKeyDeletion sets, CancelKeyDeletion clears. */
  readonly deletion?: Fact<PendingDeletion | null>;
  /** DeleteKey service event: gone. */
  readonly deleted?: Fact<true>;
  /** Imported material: present, or absent (never imported, deleted, expired). Only for EXTERNAL keys. */
  readonly material?: Fact<ImportedMaterial | null>;
  readonly created?: Fact<number>;
  readonly manager?: Fact<string>;
  readonly origin?: Fact<string>;
  readonly keySpec?: Fact<string>;
  readonly keyUsage?: Fact<string>;
  readonly multiRegion?: Fact<boolean>;
  readonly multiRegionKeyType?: Fact<string>;
  readonly primaryKeyArn?: Fact<string>;
  readonly customKeyStoreId?: Fact<string>;
  readonly description?: Fact<string>;
  readonly rotationEnabled?: Fact<boolean>;
  /** Days between automatic rotations, 90–2560; AWS's default is 365. */
  readonly rotationPeriodDays?: Fact<number>;
  /** When the current key material came to be: creation, RotateKey, first import of new material. Epoch milliseconds. */
  readonly lastRotated?: Fact<number>;
  readonly keyMaterialId?: Fact<string>;
  /** Policy document as text; null when AWS's default policy applies. */
  readonly policy?: Fact<string | null>;
  /** The policy was set, but the record did not say to what. */
  readonly policyOmitted?: Fact<boolean>;
  /** Tag values by key; null = removed. One register a tag. */
  readonly tags?: Readonly<Record<string, Fact<string | null>>>;
}

export interface PendingDeletion {
  /** Epoch milliseconds; null when AWS has not fixed it yet (a primary key waiting for its replicas). */
  readonly date: number | null;
  readonly windowDays: number;
  /** The key waits for its replicas to be deleted first. */
  readonly waitsForReplicas: boolean;
}

export interface ImportedMaterial {
  /** Epoch milliseconds; null = never expires. */
  readonly validTo: number | null;
  readonly materialId: string | null;
}

/** AWS's words: https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html, and `Deleted` when it is gone. */
export type KeyStateName = 'Enabled' | 'Disabled' | 'PendingDeletion' | 'PendingReplicaDeletion' | 'PendingImport' | 'Deleted';

/** Whether automatic rotation can exist for a key; `eligible: null` = not known. */
export interface RotationEligibility {
  readonly eligible: boolean | null;
  /** One short sentence why; also for yes and for unknown. */
  readonly reason: string;
}
