import { type Kysely, sql } from 'kysely';

/**
 * Events and hours name the way in which a call was made, `call_profile`, instead of its parts: a row of `event` is 34 bytes smaller, one
 * of `activity_hourly` 16, and so are their indexes. The views `event_call` and `activity_call` put both together again.
 *
 * The essence of an event becomes 64 bits wide: it tells apart what is told under one event id, and nothing else.
 * Hours are counted anew from events, since their old rows do not know the whole way.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`DROP VIEW grafana.key_timeline, grafana.key_usage_hourly, grafana.access_hour_of_week`.execute(db);
  await sql`
    INSERT INTO call_profile (account_id, region_id, operation_id, operation_class, calling_service_id, network_id, user_agent_id, vpc_endpoint_id,
      context_id, material_id, session)
    SELECT DISTINCT ${sql.raw(WAY)} FROM event ON CONFLICT DO NOTHING`.execute(db);
  await sql`
    CREATE TEMPORARY TABLE event_before ON COMMIT DROP AS
    SELECT e.*, p.id AS profile_id FROM (SELECT event.*, ${sql.raw(sessionOf)} AS session FROM event) e JOIN call_profile p ON
      (p.account_id, p.region_id, p.operation_id, p.operation_class, p.calling_service_id, p.network_id, p.user_agent_id, p.vpc_endpoint_id, p.context_id,
        p.material_id, p.session)
      = (e.account_id, e.region_id, e.operation_id, e.operation_class, coalesce(e.calling_service_id, 0), coalesce(e.network_id, 0),
        coalesce(e.user_agent_id, 0), coalesce(e.vpc_endpoint_id, 0), coalesce(e.context_id, 0), coalesce(e.material_id, 0), e.session)`.execute(
    db,
  );
  await sql`DROP TABLE event, activity_hourly`.execute(db);

  // Eight-byte columns first, two-byte ones last: no padding between them.
  await sql`
    CREATE TABLE event (
      event_time timestamptz NOT NULL,
      essence bigint NOT NULL,
      event_id uuid NOT NULL,
      batch_id integer NOT NULL,
      ordinal integer NOT NULL,
      actor_id integer NOT NULL,
      profile_id integer NOT NULL,
      key_id integer,
      session_id integer,
      access_key_id integer,
      flags smallint NOT NULL,
      outcome smallint NOT NULL,
      other_key_id integer,
      error_id integer,
      shared_event_id uuid,
      detail jsonb,
      PRIMARY KEY (event_id, essence, event_time)
    ) PARTITION BY RANGE (event_time)`.execute(db);
  // Of one event id there are few tellings, and the essence covers account and Region. A key's index entries are mere row pointers, eight
  // bytes an event; together with the block ranges of time they find a key's events of a period. Flag 512: a control event.
  await sql`CREATE INDEX event_key ON event (key_id) WHERE key_id IS NOT NULL`.execute(db);
  await sql`CREATE INDEX event_time_ranges ON event USING brin (event_time)`.execute(db);
  await sql`CREATE INDEX event_key_control ON event (key_id, event_time) WHERE (flags & 512) = 512 AND key_id IS NOT NULL`.execute(db);
  await sql`CREATE INDEX event_other_key_control ON event (other_key_id, event_time) WHERE (flags & 512) = 512 AND other_key_id IS NOT NULL`.execute(
    db,
  );
  await sql`CREATE INDEX event_account_control ON event (profile_id, event_time) WHERE (flags & 512) = 512 AND key_id IS NULL`.execute(db);
  await sql`SELECT ensure_event_partition(month) FROM (SELECT DISTINCT date_trunc('month', event_time) AS month FROM event_before) m`.execute(
    db,
  );
  await sql`
    INSERT INTO event (event_time, essence, event_id, batch_id, ordinal, actor_id, profile_id, key_id, session_id, access_key_id, flags, outcome,
      other_key_id, error_id, shared_event_id, detail)
    SELECT event_time, ${sql.raw(SHORT_ESSENCE)}, event_id, batch_id, ordinal, actor_id, profile_id, key_id, session_id, access_key_id,
      flags | CASE WHEN operation_class = 3 THEN 512 ELSE 0 END, outcome, other_key_id, error_id, shared_event_id, detail
    FROM event_before`.execute(db);
  for (const table of ['observation', 'event_conflict'])
    await sql`ALTER TABLE ${sql.ref(table)} ALTER COLUMN essence TYPE bigint USING ${sql.raw(SHORT_ESSENCE)}`.execute(db);

  await sql`
    CREATE TABLE activity_hourly (
      hour timestamptz NOT NULL,
      key_id integer NOT NULL,
      actor_id integer NOT NULL,
      profile_id integer NOT NULL,
      outcome smallint NOT NULL,
      count integer NOT NULL,
      first_at timestamptz,
      first_event uuid,
      last_at timestamptz,
      last_event uuid,
      PRIMARY KEY (hour, key_id, actor_id, profile_id, outcome)
    )`.execute(db);
  // Rows of failed calls are few; the indexes are partial.
  await sql`CREATE INDEX activity_hourly_failed ON activity_hourly (key_id) WHERE outcome > 1 AND key_id <> 0`.execute(db);
  await sql`CREATE INDEX activity_hourly_denied ON activity_hourly (actor_id, hour) WHERE outcome = 1`.execute(db);
  await sql`CREATE INDEX activity_hourly_probed ON activity_hourly (actor_id, hour) WHERE outcome = 5 OR outcome = 7`.execute(db);
  await sql`CREATE INDEX activity_hourly_throttled ON activity_hourly (profile_id, hour) WHERE outcome = 6`.execute(db);
  await sql`
    INSERT INTO activity_hourly (hour, key_id, actor_id, profile_id, outcome, count, first_at, first_event, last_at, last_event)
    SELECT date_trunc('hour', event_time, 'UTC'), coalesce(key_id, 0), actor_id, profile_id, outcome, count(*),
      CASE WHEN outcome <> 0 THEN min(event_time) END, CASE WHEN outcome <> 0 THEN (array_agg(event_id ORDER BY event_time, event_id))[1] END,
      CASE WHEN outcome <> 0 THEN max(event_time) END,
      CASE WHEN outcome <> 0 THEN (array_agg(event_id ORDER BY event_time DESC, event_id DESC))[1] END
    FROM event GROUP BY 1, 2, 3, 4, 5`.execute(db);

  await sql`CREATE VIEW event_call AS SELECT e.*, ${sql.raw(PROFILE_COLUMNS)} FROM event e JOIN call_profile p ON p.id = e.profile_id`.execute(
    db,
  );
  await sql`CREATE VIEW activity_call AS SELECT h.*, ${sql.raw(PROFILE_COLUMNS)} FROM activity_hourly h JOIN call_profile p ON p.id = h.profile_id`.execute(
    db,
  );
  for (const [name, definition] of Object.entries(GRAFANA_VIEWS)) {
    await sql.raw(`CREATE VIEW grafana.${name} AS ${definition}`).execute(db);
  }
  await sql`
    DO $$
    BEGIN
      IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'kmswatch_writer') THEN
        GRANT SELECT, INSERT ON event TO kmswatch_writer;
        GRANT SELECT, INSERT, UPDATE ON activity_hourly TO kmswatch_writer;
        GRANT SELECT ON event_call, activity_call TO kmswatch_writer;
      END IF;
      IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'kmswatch_reader') THEN
        GRANT SELECT ON event, activity_hourly, event_call, activity_call TO kmswatch_reader;
        GRANT SELECT ON ALL TABLES IN SCHEMA grafana TO kmswatch_reader;
      END IF;
      IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'kmswatch_grafana') THEN
        GRANT SELECT ON ALL TABLES IN SCHEMA grafana TO kmswatch_grafana;
      END IF;
    END $$`.execute(db);
}

/** The bits of `call_profile.session` from those of `event.flags`: console, MFA known, MFA. */
const sessionOf = '((flags & 16) / 16 + (flags & 4) / 2 + (flags & 8) / 2)::smallint';

