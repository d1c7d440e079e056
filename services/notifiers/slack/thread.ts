/** One thread a case: its first message shows how things stand now, its replies what happened. */
import type { Json } from '../../core/json.ts';
import type { Delivery, NotDelivered, Notification, NotifyContext } from '../contract.ts';
import { callSlack, type SlackPlace } from './api.ts';
import { caseMessage, reply } from './message.ts';

/** What is remembered of a case's thread; a type, so that it is plain JSON. */
type Thread = {
  readonly channel: string;
  /** Of the first message. */
  readonly ts: string;
  /** Notification that began the thread, and the last one that was told in it. */
  readonly opened: string;
  readonly told: string;
};

/** The first message cannot be changed any more: deleted, or too old for the workspace's rules. */
const LOST = new Set(['message_not_found', 'cant_update_message', 'edit_window_closed']);

export async function tellThread(
  notification: Notification,
  channel: string,
  place: SlackPlace,
  context: NotifyContext,
): Promise<Delivery> {
  const { idempotencyKey: key, reason } = notification;
  const thread = threadOf(context.memory);
  // A group that fires anew after it was resolved is another case.
  if (!thread || (reason === 'new-group' && thread.opened !== key)) return await open(notification, channel, place, context);
  const updated = await callSlack(place, 'chat.update', caseMessage(notification, { channel: thread.channel, ts: thread.ts }), context);
  if (!updated.ok && LOST.has(updated.code)) return await open(notification, channel, place, context);
  if (!updated.ok) return updated;
  if (thread.told === key) return { ok: true };
  const envelope = {
    channel: thread.channel,
    thread_ts: thread.ts,
    // Who does not follow the thread should hear that it is still, or again, theirs to look at.
    reply_broadcast: reason === 'escalated' || reason === 'repeat',
  };
  const replied = await callSlack(place, 'chat.postMessage', reply(notification, envelope), context);
  return replied.ok ? { ok: true, memory: { ...thread, told: key } } : replied;
}

async function open(
  notification: Notification,
  channel: string,
  place: SlackPlace,
  context: NotifyContext,
): Promise<Delivery | NotDelivered> {
  const { idempotencyKey: key } = notification;
  const posted = await callSlack(place, 'chat.postMessage', caseMessage(notification, { channel }), context);
  if (!posted.ok) return posted;
  return { ok: true, memory: { channel: posted.channel, ts: posted.ts, opened: key, told: key } satisfies Thread };
}

function threadOf(memory: Json): Thread | null {
  if (typeof memory !== 'object' || memory === null || Array.isArray(memory)) return null;
  const { channel, ts, opened, told } = memory as Readonly<Record<string, Json | undefined>>;
  if (typeof channel !== 'string' || typeof ts !== 'string' || typeof opened !== 'string' || typeof told !== 'string') return null;
  return { channel, ts, opened, told };
}
