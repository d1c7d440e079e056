import { type Kysely, sql } from 'kysely';

/**
 * Events and evidence are append-only: the writer role may insert them and nothing else. Strings that repeat are ids into
 * `term`, `kms_key` and `actor`. Rollups are commutative (sums, earliest, latest), so that batches may be stored in any order.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    CREATE TABLE term (
      id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      kind smallint NOT NULL,
      value text NOT NULL,
      UNIQUE (kind, value)
    )`.execute(db);
  await sql`
    CREATE TABLE kms_key (
      id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      arn text NOT NULL UNIQUE,
      kind text NOT NULL CHECK (kind IN ('key', 'alias')),
      account text NOT NULL,
      region text NOT NULL,
      name text NOT NULL,
      facts jsonb NOT NULL DEFAULT '{}',
      state text,
      rotation_standing text,
      protects_logs boolean NOT NULL DEFAULT false,
      use_matters boolean NOT NULL DEFAULT false
    )`.execute(db);
  await sql`CREATE INDEX kms_key_name ON kms_key (name)`.execute(db);
  await sql`
    CREATE TABLE actor (
      id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      principal text NOT NULL UNIQUE,
      type text NOT NULL,
      account text,
      name text NOT NULL
    )`.execute(db);
  await sql`
    CREATE TABLE ingest_batch (
      id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      run_id text NOT NULL,
      source text NOT NULL,
      locator jsonb NOT NULL,
      state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'stored', 'failed')),
      received_at timestamptz NOT NULL,
      attempts integer NOT NULL DEFAULT 0,
      failure text,
      input_sha256 bytea,
      evidence_sha256 bytea,
      records integer NOT NULL DEFAULT 0,
      relevant integer NOT NULL DEFAULT 0,
      inserted integer NOT NULL DEFAULT 0,
      duplicates integer NOT NULL DEFAULT 0,
      conflicts integer NOT NULL DEFAULT 0,
      quarantined integer NOT NULL DEFAULT 0,
      lost_fields integer NOT NULL DEFAULT 0,
      oldest_event timestamptz,
      newest_event timestamptz,
      touched jsonb,
      checkpoint jsonb,
      integrity text NOT NULL DEFAULT 'unverified',
      stored_at timestamptz,
      checked_at timestamptz,
      detected_at timestamptz
    )`.execute(db);
  await sql`CREATE INDEX ingest_batch_run ON ingest_batch (run_id)`.execute(db);
  await sql`CREATE INDEX ingest_batch_pending ON ingest_batch (id) WHERE state = 'pending'`.execute(db);
  await sql`CREATE INDEX ingest_batch_undetected ON ingest_batch (id) WHERE state = 'stored' AND detected_at IS NULL`.execute(db);
  await sql`CREATE TABLE delivery_payload (batch_id integer PRIMARY KEY REFERENCES ingest_batch, bytes bytea NOT NULL)`.execute(db);
  await sql`ALTER TABLE delivery_payload ALTER COLUMN bytes SET STORAGE EXTERNAL`.execute(db);
  await sql`
    CREATE TABLE evidence (
      sha256 bytea PRIMARY KEY,
      records integer NOT NULL,
      raw_bytes integer NOT NULL,
      blob bytea NOT NULL
    )`.execute(db);
  await sql`ALTER TABLE evidence ALTER COLUMN blob SET STORAGE EXTERNAL`.execute(db);
  await sql`
    CREATE TABLE batch_seal (
      sequence bigint PRIMARY KEY,
      batch_id integer NOT NULL UNIQUE REFERENCES ingest_batch,
      content_hash bytea NOT NULL,
      chain_hash bytea NOT NULL,
      sealed_at timestamptz NOT NULL
    )`.execute(db);
  await sql`
    CREATE TABLE event (
      event_time timestamptz NOT NULL,
      event_id uuid NOT NULL,
      essence uuid NOT NULL,
      account_id integer NOT NULL,
      region_id integer NOT NULL,
      batch_id integer NOT NULL,
      ordinal integer NOT NULL,
      operation_id integer NOT NULL,
      actor_id integer NOT NULL,
      flags integer NOT NULL,
      operation_class smallint NOT NULL,
      outcome smallint NOT NULL,
      key_id integer,
      other_key_id integer,
      session_id integer,
      access_key_id integer,
      calling_service_id integer,
      network_id integer,
      user_agent_id integer,
      vpc_endpoint_id integer,
      error_id integer,
      context_id integer,
      material_id integer,
      shared_event_id uuid,
      detail jsonb,
      PRIMARY KEY (event_id, essence, event_time)
    ) PARTITION BY RANGE (event_time)`.execute(db);
  // The essence covers account and Region, so (event id, essence) is the identity with its telling. A key's index entries are mere
  // row pointers, eight bytes an event; together with the block ranges of time they find a key's events of a period.
  await sql`CREATE INDEX event_key ON event (key_id) WHERE key_id IS NOT NULL`.execute(db);
  await sql`CREATE INDEX event_time_ranges ON event USING brin (event_time)`.execute(db);
  await sql`CREATE INDEX event_key_control ON event (key_id, event_time) WHERE operation_class = 3 AND key_id IS NOT NULL`.execute(db);
  await sql`CREATE INDEX event_other_key_control ON event (other_key_id, event_time) WHERE operation_class = 3 AND other_key_id IS NOT NULL`.execute(
    db,
  );
  await sql`CREATE INDEX event_account_control ON event (account_id, event_time) WHERE operation_class = 3 AND key_id IS NULL`.execute(db);
  await sql`CREATE TABLE event_id_text (event_id uuid PRIMARY KEY, text text NOT NULL)`.execute(db);
  await sql`
    CREATE TABLE observation (
      batch_id integer NOT NULL,
      ordinal integer NOT NULL,
      event_time timestamptz NOT NULL,
      event_id uuid NOT NULL,
      essence uuid NOT NULL,
      account_id integer NOT NULL,
      region_id integer NOT NULL,
      PRIMARY KEY (batch_id, ordinal)
    )`.execute(db);
  await sql`CREATE INDEX observation_event ON observation (event_id)`.execute(db);
  await sql`
    CREATE TABLE event_conflict (
      event_id uuid NOT NULL,
      account_id integer NOT NULL,
      region_id integer NOT NULL,
      batch_id integer NOT NULL,
      ordinal integer NOT NULL,
      event_time timestamptz NOT NULL,
      essence uuid NOT NULL,
      PRIMARY KEY (event_id, account_id, region_id, batch_id, ordinal)
    )`.execute(db);
  await sql`CREATE INDEX event_conflict_batch ON event_conflict (batch_id)`.execute(db);
  await sql`CREATE INDEX event_conflict_account ON event_conflict (account_id)`.execute(db);
  await sql`
    CREATE TABLE activity_hourly (
      hour timestamptz NOT NULL,
      key_id integer NOT NULL,
      actor_id integer NOT NULL,
      operation_id integer NOT NULL,
      calling_service_id integer NOT NULL,
      account_id integer NOT NULL,
      region_id integer NOT NULL,
      network_id integer NOT NULL,
      operation_class smallint NOT NULL,
      outcome smallint NOT NULL,
      count integer NOT NULL,
      first_at timestamptz,
      first_event uuid,
      last_at timestamptz,
      last_event uuid,
      PRIMARY KEY (hour, key_id, actor_id, operation_id, calling_service_id, account_id, region_id, network_id, outcome)
    )`.execute(db);
  await sql`CREATE INDEX activity_hourly_failed ON activity_hourly (key_id) WHERE outcome > 1 AND key_id <> 0`.execute(db);
  await sql`CREATE INDEX activity_hourly_denied ON activity_hourly (actor_id, hour) WHERE outcome = 1`.execute(db);
  await sql`
    CREATE TABLE key_actor (
      key_id integer NOT NULL,
      actor_id integer NOT NULL,
      operation_class smallint NOT NULL,
      outcome smallint NOT NULL,
      account_id integer NOT NULL,
      region_id integer NOT NULL,
      count bigint NOT NULL,
      first_at timestamptz NOT NULL,
      first_event uuid NOT NULL,
      last_at timestamptz NOT NULL,
      last_event uuid NOT NULL,
      PRIMARY KEY (key_id, actor_id, operation_class, outcome, account_id, region_id)
    ) WITH (fillfactor = 70)`.execute(db);
  await sql`CREATE INDEX key_actor_actor ON key_actor (actor_id)`.execute(db);
  await sql`
    CREATE TABLE alias_use (
      alias_id integer NOT NULL,
      key_id integer NOT NULL,
      actor_id integer NOT NULL,
      operation_class smallint NOT NULL,
      outcome smallint NOT NULL,
      account_id integer NOT NULL,
      region_id integer NOT NULL,
      count bigint NOT NULL,
      first_at timestamptz NOT NULL,
      first_event uuid NOT NULL,
      last_at timestamptz NOT NULL,
      last_event uuid NOT NULL,
      PRIMARY KEY (alias_id, key_id, actor_id, operation_class, outcome, account_id, region_id)
    )`.execute(db);
  await sql`CREATE INDEX alias_use_key ON alias_use (key_id)`.execute(db);
  await sql`
    CREATE VIEW key_use AS
      SELECT key_id, actor_id, operation_class, outcome, account_id, region_id, count, first_at, first_event, last_at, last_event FROM key_actor
      UNION ALL
      SELECT key_id, actor_id, operation_class, outcome, account_id, region_id, count, first_at, first_event, last_at, last_event FROM alias_use
    `.execute(db);
  await sql`
    CREATE TABLE key_alias (
      alias_id integer PRIMARY KEY REFERENCES kms_key,
      target_key_id integer REFERENCES kms_key,
      as_of timestamptz NOT NULL,
      origin text NOT NULL
    )`.execute(db);
  await sql`CREATE INDEX key_alias_target ON key_alias (target_key_id)`.execute(db);
  await sql`
    CREATE TABLE finding (
      id text PRIMARY KEY,
      detector text NOT NULL,
      dedup_key jsonb NOT NULL,
      subject text NOT NULL,
      severity text NOT NULL,
      title text NOT NULL,
      status text NOT NULL CHECK (status IN ('open', 'acknowledged', 'resolved', 'suppressed')),
      resolved_at timestamptz,
      resolution text,
      key_arn text,
      actor text,
      account text NOT NULL,
      region text NOT NULL,
      first_seen timestamptz NOT NULL,
      last_seen timestamptz NOT NULL,
      occurrences bigint NOT NULL,
      explanation jsonb NOT NULL,
      details jsonb NOT NULL,
      evaluated_at timestamptz NOT NULL
    )`.execute(db);
  await sql`CREATE INDEX finding_subject ON finding (subject)`.execute(db);
  await sql`CREATE INDEX finding_status ON finding (status, severity, detector)`.execute(db);
  await sql`
    CREATE TABLE finding_evidence (
      finding_id text NOT NULL REFERENCES finding ON DELETE CASCADE,
      position smallint NOT NULL,
      event_id text NOT NULL,
      PRIMARY KEY (finding_id, position)
    )`.execute(db);
  await sql`
    CREATE TABLE finding_history (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      finding_id text NOT NULL,
      at timestamptz NOT NULL,
      change text NOT NULL,
      by text NOT NULL,
      detail jsonb NOT NULL DEFAULT '{}'
    )`.execute(db);
  await sql`CREATE INDEX finding_history_finding ON finding_history (finding_id)`.execute(db);
  await sql`
    CREATE TABLE notification (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      idempotency_key text NOT NULL UNIQUE,
      finding_id text NOT NULL,
      change text NOT NULL,
      receiver text NOT NULL,
      payload jsonb NOT NULL,
      state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'failed')),
      attempts integer NOT NULL DEFAULT 0,
      created_at timestamptz NOT NULL,
      delivered_at timestamptz
    )`.execute(db);
  await sql`CREATE INDEX notification_pending ON notification (id) WHERE state = 'pending'`.execute(db);
  await sql`CREATE TABLE checkpoint (name text PRIMARY KEY, value jsonb NOT NULL, updated_at timestamptz NOT NULL)`.execute(db);
  await sql`
    CREATE TABLE quarantine (
      id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      fingerprint uuid NOT NULL UNIQUE,
      batch_id integer NOT NULL,
      source text NOT NULL,
      locator jsonb NOT NULL,
      ordinal integer,
      byte_offset bigint,
      byte_length bigint,
      reason text NOT NULL,
      message text NOT NULL,
      bytes bytea NOT NULL,
      complete boolean NOT NULL,
      seen integer NOT NULL DEFAULT 1,
      quarantined_at timestamptz NOT NULL,
      released_at timestamptz
    )`.execute(db);
  await sql`
    CREATE TABLE detector_failure (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      detector text NOT NULL,
      subject text NOT NULL,
      message text NOT NULL,
      failed_at timestamptz NOT NULL,
      resolved_at timestamptz,
      UNIQUE (detector, subject)
    )`.execute(db);
  await sql`
    CREATE TABLE ingest_total (
      source text PRIMARY KEY,
      deliveries bigint NOT NULL,
      records bigint NOT NULL,
      relevant bigint NOT NULL,
      stored bigint NOT NULL,
      duplicates bigint NOT NULL,
      conflicts bigint NOT NULL,
      quarantined bigint NOT NULL,
      lost_fields bigint NOT NULL,
      last_stored_at timestamptz NOT NULL
    )`.execute(db);
  await sql`CREATE TABLE setting (name text PRIMARY KEY, value jsonb NOT NULL)`.execute(db);

  // Partitions are made on demand (a record of 2017 must land too); the writer role owns nothing, so it asks this function.
  await sql`
    CREATE FUNCTION ensure_event_partition(moment timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
    DECLARE
      first_of_month timestamptz := date_trunc('month', moment AT TIME ZONE 'UTC') AT TIME ZONE 'UTC';
      next_month timestamptz := (date_trunc('month', moment AT TIME ZONE 'UTC') + interval '1 month') AT TIME ZONE 'UTC';
      name text := 'event_' || to_char(first_of_month AT TIME ZONE 'UTC', 'YYYYMM');
    BEGIN
      IF to_regclass(quote_ident(name)) IS NOT NULL THEN RETURN; END IF;
      BEGIN
        EXECUTE format('CREATE TABLE %I PARTITION OF event FOR VALUES FROM (%L) TO (%L)', name, first_of_month, next_month);
      EXCEPTION WHEN duplicate_table THEN
        NULL; -- Another process was faster.
      END;
    END $$`.execute(db);

  // Two roles besides the owner. Where the owner may not create roles, the service works as the owner and `doctor` says so.
  await sql`
    DO $$
    DECLARE role text;
    BEGIN
      FOREACH role IN ARRAY ARRAY['kmswatch_writer', 'kmswatch_reader'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
          EXECUTE format('CREATE ROLE %I NOLOGIN', role);
        END IF;
        EXECUTE format('GRANT %I TO %I', role, current_user);
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', current_schema(), role);
        EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA %I TO %I', current_schema(), role);
      END LOOP;
      GRANT INSERT ON event, evidence, observation, batch_seal, event_id_text, finding_history TO kmswatch_writer;
      GRANT INSERT, UPDATE ON term, kms_key, actor, ingest_batch, event_conflict, activity_hourly, key_actor,
        checkpoint, quarantine, detector_failure, ingest_total, setting, notification TO kmswatch_writer;
      GRANT INSERT, UPDATE, DELETE ON delivery_payload, alias_use, key_alias, finding, finding_evidence TO kmswatch_writer;
      GRANT EXECUTE ON FUNCTION ensure_event_partition(timestamptz) TO kmswatch_writer;
    EXCEPTION WHEN insufficient_privilege THEN
      RAISE NOTICE 'roles kmswatch_writer and kmswatch_reader could not be created: the service works as %', current_user;
    END $$`.execute(db);
}
