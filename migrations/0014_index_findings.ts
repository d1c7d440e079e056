import { type Kysely, sql } from 'kysely';

/**
 * For the list of findings by detector, key, actor or account. The first is in the order in which findings are shown, as `finding_urgency`
 * is; of a key, an actor or a rare account there are few, which are sorted.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    CREATE INDEX finding_detector ON finding (
      detector,
      (CASE status WHEN 'open' THEN 0 WHEN 'acknowledged' THEN 0 WHEN 'resolved' THEN 1 ELSE 2 END),
      (coalesce(array_position(ARRAY['critical', 'high', 'medium', 'low', 'info'], severity), 9)),
      last_seen DESC, id)`.execute(db);
  await sql`CREATE INDEX finding_key ON finding (key_arn) WHERE key_arn IS NOT NULL`.execute(db);
  await sql`CREATE INDEX finding_actor ON finding (actor) WHERE actor IS NOT NULL`.execute(db);
  await sql`CREATE INDEX finding_account ON finding (account)`.execute(db);
}
