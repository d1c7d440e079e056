import type { JsonObject } from '../../core/json.ts';
import type { WhoMay } from '../../keys/who-may.ts';

/** Who may use a key, as `kmswatch key --json` and the API show it. */
export function keyAccessJson({ permitted, accountDecides, unknown }: WhoMay): JsonObject {
  return {
    permitted: permitted.map(({ principal, account, through, operations, limited, grants, services }) => ({
      principal,
      account,
      through: [...through],
      operations: [...operations],
      limited,
      grants,
      services: [...services],
    })),
    account_decides: accountDecides,
    unknown: [...unknown],
  };
}
