/** Makes many findings and events of the few that a simulated month brings: each with the text, details and evidence of one that was really found. */
import type pg from 'pg';

/** Keys that findings are about, besides those of the templates. */
const KEYS = 5_000;
/** Events of one statement. */
const CHUNK = 500_000;

const STATUS =
  "CASE WHEN n % 100 < 20 THEN 'open' WHEN n % 100 < 23 THEN 'acknowledged' WHEN n % 100 < 25 THEN 'suppressed' ELSE 'resolved' END";

/** Findings up to `findings`: a fifth open, most resolved, seen in the course of a year, twenty a key. */
export async function fillFindings(pool: pg.Pool, findings: number): Promise<void> {
  await pool.query(`CREATE TEMPORARY TABLE template AS
    SELECT f.*, row_number() OVER (ORDER BY id) - 1 AS number, (SELECT count(*) FROM finding) AS templates FROM finding f`);
  await pool.query(
    `INSERT INTO kms_key (arn, kind, account, region, name)
     SELECT 'arn:aws:kms:eu-west-1:111122223333:key/' || md5('key' || n)::uuid, 'key', '111122223333', 'eu-west-1', md5('key' || n)::uuid::text
     FROM generate_series(1, $1) n`,
    [KEYS],
  );
  await pool.query(
    `INSERT INTO finding (id, detector, dedup_key, subject, severity, title, status, resolved_at, resolution, key_arn, actor, account, region, first_seen, last_seen,
       occurrences, explanation, details, evaluated_at)
     SELECT left(md5('finding' || n), 16), detector, jsonb_build_array(n), subject, severity, title, ${STATUS},
       CASE WHEN n % 100 >= 25 THEN last_seen - seen.ago + interval '1 hour' END, CASE WHEN n % 100 >= 25 THEN 'the cause is gone' END,
       CASE WHEN key_arn IS NOT NULL THEN 'arn:aws:kms:eu-west-1:111122223333:key/' || md5('key' || 1 + n % ${KEYS})::uuid END, actor, account, region,
       first_seen - seen.ago, last_seen - seen.ago, occurrences, explanation, details, evaluated_at
     FROM generate_series(1, $1 - (SELECT templates FROM template LIMIT 1)) n
       JOIN template t ON t.number = n / 100 % t.templates
       CROSS JOIN LATERAL (SELECT make_interval(secs => (hashint8extended(n, 1) & 2147483647) % 31536000) AS ago) seen`,
    [findings],
  );
  await pool.query(
    `INSERT INTO finding_evidence (finding_id, position, event_id)
     SELECT left(md5('finding' || n), 16), e.position, e.event_id
     FROM generate_series(1, $1 - (SELECT templates FROM template LIMIT 1)) n JOIN template t ON t.number = n / 100 % t.templates
       JOIN finding_evidence e ON e.finding_id = t.id`,
    [findings],
  );
}

/** Events up to `events`, in the months that there are. @returns how many are stored */
export async function fillEvents(pool: pg.Pool, events: number): Promise<number> {
  const { rows } = await pool.query<{ name: string; count: number }>(
    `SELECT string_agg(column_name, ', ' ORDER BY ordinal_position) AS name, (SELECT count(*) FROM event) AS count
     FROM information_schema.columns WHERE table_schema = 'public' AND table_name = 'event' AND column_name NOT IN ('event_id', 'event_time')`,
  );
  const [{ name: columns, count: known } = { name: '', count: 0 }] = rows;
  for (let left = events - known; left > 0; left -= CHUNK) {
    await pool.query(
      `INSERT INTO event (event_id, event_time, ${columns})
       SELECT gen_random_uuid(), event_time - (event_time - date_trunc('month', event_time)) * random(), ${columns}
       FROM event CROSS JOIN generate_series(1, $1) LIMIT $2`,
      [Math.ceil(CHUNK / Math.max(1, known)) + 1, Math.min(CHUNK, left)],
    );
  }
  return Math.max(known, events);
}
