/** A receiver ready to be told: settings, pace and notifier in one. */
import type { Clock } from '../core/clock.ts';
import type { Json } from '../core/json.ts';
import type { Delivery, Notification, Notifier, NotifyContext } from './contract.ts';
import { NOTIFIERS, type ReceiverConfig } from './registry.ts';
import { secretsIn } from './secret-value.ts';

export interface Receiver {
  readonly name: string;
  readonly kind: string;
  /** Least time between two deliveries, milliseconds. */
  readonly paceMs: number;
  /** What was told must be told again after this time while it is true, milliseconds; null = no. */
  readonly resendAfterMs: number | null;
  /**
   * Tells it, unless its pace forbids it (`paced`, with the time to wait), or it wants no more (`gone`, until the process starts anew).
   * Never throws.
   */
  deliver(notification: Notification, options: DeliverOptions): Promise<Delivery>;
}

export interface DeliverOptions {
  readonly signal: AbortSignal;
  /** What the last delivery to this receiver about this group left. */
  readonly memory: Json;
}

export type ReceiverTools = Omit<NotifyContext, 'signal' | 'memory'>;

/** @throws TypeError for what `receiverSchema` would have refused: settings of no kind */
export function createReceiver(config: ReceiverConfig, tools: ReceiverTools): Receiver {
  const { name } = config;
  const settingsOf = new Map<string, unknown>(Object.entries(config));
  const notifier = (NOTIFIERS as readonly Notifier<unknown>[]).find(({ kind }) => settingsOf.get(kind) !== undefined);
  if (!notifier) throw new TypeError(`receiver ${name} is of no kind`);
  const { kind, paceMs } = notifier;
  const send = notifier.send.bind(notifier);
  const settings = settingsOf.get(kind) as object;
  const pace = createPace(tools.clock);
  let isGone = false;

  async function deliver(notification: Notification, { signal, memory }: DeliverOptions): Promise<Delivery> {
    if (isGone) return { ok: false, code: 'gone', reason: 'gone', retryable: false };
    const wait = pace.take(paceMs);
    if (wait > 0) return { ok: false, code: 'paced', reason: 'paced', retryable: true, retryAfterMs: wait };
    try {
      const delivery = await send(notification, settings, { ...tools, signal, memory });
      if (!delivery.ok && delivery.retryAfterMs !== undefined) pace.hold(delivery.retryAfterMs);
      if (!delivery.ok && delivery.reason === 'gone') {
        isGone = true;
        tools.logger.warn({ receiver: name, kind }, 'the receiver says that it is gone for good, and is told no more');
      }
      return delivery;
    } catch (error) {
      tools.logger.error({ receiver: name, kind, error: withoutSecrets(error, secretsIn(settings)) }, 'a notifier failed');
      return { ok: false, code: 'notifier-failed', reason: 'internal', retryable: true };
    }
  }

  return { name, kind, paceMs, resendAfterMs: notifier.resendAfterMs?.(settings) ?? null, deliver };
}

interface Pace {
  /** Milliseconds to wait; 0 = now, and the next one not before `paceMs`. */
  take(paceMs: number): number;
  /** Nothing for so long, because the other side says so. */
  hold(ms: number): void;
}

/** Of one receiver in this process; where several processes send to it, the other side's 429 holds each of them. */
function createPace(clock: Clock): Pace {
  let from = 0;
  let held = 0;
  return {
    take(paceMs) {
      const now = clock.now();
      // A clock that was put back must not stop a receiver for long.
      const wait = Math.min(from - now, Math.max(paceMs, held));
      if (wait > 0) return wait;
      from = now + paceMs;
      held = 0;
      return 0;
    },
    hold(ms) {
      held = ms;
      from = Math.max(from, clock.now() + ms);
    },
  };
}

/** An error's own words with what is secret in the settings taken out; for the log. */
function withoutSecrets(error: unknown, secrets: readonly string[]): string {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return secrets.filter((secret) => secret.length > 3).reduce((scrubbed, secret) => scrubbed.replaceAll(secret, '[secret]'), text);
}
