import type { JsonObject } from '../../core/json.ts';
import type { KeyUser } from '../../store/read/keys.ts';
import { iso } from '../text/words.ts';

/** Who called a key, as `kmswatch key --json` and the API show it. */
export function keyUserJson(user: KeyUser): JsonObject {
  return {
    actor: user.principal,
    type: user.type,
    name: user.name,
    uses: user.uses,
    other_calls: user.others,
    denied: user.denied,
    failed: user.failed,
    first_at: iso(user.firstAt),
    last_at: iso(user.lastAt),
  };
}
