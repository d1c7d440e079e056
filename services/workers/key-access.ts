/** Who may use a key, by all that is stored: its policy, grants that events tell of, and those that KMS listed. */
import type pg from 'pg';
import type { KeyFacts } from '../core/key.ts';
import { grantsOf, withListed } from '../keys/grants.ts';
import { type WhoMay, whoMay } from '../keys/who-may.ts';
import { readListedGrants } from '../store/key-grants.ts';
import { controlEventsOfKeys, grantEventsOfKey } from '../store/timeline.ts';
import type { Deps } from './deps.ts';

/** Grant events of AWS services that are read of one key: a volume or a backup makes one, and there is no end of them. */
const GRANT_EVENTS_LIMIT = 5_000;

export async function keyAccess(
  { pool, names }: Pick<Deps, 'names'> & { readonly pool: pg.Pool },
  { id, arn, facts }: { readonly id: number; readonly arn: string; readonly facts: KeyFacts },
): Promise<WhoMay> {
  const client = await pool.connect();
  try {
    const direct = await controlEventsOfKeys(client, [id], names);
    const byServices = await grantEventsOfKey(client, id, { limit: GRANT_EVENTS_LIMIT, names });
    const told = grantsOf(
      [...direct, ...byServices].map(({ event }) => event),
      arn,
    );
    const who = whoMay(facts, withListed(told, await readListedGrants(client, id)).values(), arn);
    if (byServices.length < GRANT_EVENTS_LIMIT) return who;
    return { ...who, unknown: [...who.unknown, `Only the latest ${GRANT_EVENTS_LIMIT} records of grants by AWS services were looked at.`] };
  } finally {
    client.release();
  }
}
