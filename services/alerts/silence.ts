/** Silences: while one is active, alerts that all its matchers match are told to nobody. */
import type { Labels } from './labels.ts';
import { createMatcher, type Matcher, type MatcherParts, matchAll } from './matcher.ts';

export interface Silence {
  readonly id: number;
  readonly matchers: readonly MatcherParts[];
  readonly author: string;
  readonly comment: string;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  readonly startsAt: number;
  readonly endsAt: number;
}

export type SilenceState = 'pending' | 'active' | 'expired';

export function silenceState({ startsAt, endsAt }: Pick<Silence, 'startsAt' | 'endsAt'>, now: number): SilenceState {
  if (now >= endsAt) return 'expired';
  return now < startsAt ? 'pending' : 'active';
}

/** @returns until when labels are silenced, as a function of them; null = they are not */
export function mutedUntil(silences: readonly Silence[], now: number): (labels: Labels) => number | null {
  const active = silences
    .filter((silence) => silenceState(silence, now) === 'active')
    .map(({ matchers, endsAt }) => ({ matchers: compiled(matchers), endsAt }));
  return (labels) => {
    let until: number | null = null;
    for (const { matchers, endsAt } of active) if (matchers && matchAll(matchers, labels)) until = Math.max(until ?? 0, endsAt);
    return until;
  };
}

/** A silence with a matcher that cannot be read silences nothing: what is not told is worse than what is told too much. */
function compiled(parts: readonly MatcherParts[]): Matcher[] | null {
  const matchers = parts.map(createMatcher).flatMap((parsed) => (parsed.ok ? [parsed.matcher] : []));
  return matchers.length === parts.length && matchers.length > 0 ? matchers : null;
}
