/** What is remembered of the mails about one group, so that they stand in one thread and nobody gets one twice. */
import type { Json } from '../../core/json.ts';
import type { Notification } from '../contract.ts';
import { shortHash } from '../hash.ts';

/** A type, so that it is plain JSON. */
export type MailThread = {
  /** Message-ID of the first mail. */
  readonly root: string;
  /** The last notification, and who has got it. */
  readonly key: string;
  readonly accepted: readonly string[];
};

export interface MailPlace {
  readonly messageId: string;
  /** Of the thread's first mail; null for that mail itself. */
  readonly root: string | null;
  readonly accepted: readonly string[];
}

/** @param domain of the sender's address */
export function placeInThread({ idempotencyKey, reason }: Notification, domain: string, memory: Json): MailPlace {
  const messageId = `<kmswatch.${shortHash(idempotencyKey)}@${domain}>`;
  const thread = threadOf(memory);
  const isKnown = thread !== null && (reason !== 'new-group' || thread.key === idempotencyKey);
  const accepted = thread?.key === idempotencyKey ? thread.accepted : [];
  return { messageId, root: isKnown && thread.root !== messageId ? thread.root : null, accepted };
}

function threadOf(memory: Json): MailThread | null {
  if (typeof memory !== 'object' || memory === null || Array.isArray(memory)) return null;
  const { root, key, accepted } = memory as Readonly<Record<string, Json | undefined>>;
  if (typeof root !== 'string' || typeof key !== 'string' || !Array.isArray(accepted)) return null;
  return { root, key, accepted: (accepted as readonly Json[]).filter((address) => typeof address === 'string') };
}
