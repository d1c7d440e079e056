/**
 * The detector contract. A detector is one file, pure, without clock or I/O: the engine loads *subjects* (a key, an
 * alias, an account, an actor with everything stored about them that detectors may ask) in a constant number of
 * queries and hands them over.
 *
 * Detection is a projection: the findings of a subject are a function of the facts stored about it and of `asOf`.
 * Whenever a batch touches a subject, its findings are derived anew and replaced. So late, duplicated or reordered
 * records cannot leave another result behind than the same records in order.
 *
 * One file, because it is one contract: what subjects tell and what the kinds of detectors promise only make sense together.
 */
import type { z } from 'zod';
import type { About } from '../core/about.ts';
import type { KeyFacts, KeyStateName, RotationEligibility } from '../core/key.ts';
import type { Actor, Outcome, StoredEvent } from '../core/event.ts';
import type { OperationClass } from '../core/operations.ts';
import type { Explanation } from '../core/finding.ts';
import type { Habit } from '../core/habit.ts';
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

/** Successful cryptographic calls of one caller under one key on one day; of all its successful calls where it is told of callers. */
export interface DailyVolume {
  readonly actor: Actor;
  /** Days since 1970. */
  readonly day: number;
  /** 24 counts, by hour of the day (UTC). */
  readonly hours: readonly number[];
  /** Bits that encryption contexts have set in the sketch, see `core/habit.ts`. */
  readonly bits: number;
  /** Of the day. */
  readonly firstEventId: string;
  readonly lastEventId: string;
}

/** How many keys a caller used (`use`), or read of (`read`), on one day. */
export interface DailySpread {
  readonly day: number;
  readonly operationClass: OperationClass;
  readonly count: number;
  /** Keys for the first time on record. */
  readonly fresh: number;
  /** ARNs and first events of the first ten, in order. */
  readonly keys: readonly string[];
  readonly evidence: readonly string[];
  /** When the first and the last key of the day was reached. */
  readonly firstAt: number;
  readonly lastAt: number;
}

/** From which network an access key was used, within one hour. */
export interface SessionPlace {
  readonly accessKey: string;
  readonly network: string;
  /** Hours since 1970. */
  readonly hour: number;
  readonly firstAt: number;
  readonly firstEventId: string;
  readonly lastAt: number;
  readonly lastEventId: string;
}

