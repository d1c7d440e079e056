import { type Kysely, sql } from 'kysely';

/**
 * Alerts: findings grouped by route and receiver. `finding_change` is the signal that a finding changed, written with the change itself;
 * grouping takes it away again and keeps in `alert` which finding belongs to which group and what was told of it. `notification` becomes
 * the outbox of tellings of groups; what was pending in the old one, a row a finding, goes on as signals.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    CREATE TABLE finding_change (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      finding_id text NOT NULL,
      change text NOT NULL,
      committed_at timestamptz NOT NULL
    )`.execute(db);
  await sql`
    INSERT INTO finding_change (finding_id, change, committed_at)
    SELECT finding_id, change, created_at FROM notification WHERE state = 'pending' ORDER BY id`.execute(db);
  await sql`DROP TABLE notification`.execute(db);

  await sql`
    CREATE TABLE alert_group (
      id text PRIMARY KEY,
      group_key text NOT NULL,
      route text NOT NULL,
      receiver text NOT NULL,
      labels jsonb NOT NULL,
      state jsonb NOT NULL DEFAULT '{}',
      sequence integer NOT NULL DEFAULT 0,
      memory jsonb,
      wake_at timestamptz
    ) WITH (fillfactor = 80)`.execute(db);
  await sql`CREATE INDEX alert_group_wake ON alert_group (wake_at) WHERE wake_at IS NOT NULL`.execute(db);
  await sql`
    CREATE TABLE alert (
      group_id text NOT NULL REFERENCES alert_group,
      finding_id text NOT NULL,
      labels jsonb NOT NULL,
      severity_rank smallint NOT NULL,
      standing text NOT NULL CHECK (standing IN ('open', 'acknowledged', 'resolved', 'suppressed')),
      view jsonb NOT NULL,
      since timestamptz NOT NULL,
      committed_at timestamptz NOT NULL,
      told text CHECK (told IN ('firing', 'resolved')),
      told_rank smallint,
      told_sequence integer,
      PRIMARY KEY (group_id, finding_id)
    ) WITH (fillfactor = 80)`.execute(db);
  await sql`CREATE INDEX alert_finding ON alert (finding_id)`.execute(db);
  await sql`
    CREATE TABLE notification (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      idempotency_key text NOT NULL UNIQUE,
      group_id text NOT NULL REFERENCES alert_group,
      receiver text NOT NULL,
      reason text NOT NULL,
      sequence integer NOT NULL,
      payload jsonb NOT NULL,
      state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'failed', 'superseded')),
      attempts integer NOT NULL DEFAULT 0,
      created_at timestamptz NOT NULL,
      committed_at timestamptz,
      next_attempt_at timestamptz NOT NULL,
      claimed_by uuid,
      claimed_until timestamptz,
      last_error text,
      settled_at timestamptz
    ) WITH (fillfactor = 80)`.execute(db);
  await sql`CREATE INDEX notification_pending ON notification (receiver, next_attempt_at) WHERE state = 'pending'`.execute(db);
  await sql`CREATE INDEX notification_group ON notification (group_id, id)`.execute(db);
  await sql`CREATE INDEX notification_settled ON notification (settled_at) WHERE settled_at IS NOT NULL`.execute(db);
  await sql`
    CREATE TABLE silence (
      id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      matchers jsonb NOT NULL,
      author text NOT NULL,
      comment text NOT NULL,
      created_at timestamptz NOT NULL,
      starts_at timestamptz NOT NULL,
      ends_at timestamptz NOT NULL
    )`.execute(db);
  await sql`CREATE INDEX silence_end ON silence (ends_at)`.execute(db);

  // Where the owner may not create roles there are none, and the service works as the owner.
  await sql`
    DO $$
    BEGIN
      IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'kmswatch_writer') THEN
        GRANT SELECT, INSERT, DELETE ON finding_change TO kmswatch_writer;
        GRANT SELECT, INSERT, UPDATE, DELETE ON alert, notification TO kmswatch_writer;
        GRANT SELECT, INSERT, UPDATE ON alert_group, silence TO kmswatch_writer;
      END IF;
      IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'kmswatch_reader') THEN
        GRANT SELECT ON finding_change, alert_group, alert, notification, silence TO kmswatch_reader;
      END IF;
    END $$`.execute(db);
}
