import { type Kysely, sql } from 'kysely';

/**
 * What people say of findings. A suppression states that findings are expected: by whom, why and until when. A dismissal is a person's
 * "resolved": it holds until the finding is seen again, later than `dismissed_seen`.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    CREATE TABLE suppression (
      id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      detector text,
      key_arn text,
      actor text,
      account text,
      tag_key text,
      tag_value text,
      reason text NOT NULL,
      author text NOT NULL,
      created_at timestamptz NOT NULL,
      ends_at timestamptz NOT NULL,
      ended_at timestamptz,
      ended_by text,
      CHECK (coalesce(detector, key_arn, actor, account, tag_key) IS NOT NULL),
      CHECK ((tag_key IS NULL) = (tag_value IS NULL))
    )`.execute(db);
  await sql`
    ALTER TABLE finding
      ADD COLUMN suppression_id integer REFERENCES suppression,
      ADD COLUMN assignee text,
      ADD COLUMN dismissed_seen timestamptz`.execute(db);
  await sql`CREATE INDEX finding_suppression ON finding (suppression_id) WHERE suppression_id IS NOT NULL`.execute(db);
  await sql`
    DO $$
    BEGIN
      IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'kmswatch_writer') THEN
        GRANT SELECT, INSERT, UPDATE ON suppression TO kmswatch_writer;
      END IF;
      IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'kmswatch_reader') THEN
        GRANT SELECT ON suppression TO kmswatch_reader;
      END IF;
    END $$`.execute(db);
}
