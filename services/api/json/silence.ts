import { matcherText } from '../../alerts/matcher.ts';
import { silenceState } from '../../alerts/silence.ts';
import type { JsonObject } from '../../core/json.ts';
import type { StoredSilence } from '../../store/silences.ts';
import { iso } from '../text/words.ts';

/** A silence, as `kmswatch silence list --json` and the API show it; its state is that of the moment given. */
export function silenceJson(silence: StoredSilence, now: number): JsonObject {
  const { id, matchers, author, comment, createdAt, startsAt, endsAt } = silence;
  return {
    id,
    state: silenceState(silence, now),
    matchers: matchers.map(matcherText),
    author,
    comment,
    created_at: iso(createdAt),
    starts_at: iso(startsAt),
    ends_at: iso(endsAt),
  };
}
