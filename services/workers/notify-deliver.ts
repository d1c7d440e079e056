/**
 * The deliver step: what the outbox holds for a receiver is claimed, sent without any transaction being open, and noted. A process that
 * dies while it sends leaves a claim that runs out; the notification is sent again, under the same idempotency key: at least once.
 */
import { randomUUID } from 'node:crypto';
import { backoffMs } from '../alerts/backoff.ts';
import type { Delivery, Notification, NotDelivered } from '../notifiers/contract.ts';
import { sleep } from '../platform/clock.ts';
import { claim, type ClaimedNotification, keepClaim, type Outcome, settle } from '../store/notifications.ts';
import { inTransaction } from '../store/transaction.ts';
import type { Deps } from './deps.ts';
import type { Receiver } from './notify-alerting.ts';

/** Notifications that are on their way to one receiver at a time. */
const AT_A_TIME = 8;
/** Also a bound for notifications that take the process down with them. */
const MOST_ATTEMPTS = 1_000;
const UNTRIED_MS = 1_000;

/** Sends what is due to a receiver until nothing is. @returns how many were tried */
export async function deliverDue(deps: Deps, receiver: Receiver, signal: AbortSignal): Promise<number> {
  let tried = 0;
  const limit = receiver.paceMs > 0 ? 1 : AT_A_TIME;
  while (!signal.aborted) {
    const by = randomUUID();
    const claimed = await claim(deps.pool, { receiver: receiver.name, by, now: deps.clock.now(), leaseMs: deps.alerting.leaseMs, limit });
    if (claimed.length === 0) return tried;
    tried += claimed.length;
    await Promise.all(claimed.map((each) => deliver(deps, receiver, { claimed: each, by, signal })));
    if (receiver.paceMs > 0) await sleep(receiver.paceMs, signal);
  }
  return tried;
}

/** The same for all receivers. */
export async function deliverAll(deps: Deps, signal: AbortSignal = new AbortController().signal): Promise<void> {
  await Promise.all([...deps.alerting.receivers.values()].map((receiver) => deliverDue(deps, receiver, signal)));
}

interface InHand {
  readonly claimed: ClaimedNotification;
  readonly by: string;
  readonly signal: AbortSignal;
}

async function deliver(deps: Deps, receiver: Receiver, { claimed, by, signal }: InHand): Promise<void> {
  const done = new AbortController();
  const keeping = keepWhile(deps, { claimed, by, signal: done.signal });
  let delivery: Delivery;
  try {
    const notification = claimed.payload as unknown as Notification;
    delivery = await receiver.send(notification, { signal, memory: claimed.memory });
  } catch (err) {
    // The contract says that it does not throw: a bug of the notifier's, which another notification need not have.
    delivery = { ok: false, code: err instanceof Error ? err.name : 'unknown', reason: 'internal', retryable: true };
  } finally {
    done.abort();
    await keeping;
  }
  const at = deps.clock.now();
  const outcome = outcomeOf(deps, claimed, { delivery, at });
  const isOurs = await inTransaction(deps.pool, (client) => settle(client, claimed, by, outcome));
  if (isOurs) deps.telemetry.notified({ claimed, outcome });
}

/** Renews the claim until the signal aborts. What is lost meanwhile is noticed when the outcome is noted. */
async function keepWhile(deps: Deps, { claimed, by, signal }: InHand): Promise<void> {
  const { leaseMs } = deps.alerting;
  for (;;) {
    await sleep(leaseMs / 3, signal);
    if (signal.aborted) return;
    await keepClaim(deps.pool, claimed.id, { by, until: deps.clock.now() + leaseMs }).catch(() => false);
  }
}

function outcomeOf(
  { alerting }: Deps,
  claimed: ClaimedNotification,
  { delivery, at }: { readonly delivery: Delivery; readonly at: number },
): Outcome {
  const memory = delivery.memory === undefined ? {} : { memory: delivery.memory };
  const settled = { at, nextAttemptAt: at, isUntried: false, ...memory };
  if (delivery.ok) return { ...settled, state: 'delivered', error: null };
  const error = errorOf(delivery);
  if (delivery.reason === 'paced' || delivery.reason === 'stopped') {
    const wait = Math.max(1, delivery.retryAfterMs ?? UNTRIED_MS);
    return { ...settled, state: 'pending', error, isUntried: true, nextAttemptAt: delivery.reason === 'stopped' ? at : at + wait };
  }
  const isTooOld = at - claimed.createdAt >= alerting.giveUpAfterMs || claimed.attempts >= MOST_ATTEMPTS;
  if (!delivery.retryable || isTooOld) return { ...settled, state: 'failed', error };
  const wait = backoffMs(claimed.idempotencyKey, claimed.attempts, delivery.retryAfterMs);
  return { ...settled, state: 'pending', error, nextAttemptAt: at + wait };
}

/** Of the closed list, with the notifier's word for it: `unreachable: ECONNREFUSED`. */
function errorOf({ reason, code }: NotDelivered): string {
  return `${reason}: ${code.replace(/[^\w.:-]/g, '').slice(0, 60)}`;
}
