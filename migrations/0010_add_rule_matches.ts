import { type Kysely, sql } from 'kysely';

/** Which records the user's own rules matched, counted: by rule, account, Region, caller, key (0 = none) and operation. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    CREATE TABLE rule_match (
      rule uuid NOT NULL,
      account_id integer NOT NULL,
      region_id integer NOT NULL,
      actor_id integer NOT NULL,
      key_id integer NOT NULL,
      operation_id integer NOT NULL,
      count bigint NOT NULL,
      first_at timestamptz NOT NULL,
      first_event uuid NOT NULL,
      last_at timestamptz NOT NULL,
      last_event uuid NOT NULL,
      PRIMARY KEY (account_id, rule, region_id, actor_id, key_id, operation_id)
    ) WITH (fillfactor = 80)`.execute(db);
  await sql`
    DO $$
    BEGIN
      IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'kmswatch_writer') THEN
        GRANT SELECT, INSERT, UPDATE ON rule_match TO kmswatch_writer;
      END IF;
      IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'kmswatch_reader') THEN
        GRANT SELECT ON rule_match TO kmswatch_reader;
      END IF;
    END $$`.execute(db);
}
