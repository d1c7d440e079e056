/**
 * How calls are made, as baselines compare them. Stored day by day (`store/habits.ts`) and given to detectors in stretches of time
 * without a long pause (`detectors/habits.ts`), so that a value that was long absent can count as new again.
 */
import type { Actor, EncryptionContext, KmsEvent } from './event.ts';
import type { OperationClass } from './operations.ts';

/** A way in which calls are made. Null = not told, or none. */
export interface CallProfile {
  /** The account whose log tells of the calls; null where calls are told by caller. */
  readonly account: string | null;
  readonly region: string;
  readonly operation: string;
  readonly operationClass: OperationClass;
  readonly callingService: string | null;
  /** See `Network.prefix`. */
  readonly network: string | null;
  readonly userAgent: string | null;
  readonly vpcEndpoint: string | null;
  /** Names in the encryption context, see `EncryptionContext.shape`; null where calls are told by caller. */
  readonly contextShape: string | null;
  readonly material: string | null;
  /** Born in the console. */
  readonly console: boolean;
  readonly mfa: boolean | null;
}

/** Calls of one actor in one way, without a pause of more than `PAUSE_DAYS`; exact first and last events. */
export interface Habit {
  readonly actor: Actor;
  readonly profile: CallProfile;
  readonly count: number;
  /** On so many days (UTC). */
  readonly days: number;
  readonly firstAt: number;
  readonly firstEventId: string;
  readonly lastAt: number;
  readonly lastEventId: string;
}

/** Longer pauses part two stretches: no memory may be shorter than this. */
export const PAUSE_DAYS = 14;

/** Bits of `call_profile.session`. Stored; append only. */
export const SESSION_FLAGS = { console: 1, mfaKnown: 2, mfa: 4 } as const;

export function sessionFlags({ session }: Pick<KmsEvent, 'session'>): number {
  const mfa = session.mfa === null ? 0 : SESSION_FLAGS.mfaKnown | (session.mfa ? SESSION_FLAGS.mfa : 0);
  return mfa | (session.console ? SESSION_FLAGS.console : 0);
}

/** Only what succeeded makes a habit. */
export function formsHabit(event: Pick<KmsEvent, 'service' | 'outcome'>): boolean {
  return event.service === 'kms' && event.outcome === 'ok';
}

/** AWS services acting for themselves, and AWS internally, are no callers with habits of their own. */
export function isCaller(actor: Actor): boolean {
  return actor.type !== 'aws' && actor.type !== 'service';
}

/** Bits of the sketch that tells how many different encryption contexts there were. */
export const SKETCH_BITS = 128;

/**
 * The bit that a context sets in the sketch: FNV-1a over its names and values (http://www.isthe.com/chongo/tech/comp/fnv/), mixed
 * once more because its low bits are weak. Seven bits tell nothing of the values.
 */
export function contextBit({ values }: EncryptionContext): number {
  let hash = 0x811c9dc5;
  for (const [name, value] of Object.entries(values)) hash = fnv(fnv(hash, name), value);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x2c1b3c6d);
  return ((hash ^ (hash >>> 12)) >>> 0) % SKETCH_BITS;
}

function fnv(seed: number, text: string): number {
  let hash = seed;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return Math.imul(hash ^ 0xff, 0x01000193);
}