/** An hour of an account × Region in which KMS throttled calls. */
export interface ThrottledHour {
  readonly region: string;
  /** Epoch milliseconds of the hour's begin. */
  readonly hour: number;
  /** All calls that were recorded, throttled ones included. */
  readonly calls: number;
  readonly throttled: number;
  readonly firstAt: number;
  readonly firstEventId: string;
  readonly lastAt: number;
  readonly lastEventId: string;
  /** Who was throttled most, at most five, with the operation. */
  readonly callers: readonly { readonly actor: Actor; readonly operation: string; readonly count: number }[];
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
  /** How successful calls were made that named the key itself, in order of their first events; AWS services' own included. */
  readonly habits?: readonly Habit[];
  /** In order of actor and day; without AWS services acting for themselves. */
  readonly volumes?: readonly DailyVolume[];
  /** Days since 1970 on which any cryptographic call of the key's account and Region is on record; only told of keys with a pause. */
  readonly watched?: readonly number[];
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

/** Control events of an account that concern no key: trails (those that name their key too), selectors, key stores, other services. */
export interface AccountSubject {
  readonly kind: 'account';
  readonly account: string;
  readonly timeline: readonly StoredEvent[];
  /** Conflicting tellings of one event. */
  readonly conflicts: readonly { readonly eventId: string; readonly region: string; readonly at: number; readonly tellings: number }[];
  /** In order of Region and hour. */
  readonly throttled?: readonly ThrottledHour[];
  /** What the user's own rules matched; left out where none is loaded. */
  readonly ruleMatches?: readonly RuleMatch[];
  /** What validation found wrong with the account's trails, in order of time; left out where nothing was. */
  readonly integrity?: readonly IntegrityVerdict[];
  /**
   * Calls that may let others use the account's keys, within 7 days of a snapshot that the account shared; left out where it
   * shared none. See `core/key-opening.ts`.
   */
  readonly openings?: readonly StoredEvent[];
}

/** What validation found wrong with the files of a trail. */
export interface IntegrityVerdict {
  readonly region: string;
  /** Name of the trail; null where none can be told. */
  readonly trail: string | null;
  /** `missing-file`, `changed-file`, `broken-signature`, `missing-digest`, `gap` or `unlisted`. */
  readonly verdict: string;
  readonly bucket: string;
  /** Of the object; for a missing digest the key that it would have. */
  readonly key: string;
  readonly reason: string;
  /** The delivery time that it concerns, epoch milliseconds; the begin is null where that is not told. */
  readonly begin: number | null;
  readonly end: number;
  /** When a later check found it right; null = it is still wrong. */
  readonly resolvedAt: number | null;
}

/** Records that one of the user's rules matched, counted by caller, key and operation. */
export interface RuleMatch {
  readonly rule: string;
  readonly region: string;
  readonly actor: Actor;
  readonly keyArn: string | null;
  readonly operation: string;
  readonly count: number;
  readonly firstAt: number;
  readonly firstEventId: string;
  readonly lastAt: number;
  readonly lastEventId: string;
}

export interface ActorSubject {
  readonly kind: 'actor';
  readonly actor: Actor;
  /** Denied calls by hour, all keys. */
  readonly denied: readonly FailureHour[];
  /** Successful or failed calls by key; `keyArn` null for calls that name none. Only loaded for the root user. */
  readonly uses: readonly (KeyUse & { readonly keyArn: string | null; readonly account: string; readonly region: string })[];
  /** Calls that named no such key, and dry runs, by hour, all keys. */
  readonly probes?: readonly FailureHour[];
  /** How successful calls were made, under any key; without accounts, contexts and materials. None of AWS services. */
  readonly habits?: readonly Habit[];
  /** By day. */
  readonly presence?: readonly DailyVolume[];
  readonly spreads?: readonly DailySpread[];
  /** Of access keys that were used from several networks. */
  readonly sessions?: readonly SessionPlace[];
  /** What the actor took from keys, in event order; left out where it took nothing. See `core/key-harm.ts`. */
  readonly harms?: readonly StoredEvent[];
}

export type Subject = KeySubject | AliasSubject | AccountSubject | ActorSubject;

export interface SubjectOf {
  key: KeySubject;
  alias: AliasSubject;
  account: AccountSubject;
  actor: ActorSubject;
}

/** What the organization has told us about itself (configuration). `organization.ts` asks it; what is left out is not known. */
export interface Organization {
  readonly ownAccounts: ReadonlySet<string>;
  readonly logKeys: ReadonlySet<string>;
  /** Accounts of others that may have access. */
  readonly trustedAccounts?: ReadonlySet<string>;
  /** Ids of AWS Organizations that are ours, `o-…`. */
  readonly organizationIds?: ReadonlySet<string>;
  /** Regions that keys may be in; empty = all. */
  readonly allowedRegions?: ReadonlySet<string>;
  /** Names or ARNs of roles for emergencies. */
  readonly breakGlassRoles?: ReadonlySet<string>;
  /** Names or ARNs of roles that deploy. */
  readonly pipelineRoles?: ReadonlySet<string>;
  readonly logBuckets?: ReadonlySet<string>;
  /** Queues, rules and roles that kmswatch itself lives on, as `resourceId` names them. */
  readonly monitor?: ReadonlySet<string>;
  readonly changeWindows?: readonly ChangeWindow[];
  readonly keys?: readonly KeyKnowledge[];
}

/** A time in which changes are planned: once (`from`, `to`, epoch milliseconds), or every week (minutes of the UTC week from Monday 00:00; may wrap). */
export interface ChangeWindow {
  readonly name: string;
  readonly weekly: boolean;
  readonly from: number;
  readonly to: number;
}

/** What keys matter how much, and to whom: one key by ARN, or all with a tag. */
export interface KeyKnowledge {
  readonly arn: string | null;
  readonly tag: { readonly key: string; readonly value: string } | null;
  readonly criticality: 'critical' | 'high' | 'medium' | 'low' | null;
  readonly owner: string | null;
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
  /** `rule`: rules that the user brings. */
  readonly family: 'rotation' | 'deletion' | 'exposure' | 'access' | 'blinding' | 'rule';
  /** What must arrive for it to be able to fire, as `service:Operation` or `kms:*`; the ingest filter is the union. */
  readonly events: readonly string[];
  /** Which of those can matter, where there are many: by what they are about and what the organization has told. Default: all. */
  concerns?(about: About, organization: Organization): boolean;
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

/** Judges silence: what should have been seen by `asOf` and was not. */
export interface AbsenceDetector<P> extends DetectorBase<P> {
  readonly kind: 'absence';
  readonly subject: 'account';
  evaluate(
    channels: readonly Channel[],
    context: Context<P>,
  ): readonly (Match & { readonly dedupKey: readonly string[]; readonly account: string; readonly region: string })[];
}

/** What one source has shown of one account and Region, as of the moment of judging. Hours by their begin, epoch milliseconds, ascending. */
export interface Channel {
  readonly account: string;
  readonly region: string;
  readonly source: string;
  /** Hours of event time of which it said something: events, a file without any of interest, or that there was nothing. */
  readonly heard: readonly number[];
  /** Hours in which we were reading the source: only in those is it silence when nothing came. */
  readonly listened: readonly number[];
  /** Hours of which something is missing: files that a digest names and nobody saw, or a `gap` that can no longer be filled. */
  readonly missing: readonly { readonly hour: number; readonly files: number; readonly gap: string | null }[];
  /** CloudTrail id of the newest event; null when none is known. */
  readonly lastEventId: string | null;
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
