import { type Kysely, sql } from 'kysely';

/**
 * What AWS itself answers about keys, account by account and Region by Region: runs of reading it, the latest answer about each key and
 * alias, grants, and where the answers differ from what events add up to. Grants may also be told by events; whoever tells later stands.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    CREATE TABLE inventory_run (
      id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      account text NOT NULL,
      region text NOT NULL,
      started_at timestamptz NOT NULL,
      finished_at timestamptz,
      attempts integer NOT NULL DEFAULT 1,
      failures integer NOT NULL DEFAULT 0,
      failed_at timestamptz,
      failure text,
      listed integer NOT NULL DEFAULT 0
    )`.execute(db);
  await sql`CREATE INDEX inventory_run_place ON inventory_run (account, region, id)`.execute(db);
  await sql`
    CREATE TABLE inventory_key (
      key_id integer PRIMARY KEY REFERENCES kms_key,
      run_id integer NOT NULL REFERENCES inventory_run,
      as_of timestamptz NOT NULL,
      reading text NOT NULL CHECK (reading IN ('readable', 'partly', 'unreadable', 'gone')),
      reason text,
      unread jsonb NOT NULL DEFAULT '{}',
      facts jsonb NOT NULL DEFAULT '{}',
      last_usage jsonb
    )`.execute(db);
  await sql`CREATE INDEX inventory_key_run ON inventory_key (run_id)`.execute(db);
  await sql`
    CREATE TABLE inventory_alias (
      alias_id integer PRIMARY KEY REFERENCES kms_key,
      target_key_id integer REFERENCES kms_key,
      as_of timestamptz NOT NULL,
      origin text NOT NULL
    )`.execute(db);
  await sql`CREATE INDEX inventory_alias_target ON inventory_alias (target_key_id)`.execute(db);
  await sql`
    CREATE TABLE key_grant (
      key_id integer NOT NULL REFERENCES kms_key,
      grant_id text NOT NULL,
      name text,
      grantee text,
      retiring_principal text,
      operations jsonb NOT NULL,
      constraints jsonb NOT NULL DEFAULT '{}',
      issuing_account text,
      created_at timestamptz,
      as_of timestamptz NOT NULL,
      origin text NOT NULL,
      retired_at timestamptz,
      ended_reason text,
      PRIMARY KEY (key_id, grant_id)
    )`.execute(db);
  await sql`CREATE INDEX key_grant_grantee ON key_grant (grantee) WHERE retired_at IS NULL`.execute(db);
  await sql`
    CREATE TABLE inventory_drift (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      key_id integer NOT NULL REFERENCES kms_key,
      fact text NOT NULL,
      run_id integer NOT NULL REFERENCES inventory_run,
      events_say jsonb NOT NULL,
      inventory_says jsonb NOT NULL,
      first_seen timestamptz NOT NULL,
      due_at timestamptz NOT NULL,
      resolved_at timestamptz
    )`.execute(db);
  await sql`CREATE UNIQUE INDEX inventory_drift_open ON inventory_drift (key_id, fact) WHERE resolved_at IS NULL`.execute(db);

  // Where the owner may not create roles there are none, and the service works as the owner.
  await sql`
    DO $$
    BEGIN
      IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'kmswatch_writer') THEN
        GRANT SELECT, INSERT, UPDATE ON inventory_run, inventory_key, inventory_alias, key_grant TO kmswatch_writer;
        GRANT SELECT, INSERT, UPDATE, DELETE ON inventory_drift TO kmswatch_writer;
      END IF;
      IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'kmswatch_reader') THEN
        GRANT SELECT ON inventory_run, inventory_key, inventory_alias, key_grant, inventory_drift TO kmswatch_reader;
      END IF;
    END $$`.execute(db);
}
