import { type Kysely, sql } from 'kysely';

/**
 * What baselines compare: how calls were made, by whom, under which key, day by day. All of it commutes (sums, earliest, latest,
 * unions of bits), so that batches may be stored in any order.
 *
 * - `call_profile`: dictionary of ways in which a call can be made; 0 = not told
 * - `habit`: successful KMS calls by key, caller and way. Key 0 = the caller's calls under any key, told by fewer columns;
 *   key 0 and actor 0 = that anybody's cryptographic calls of this account and Region were recorded on that day
 * - `volume_daily`: successful cryptographic calls by hour of the day, and a sketch of how many different encryption contexts they had;
 *   key 0 = all successful calls of the caller
 * - `credential_place`: from which networks an access key was used, hour by hour
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    CREATE TABLE call_profile (
      id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      account_id integer NOT NULL,
      region_id integer NOT NULL,
      operation_id integer NOT NULL,
      operation_class smallint NOT NULL,
      calling_service_id integer NOT NULL,
      network_id integer NOT NULL,
      user_agent_id integer NOT NULL,
      vpc_endpoint_id integer NOT NULL,
      context_id integer NOT NULL,
      material_id integer NOT NULL,
      session smallint NOT NULL,
      UNIQUE (account_id, region_id, operation_id, operation_class, calling_service_id, network_id, user_agent_id, vpc_endpoint_id, context_id,
        material_id, session)
    )`.execute(db);
  await sql`
    CREATE TABLE habit (
      key_id integer NOT NULL,
      actor_id integer NOT NULL,
      profile_id integer NOT NULL,
      day integer NOT NULL,
      count integer NOT NULL,
      first_at timestamptz NOT NULL,
      first_event uuid NOT NULL,
      last_at timestamptz NOT NULL,
      last_event uuid NOT NULL,
      PRIMARY KEY (key_id, actor_id, profile_id, day)
    ) WITH (fillfactor = 80)`.execute(db);
  await sql`CREATE INDEX habit_actor ON habit (actor_id, day) WHERE key_id <> 0`.execute(db);
  await sql`
    CREATE TABLE volume_daily (
      key_id integer NOT NULL,
      actor_id integer NOT NULL,
      day integer NOT NULL,
      hours integer[],
      contexts bit(128) NOT NULL,
      first_at timestamptz NOT NULL,
      first_event uuid NOT NULL,
      last_at timestamptz NOT NULL,
      last_event uuid NOT NULL,
      PRIMARY KEY (key_id, actor_id, day)
    ) WITH (fillfactor = 70)`.execute(db);
  await sql`
    CREATE TABLE credential_place (
      access_key_id integer NOT NULL,
      network_id integer NOT NULL,
      hour integer NOT NULL,
      actor_id integer NOT NULL,
      first_at timestamptz NOT NULL,
      first_event uuid NOT NULL,
      last_at timestamptz NOT NULL,
      last_event uuid NOT NULL,
      PRIMARY KEY (access_key_id, network_id, hour, actor_id)
    ) WITH (fillfactor = 80)`.execute(db);
  await sql`CREATE INDEX credential_place_actor ON credential_place (actor_id)`.execute(db);
  // Rows of failed calls are few; both indexes are partial.
  await sql`CREATE INDEX activity_hourly_probed ON activity_hourly (actor_id, hour) WHERE outcome = 5 OR outcome = 7`.execute(db);
  await sql`CREATE INDEX activity_hourly_throttled ON activity_hourly (account_id, hour) WHERE outcome = 6`.execute(db);
  await sql`
    DO $$
    BEGIN
      IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'kmswatch_writer') THEN
        GRANT SELECT, INSERT, UPDATE ON call_profile, habit, volume_daily, credential_place TO kmswatch_writer;
      END IF;
      IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'kmswatch_reader') THEN
        GRANT SELECT ON call_profile, habit, volume_daily, credential_place TO kmswatch_reader;
      END IF;
    END $$`.execute(db);
}
