/**
 * A notifier speaks the protocol of one kind of receiver. What is told, to whom and when is decided elsewhere; a notifier only turns
 * one notification into requests and says whether it arrived, and if not, whether trying again is worth it.
 *
 * A notification may be sent more than once (at least once is the promise): notifiers derive every identity that the other side can
 * recognise a repetition by from `idempotencyKey` or `groupKey`, never from the moment of sending.
 */
import type { z } from 'zod';
import type { Clock } from '../core/clock.ts';
import type { Explanation, FindingStatus } from '../core/finding.ts';
import type { Json } from '../core/json.ts';
import type { Severity } from '../core/severity.ts';
import type { Aws } from '../platform/aws.ts';
import type { Logger } from '../platform/logger.ts';
import type { Outbound } from '../platform/outbound.ts';

/** Why something is told now. */
export const NOTIFICATION_REASONS = ['new-group', 'new-alerts', 'escalated', 'repeat', 'resolved', 'flood', 'test'] as const;

export type NotificationReason = (typeof NOTIFICATION_REASONS)[number];

/** Most alerts that one notification carries; the others are only counted. */
export const ALERT_LIMIT = 50;

/** A finding as it is told. All texts come from records and are hostile. Times are epoch milliseconds. */
export interface AlertView {
  readonly findingId: string;
  readonly detector: string;
  /** Family of the detector: `deletion`, `exposure`, … */
  readonly family: string;
  readonly severity: Severity;
  readonly status: FindingStatus;
  readonly title: string;
  readonly explanation: Explanation;
  readonly keyArn: string | null;
  /** First alias or id of the key. */
  readonly keyName: string | null;
  readonly actor: string | null;
  readonly account: string;
  readonly region: string;
  readonly firstSeen: number;
  readonly lastSeen: number;
  readonly resolvedAt: number | null;
  readonly occurrences: number;
  /** Where the finding can be looked at; null when the service does not know its own address. */
  readonly url: string | null;
  readonly runbookUrl: string | null;
}

/** One telling of one alert group to one receiver. */
export interface Notification {
  /** The same whenever this notification is sent again. */
  readonly idempotencyKey: string;
  /** Name of the receiver. */
  readonly receiver: string;
  /** The same for all notifications about one group; the case that people see. */
  readonly groupKey: string;
  /** What the alerts of the group have in common, as in `{account, key, family}`. */
  readonly groupLabels: Readonly<Record<string, string>>;
  /** `resolved` when no alert of the group fires any more. */
  readonly status: 'firing' | 'resolved';
  readonly reason: NotificationReason;
  /** Most severe first, at most `ALERT_LIMIT`. */
  readonly alerts: readonly AlertView[];
  /** Alerts of the group that are not among `alerts`. */
  readonly truncated: number;
  /** Of all alerts of the group, those in `alerts` and the others. */
  readonly counts: Readonly<Record<Severity, number>>;
  /** When it was decided, epoch milliseconds. */
  readonly at: number;
}

/** Why a notification did not arrive. `gone`: the receiver wants no more (410); whoever sends should stop until the configuration changes. */
export const DELIVERY_FAILURES = [
  'paced',
  'rate-limited',
  'timeout',
  'unreachable',
  'address-refused',
  'redirected',
  'unauthorized',
  'rejected',
  'server-error',
  'too-large',
  'gone',
  'partial',
  'misconfigured',
  'stopped',
  'internal',
] as const;

export type DeliveryFailure = (typeof DELIVERY_FAILURES)[number];

export interface NotDelivered {
  readonly ok: false;
  /** What exactly, as in `http-503` or `ECONNREFUSED`: a word for logs, free of secrets and of anything that the other side wrote. */
  readonly code: string;
  readonly reason: DeliveryFailure;
  readonly retryable: boolean;
  /** Least time to wait, when the other side or the receiver's pace asks for one. */
  readonly retryAfterMs?: number;
  /** As with success; a notification of which a part arrived remembers that part. */
  readonly memory?: Json;
}

/** `memory` is kept by receiver and group and handed to the next sending; left out = as it was. */
export type Delivery = { readonly ok: true; readonly memory?: Json } | NotDelivered;

export interface NotifyContext {
  readonly http: Outbound;
  readonly clock: Clock;
  readonly aws: Aws;
  readonly logger: Logger;
  /** Of ourselves. */
  readonly version: string;
  readonly signal: AbortSignal;
  /** What the last sending to this receiver about this group left; null at first. */
  readonly memory: Json;
}

export interface Notifier<S> {
  /** Its key in the configuration of a receiver. */
  readonly kind: string;
  /** Settings as they are written; secrets come out of it as `SecretValue`. */
  readonly settings: z.ZodType<S>;
  /** Least time between two sendings to one receiver, milliseconds; 0 = none. */
  readonly paceMs: number;
  /** For receivers that forget: what was told must be told again after this time while it is true, milliseconds. */
  resendAfterMs?(settings: S): number;
  /** Never throws for what the other side does. */
  send(notification: Notification, settings: S, context: NotifyContext): Promise<Delivery>;
}