const WAY = `account_id, region_id, operation_id, operation_class, coalesce(calling_service_id, 0), coalesce(network_id, 0), coalesce(user_agent_id, 0),
  coalesce(vpc_endpoint_id, 0), coalesce(context_id, 0), coalesce(material_id, 0), ${sessionOf}`;

const SHORT_ESSENCE = `('x' || left(replace(essence::text, '-', ''), 16))::bit(64)::bigint`;

const PROFILE_COLUMNS = `p.account_id, p.region_id, p.operation_id, p.operation_class, p.calling_service_id, p.network_id, p.user_agent_id,
  p.vpc_endpoint_id, p.context_id, p.material_id`;

const term = (id: string): string => `(SELECT value FROM term WHERE id = ${id})`;
const classOf = (row: string): string => `(ARRAY['use', 'read', 'grant', 'control'])[${row}.operation_class + 1]`;
const OUTCOMES = `(ARRAY['ok', 'denied', 'disabled', 'pending-deletion', 'invalid-state', 'not-found', 'throttled', 'dry-run', 'other'])`;
const outcomeOf = (row: string): string => `${OUTCOMES}[${row}.outcome + 1]`;

const GRAFANA_VIEWS: Readonly<Record<string, string>> = {
  key_timeline: `
    SELECT e.event_time AS time, k.arn AS key_arn, k.account, k.region, split_part(${term('e.operation_id')}, ':', 2) AS operation,
      ${classOf('e')} AS operation_class, ${outcomeOf('e')} AS outcome, a.principal AS actor,
      a.name AS actor_name, ${term('e.error_id')} AS error, e.event_id::text AS event_id
    FROM event_call e JOIN kms_key k ON k.id = e.key_id AND k.kind = 'key' JOIN actor a ON a.id = e.actor_id WHERE e.operation_class IN (2, 3)`,

  key_usage_hourly: `
    SELECT h.hour, k.arn AS key_arn, k.account, k.region, split_part(${term('h.operation_id')}, ':', 2) AS operation,
      ${classOf('h')} AS operation_class, ${outcomeOf('h')} AS outcome, a.principal AS actor,
      a.name AS actor_name, ${term('nullif(h.calling_service_id, 0)')} AS calling_service, h.count
    FROM activity_call h JOIN kms_key k ON k.id = h.key_id AND k.kind = 'key' JOIN actor a ON a.id = h.actor_id`,

  access_hour_of_week: `
    SELECT date_trunc('day', h.hour AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' AS day, extract(isodow FROM h.hour AT TIME ZONE 'UTC')::int AS weekday,
      extract(hour FROM h.hour AT TIME ZONE 'UTC')::int AS hour_of_day, k.account, k.region, k.arn AS key_arn, a.type AS actor_type,
      ${outcomeOf('h')} AS outcome, sum(h.count)::bigint AS count
    FROM activity_hourly h JOIN kms_key k ON k.id = h.key_id AND k.kind = 'key' JOIN actor a ON a.id = h.actor_id
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8`,
};
