import { type Kysely, sql } from 'kysely';

/** When each detector last judged, and what that cost so far; summed up in memory and added every few seconds. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    CREATE TABLE detector_health (
      detector text PRIMARY KEY,
      evaluated_at timestamptz NOT NULL,
      evaluations bigint NOT NULL,
      matches bigint NOT NULL,
      milliseconds double precision NOT NULL
    ) WITH (fillfactor = 50)`.execute(db);
  await sql`
    DO $$
    BEGIN
      IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'kmswatch_writer') THEN
        GRANT SELECT, INSERT, UPDATE ON detector_health TO kmswatch_writer;
      END IF;
      IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'kmswatch_reader') THEN
        GRANT SELECT ON detector_health TO kmswatch_reader;
      END IF;
    END $$`.execute(db);
}
