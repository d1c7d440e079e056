import { type Kysely, sql } from 'kysely';

/** Who may call the API, and what was changed through it. Tokens are stored hashed; the audit log is only ever added to. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    CREATE TABLE api_token (
      id text PRIMARY KEY,
      name text NOT NULL,
      scope text NOT NULL CHECK (scope IN ('viewer', 'responder', 'admin')),
      secret_sha256 bytea NOT NULL,
      created_at timestamptz NOT NULL,
      created_by text NOT NULL,
      expires_at timestamptz,
      revoked_at timestamptz,
      last_used_at timestamptz
    )`.execute(db);
  await sql`
    CREATE TABLE audit_log (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      at timestamptz NOT NULL,
      principal text NOT NULL,
      scope text NOT NULL,
      action text NOT NULL,
      target text,
      detail jsonb NOT NULL DEFAULT '{}'
    )`.execute(db);
  // Pages of the list of findings, whatever is filtered: in the order in which they are shown.
  await sql`
    CREATE INDEX finding_urgency ON finding (
      (CASE status WHEN 'open' THEN 0 WHEN 'acknowledged' THEN 0 WHEN 'resolved' THEN 1 ELSE 2 END),
      (coalesce(array_position(ARRAY['critical', 'high', 'medium', 'low', 'info'], severity), 9)),
      last_seen DESC, id)`.execute(db);
  await sql`
    DO $$
    BEGIN
      IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'kmswatch_writer') THEN
        GRANT SELECT, INSERT, UPDATE ON api_token TO kmswatch_writer;
        GRANT SELECT, INSERT ON audit_log TO kmswatch_writer;
      END IF;
      IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'kmswatch_reader') THEN
        GRANT SELECT (id, name, scope, created_at, created_by, expires_at, revoked_at, last_used_at) ON api_token TO kmswatch_reader;
        GRANT SELECT ON audit_log TO kmswatch_reader;
      END IF;
    END $$`.execute(db);
}
