import { type Kysely, sql } from 'kysely';

/**
 * Digests as CloudTrail signed them, the keys that they are signed with, and what was found when they were checked. Content is kept once
 * and not changed: the service's role may update verdicts only. A digest that was replaced in its bucket is kept as another version.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  // What digests list is the SHA-256 of the content; `input_sha256` is of the object as it lies, gzip and all.
  await sql`ALTER TABLE ingest_batch ADD COLUMN content_sha256 bytea`.execute(db);
  await sql`CREATE INDEX ingest_batch_object ON ingest_batch ((locator ->> 'key')) WHERE source = 's3-trail'`.execute(db);
  await sql`
    CREATE TABLE trail_digest (
      id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      bucket text NOT NULL,
      object_key text NOT NULL,
      version bytea NOT NULL,
      account text NOT NULL,
      region text NOT NULL,
      trail text NOT NULL,
      starts_at timestamptz,
      ends_at timestamptz NOT NULL,
      sha256 bytea NOT NULL,
      previous_key text,
      previous_sha256 bytea,
      fingerprint text,
      signature text,
      algorithm text,
      backfill_generated text,
      bytes bytea NOT NULL,
      kept_at timestamptz NOT NULL,
      etag text,
      verdict text,
      reason text,
      checked_at timestamptz,
      UNIQUE (bucket, object_key, version)
    )`.execute(db);
  // Gzip already.
  await sql`ALTER TABLE trail_digest ALTER COLUMN bytes SET STORAGE EXTERNAL`.execute(db);
  await sql`CREATE INDEX trail_digest_place ON trail_digest (bucket, account, region, ends_at)`.execute(db);
  await sql`
    CREATE TABLE digest_public_key (
      region text NOT NULL,
      fingerprint text NOT NULL,
      der bytea NOT NULL,
      valid_from timestamptz,
      valid_to timestamptz,
      kept_at timestamptz NOT NULL,
      PRIMARY KEY (region, fingerprint, der)
    )`.execute(db);
  await sql`
    CREATE TABLE digest_log_file (
      bucket text NOT NULL,
      object_key text NOT NULL,
      digest_key text NOT NULL,
      account text NOT NULL,
      region text NOT NULL,
      hour timestamptz NOT NULL,
      listed_sha256 bytea NOT NULL,
      found_sha256 bytea,
      etag text,
      verdict text NOT NULL,
      reason text,
      ingested boolean NOT NULL,
      checked_at timestamptz NOT NULL,
      PRIMARY KEY (bucket, object_key)
    )`.execute(db);
  await sql`CREATE INDEX digest_log_file_hour ON digest_log_file (hour, account, region)`.execute(db);
  await sql`CREATE INDEX digest_log_file_unseen ON digest_log_file (object_key) WHERE NOT ingested`.execute(db);
  await sql`
    CREATE TABLE integrity_problem (
      bucket text NOT NULL,
      object_key text NOT NULL,
      verdict text NOT NULL,
      account text NOT NULL,
      region text NOT NULL,
      trail text,
      reason text NOT NULL,
      begins_at timestamptz,
      ends_at timestamptz NOT NULL,
      found_at timestamptz NOT NULL,
      checked_at timestamptz NOT NULL,
      resolved_at timestamptz,
      PRIMARY KEY (bucket, object_key, verdict)
    )`.execute(db);
  await sql`CREATE INDEX integrity_problem_account ON integrity_problem (account)`.execute(db);
  await sql`
    CREATE TABLE integrity_area (
      bucket text NOT NULL,
      place text NOT NULL,
      account text NOT NULL,
      region text NOT NULL,
      standing text NOT NULL,
      reason text,
      checked_at timestamptz NOT NULL,
      checked_until timestamptz,
      verified_until timestamptz,
      PRIMARY KEY (bucket, place, region)
    )`.execute(db);
  await sql`
    CREATE TABLE integrity_total (
      kind text NOT NULL,
      verdict text NOT NULL,
      count bigint NOT NULL,
      PRIMARY KEY (kind, verdict)
    )`.execute(db);

  // Where the owner may not create roles there are none, and the service works as the owner.
  await sql`
    DO $$
    BEGIN
      IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'kmswatch_writer') THEN
        GRANT SELECT, INSERT ON trail_digest, digest_public_key TO kmswatch_writer;
        GRANT UPDATE (etag, verdict, reason, checked_at) ON trail_digest TO kmswatch_writer;
        GRANT SELECT, INSERT, UPDATE ON integrity_problem, integrity_total TO kmswatch_writer;
        GRANT SELECT, INSERT, UPDATE, DELETE ON digest_log_file, integrity_area TO kmswatch_writer;
      END IF;
      IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'kmswatch_reader') THEN
        GRANT SELECT ON trail_digest, digest_public_key, digest_log_file, integrity_problem, integrity_area, integrity_total TO kmswatch_reader;
      END IF;
    END $$`.execute(db);
}
