/**
 * The detector contract. A detector is one file, pure, without clock or I/O: the engine loads *subjects* (a key, an
 * alias, an account, an actor with everything stored about them that detectors may ask) in a constant number of
 * queries and hands them over.
 *
 * Detection is a projection: the findings of a subject are a function of the facts stored about it and of `asOf`.
 * Whenever a batch touches a subject, its findings are derived anew and replaced. So late, duplicated or reordered
 * records cannot leave another result behind than the same records in order.
 */
import type { z } from 'zod';
import type { KeyFacts, KeyStateName, RotationEligibility } from '../core/key.ts';
import type { Actor, Outcome, StoredEvent } from '../core/event.ts';
import type { OperationClass } from '../core/operations.ts';
import type { Explanation } from '../core/finding.ts';
import type { JsonObject } from '../core/json.ts';
import type { Severity } from '../core/severity.ts';

export type DetectorKind = 'event' | 'state' | 'window' | 'baseline' | 'absence';
export type SubjectKind = 'key' | 'alias' | 'account' | 'actor';

/** A detector's yes for one evaluation; in memory only. */
export interface Match {
  /** Event time of the (first) occurrence, epoch milliseconds. */
  readonly at: number;
  /** Event time of the last occurrence, where one match stands for many events. Default `at`. */
  readonly until?: number;
  /** How many events it stands for. Default 1. */
  readonly occurrences?: number;
  /** Default: the detector's. */
  readonly severity?: Severity;
  /** Default: the detector's title. */
  readonly title?: string;
  readonly actor?: string | null;
  /** CloudTrail event ids that prove it, in order. */
  readonly evidence: readonly string[];
  readonly explanation: Explanation;
  readonly details: JsonObject;
  /**
   * Window, baseline and state detectors: the world has mended since. Event detectors say so through `mends`.
   * A state detector's finding also closes by no longer matching.
   */
  readonly resolved?: { readonly at: number; readonly reason: string };
}

/** One control event of a key, with what was known of the key just before and just after it. */
export interface TimelineStep {
  readonly event: StoredEvent;
  readonly before: KeyFacts;
  readonly after: KeyFacts;
}

/** Use of a key by one actor, aggregated over all time: exact counts and exact first and last events. */
export interface KeyUse {
  readonly actor: Actor;
  readonly operationClass: OperationClass;
  readonly outcome: Outcome;
  readonly count: number;
  readonly firstAt: number;
  readonly firstEventId: string;
  readonly lastAt: number;
  readonly lastEventId: string;
}

/** Failed calls of one actor and operation within one hour of event time. */
export interface FailureHour {
  /** Epoch milliseconds of the hour's begin. */
  readonly hour: number;
  readonly actor: Actor;
  readonly operation: string;
  readonly operationClass: OperationClass;
  readonly outcome: Outcome;
  readonly keyArn: string | null;
  readonly count: number;
  readonly firstAt: number;
  readonly firstEventId: string;
  readonly lastAt: number;
  readonly lastEventId: string;
}

export interface KeySubject {
  readonly kind: 'key';
  readonly arn: string;
  readonly account: string;
  readonly region: string;
  /** All registers folded. */
  readonly facts: KeyFacts;
  /** Control events in event order, failed ones included (they change no fact). */
  readonly timeline: readonly TimelineStep[];
  readonly uses: readonly KeyUse[];
  /** Failed calls other than denied ones, by hour. */
  readonly failures: readonly FailureHour[];
  /** Current alias names, `alias/…`, sorted. */
  readonly aliases: readonly string[];
  /** The key encrypts a CloudTrail trail or its bucket, as events or configuration say. */
  readonly protectsLogs: boolean;
}

/** Alias control events in event order. `target` = the key it pointed to afterwards, null = deleted or unknown. */
export interface AliasSubject {
  readonly kind: 'alias';
  readonly arn: string;
  readonly account: string;
  readonly region: string;
  readonly timeline: readonly { readonly event: StoredEvent; readonly before: string | null; readonly after: string | null }[];
  /** Latest successful use, by key ARN, of the keys that the alias ever pointed to; epoch milliseconds. */
  readonly lastUsed: Readonly<Record<string, number>>;
  /** What is known of those keys, by key ARN. */
  readonly targets: Readonly<Record<string, KeyFacts>>;
}

/** Control events of an account × region that concern no key: trails, selectors, key stores. */
export interface AccountSubject {
  readonly kind: 'account';
  readonly account: string;
  readonly timeline: readonly StoredEvent[];
  /** Conflicting tellings of one event. */
  readonly conflicts: readonly { readonly eventId: string; readonly region: string; readonly at: number; readonly tellings: number }[];
}

export interface ActorSubject {
  readonly kind: 'actor';
  readonly actor: Actor;
  /** Denied calls by hour, all keys. */
  readonly denied: readonly FailureHour[];
  /** Successful or failed calls by key; `keyArn` null for calls that name none. Only loaded for the root user. */
  readonly uses: readonly (KeyUse & { readonly keyArn: string | null; readonly account: string; readonly region: string })[];
}

