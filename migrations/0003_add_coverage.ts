import { type Kysely, sql } from 'kysely';

/**
 * The coverage ledger: what each source has shown of each account, Region and hour of event time, and in which hours anybody was
 * reading the source. Counts are of first sightings, so that what comes again, or in another order, changes nothing.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    CREATE TABLE coverage_hourly (
      account text NOT NULL,
      region text NOT NULL,
      source text NOT NULL,
      hour timestamptz NOT NULL,
      deliveries integer NOT NULL DEFAULT 0,
      events integer NOT NULL DEFAULT 0,
      reads integer NOT NULL DEFAULT 0,
      heard boolean NOT NULL DEFAULT false,
      complete boolean NOT NULL DEFAULT false,
      partial boolean NOT NULL DEFAULT false,
      verified integer NOT NULL DEFAULT 0,
      missing integer NOT NULL DEFAULT 0,
      gap text,
      last_at timestamptz,
      last_event uuid,
      lag integer[],
      updated_at timestamptz NOT NULL,
      PRIMARY KEY (account, region, source, hour)
    ) WITH (fillfactor = 80)`.execute(db);
  await sql`CREATE INDEX coverage_hourly_hour ON coverage_hourly (hour)`.execute(db);
  await sql`CREATE INDEX coverage_hourly_missing ON coverage_hourly (hour) WHERE missing > 0`.execute(db);
  await sql`CREATE TABLE listened_hour (source text NOT NULL, hour timestamptz NOT NULL, PRIMARY KEY (source, hour))`.execute(db);

  // Where the owner may not create roles there are none, and the service works as the owner.
  await sql`
    DO $$
    BEGIN
      IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'kmswatch_writer') THEN
        GRANT SELECT, INSERT, UPDATE ON coverage_hourly TO kmswatch_writer;
        GRANT SELECT, INSERT ON listened_hour TO kmswatch_writer;
      END IF;
      IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'kmswatch_reader') THEN
        GRANT SELECT ON coverage_hourly, listened_hour TO kmswatch_reader;
      END IF;
    END $$`.execute(db);
}
