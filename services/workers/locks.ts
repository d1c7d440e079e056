/**
 * Detection of one subject happens one at a time. Advisory locks in stripes, taken in order by one statement: no row is
 * written, no deadlock is possible, and the number of locks is bounded.
 *
 * Shared = "I only ask whether use of this key matters"; exclusive = "I derive this subject's findings". Without the shared
 * lock a use that is stored while another worker derives the key's first deletion finding could be overlooked by both.
 */
import type pg from 'pg';

const STRIPES = 64;
const LOCK_CLASS = 7_254_903;

export interface LockWish {
  readonly exclusiveKeys: readonly number[];
  readonly sharedKeys: readonly number[];
  readonly accounts: readonly number[];
  readonly actors: readonly number[];
  /** Aliases lead to keys that are not known before their timeline is read: take everything. */
  readonly everything: boolean;
}

export async function lockSubjects(client: pg.ClientBase, wish: LockWish): Promise<void> {
  const modes = new Map<number, boolean>();
  const want = (stripe: number, exclusive: boolean): void => void modes.set(stripe, exclusive || modes.get(stripe) === true);
  for (const id of wish.sharedKeys) want(id % STRIPES, false);
  for (const id of wish.exclusiveKeys) want(id % STRIPES, true);
  for (const id of wish.accounts) want(STRIPES + (id % STRIPES), true);
  for (const id of wish.actors) want(2 * STRIPES + (id % STRIPES), true);
  if (wish.everything) for (let stripe = 0; stripe < STRIPES; stripe++) want(stripe, true);
  const stripes = [...modes].toSorted((a, b) => a[0] - b[0]);
  if (stripes.length === 0) return;
  // The CASE is evaluated row by row in the order of the subquery.
  await client.query(
    `SELECT CASE WHEN exclusive THEN pg_advisory_xact_lock($1, stripe) ELSE pg_advisory_xact_lock_shared($1, stripe) END
     FROM unnest($2::int[], $3::boolean[]) AS s(stripe, exclusive)`,
    [LOCK_CLASS, stripes.map(([stripe]) => stripe), stripes.map(([, exclusive]) => exclusive)],
  );
}