export type Subject = KeySubject | AliasSubject | AccountSubject | ActorSubject;

export interface SubjectOf {
  key: KeySubject;
  alias: AliasSubject;
  account: AccountSubject;
  actor: ActorSubject;
}

/** What the organization has told us about itself (configuration). */
export interface Organization {
  readonly ownAccounts: ReadonlySet<string>;
  readonly logKeys: ReadonlySet<string>;
}

export interface Context<P> {
  readonly params: P;
  readonly organization: Organization;
  /** The moment as of which is judged, epoch milliseconds. */
  readonly asOf: number;
  stateOf(facts: KeyFacts): KeyStateName | null;
  rotationOf(facts: KeyFacts): RotationEligibility;
}

interface DetectorBase<P> {
  /** = file stem; never reused, never renamed. */
  readonly id: string;
  /** At most 100 characters, states what is the case. */
  readonly title: string;
  readonly severity: Severity;
  readonly status: 'experimental' | 'test' | 'stable' | 'deprecated';
  readonly family: 'rotation' | 'deletion' | 'exposure' | 'access' | 'blinding';
  /** What must arrive for it to be able to fire, as `service:Operation` or `kms:*`; the ingest filter is the union. */
  readonly events: readonly string[];
  readonly params: z.ZodType<P>;
  /** MITRE ATT&CK technique ids. */
  readonly techniques: readonly string[];
  readonly blindSpots: readonly string[];
  readonly falsePositives: readonly string[];
}

/** Judges single control events of a subject, in event order. */
export interface EventDetector<P, K extends 'key' | 'alias' | 'account' = 'key' | 'alias' | 'account'> extends DetectorBase<P> {
  readonly kind: 'event';
  readonly subject: K;
  /** A failed call matches nothing unless the detector says so. Default `success`. */
  readonly outcome?: 'success' | 'failure' | 'any';
  /** Parts that, with the detector's id, make the finding's identity. */
  dedupKey(event: StoredEvent, subject: SubjectOf[K]): readonly string[];
  evaluate(step: StepOf<K>, subject: SubjectOf[K], context: Context<P>): Match | null;
  /** Does this (successful) event mend what the detector found earlier under the same dedup key? One sentence, or null. */
  mends?(step: StepOf<K>, subject: SubjectOf[K], context: Context<P>): string | null;
  /** Lets the moment of judging change a derived finding's latest match: escalate, conclude. */
  standing?(match: Match, subject: SubjectOf[K], context: Context<P>): Match;
}

export type StepOf<K extends 'key' | 'alias' | 'account'> = K extends 'key'
  ? TimelineStep
  : K extends 'alias'
    ? AliasSubject['timeline'][number]
    : { readonly event: StoredEvent };

/** Judges what a key is now. */
export interface StateDetector<P> extends DetectorBase<P> {
  readonly kind: 'state';
  readonly subject: 'key';
  dedupKey(subject: KeySubject): readonly string[];
  evaluate(subject: KeySubject, context: Context<P>): Match | null;
}

/** Judges many events of a subject together: within windows (`window`) or against habit (`baseline`). */
export interface WindowDetector<P, K extends SubjectKind = SubjectKind> extends DetectorBase<P> {
  readonly kind: 'window' | 'baseline';
  readonly subject: K;
  evaluate(
    subject: SubjectOf[K],
    context: Context<P>,
  ): readonly (Match & { readonly dedupKey: readonly string[]; readonly keyArn?: string | null; readonly region?: string })[];
}

/** Judges silence: what should have been seen by `asOf` and was not. Coverage is its input (later issue adds sources of it). */
export interface AbsenceDetector<P> extends DetectorBase<P> {
  readonly kind: 'absence';
  readonly subject: 'account';
  evaluate(
    coverage: readonly CoverageHour[],
    context: Context<P>,
  ): readonly (Match & { readonly dedupKey: readonly string[]; readonly account: string; readonly region: string })[];
}

export interface CoverageHour {
  readonly account: string;
  readonly region: string;
  readonly source: string;
  readonly hour: number;
  readonly ingested: number;
}

// oxlint-disable-next-line typescript/no-explicit-any -- a registry holds detectors of many parameter types
export type Detector = EventDetector<any, any> | StateDetector<any> | WindowDetector<any, any> | AbsenceDetector<any>;

export function defineEventDetector<P, K extends 'key' | 'alias' | 'account'>(detector: EventDetector<P, K>): EventDetector<P, K> {
  return detector;
}
export function defineStateDetector<P>(detector: StateDetector<P>): StateDetector<P> {
  return detector;
}
export function defineWindowDetector<P, K extends SubjectKind>(detector: WindowDetector<P, K>): WindowDetector<P, K> {
  return detector;
}
export function defineAbsenceDetector<P>(detector: AbsenceDetector<P>): AbsenceDetector<P> {
  return detector;
}
