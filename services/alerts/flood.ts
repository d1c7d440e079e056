/**
 * People read a few messages a minute. When more groups of one receiver are due than it takes, they are told together in one digest,
 * and from then on once a minute, until a minute brings few enough again.
 */
import { MINUTE } from '../core/clock.ts';

export interface FloodState {
  /** Notifications that may still be sent at once; grows with time up to the rate. */
  readonly tokens: number;
  readonly at: number;
  /** Since when it floods; null = it does not. */
  readonly since: number | null;
  readonly digestAt: number | null;
}

export interface FloodDecision {
  /** `each`: a notification a group; `digest`: one for all; `hold`: none before `until`. */
  readonly how: 'each' | 'digest' | 'hold';
  readonly until: number | null;
  readonly state: FloodState;
}

export const DIGEST_EVERY_MS: number = MINUTE;

/**
 * @param due groups that want to be told now, at least one
 * @param perMinute null = as many as there are
 * @param isUndelivered the last digest has not arrived yet
 */
export function meter(
  before: FloodState | null,
  due: number,
  { perMinute, now, isUndelivered }: { perMinute: number | null; now: number; isUndelivered: boolean },
): FloodDecision {
  const state: FloodState = before ?? { tokens: perMinute ?? 0, at: now, since: null, digestAt: null };
  if (perMinute === null) return { how: 'each', until: null, state };
  const tokens = Math.min(perMinute, state.tokens + (Math.max(0, now - state.at) / MINUTE) * perMinute);
  const nextDigest = Math.max((state.digestAt ?? 0) + DIGEST_EVERY_MS, isUndelivered ? now + DIGEST_EVERY_MS / 6 : 0);
  if (state.since !== null && now < nextDigest) return { how: 'hold', until: nextDigest, state: { ...state, tokens, at: now } };
  if (due <= Math.floor(tokens)) return { how: 'each', until: null, state: { tokens: tokens - due, at: now, since: null, digestAt: null } };
  return { how: 'digest', until: null, state: { tokens, at: now, since: state.since ?? now, digestAt: now } };
}
