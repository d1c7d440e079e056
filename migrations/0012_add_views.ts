import { type Kysely, sql } from 'kysely';

/**
 * What dashboards read: the schema `grafana`, views with stable column names. They hold no evidence, no encryption context, no token and
 * no text of a policy. Who may ask a datasource may send it any SQL, so dashboards log in with a role that sees these views and nothing
 * else: `kmswatch_grafana`. A migration that changes a column which a view reads has to drop the view and make it anew.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`CREATE SCHEMA IF NOT EXISTS grafana`.execute(db);
  for (const [name, definition] of Object.entries(VIEWS)) await sql.raw(`CREATE VIEW grafana.${name} AS ${definition}`).execute(db);

  // Where the owner may not create roles there are none, and whoever runs the database grants by hand.
  await sql`
    DO $$
    DECLARE role text;
    BEGIN
      IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'kmswatch_grafana') THEN
        CREATE ROLE kmswatch_grafana NOLOGIN;
      END IF;
      EXECUTE format('GRANT kmswatch_grafana TO %I', current_user);
    EXCEPTION WHEN insufficient_privilege OR duplicate_object OR unique_violation THEN
      RAISE NOTICE 'role kmswatch_grafana could not be created by %', current_user;
    END $$`.execute(db);
  await sql`
    DO $$
    DECLARE role text;
    BEGIN
      FOR role IN SELECT rolname FROM pg_roles WHERE rolname IN ('kmswatch_reader', 'kmswatch_grafana') LOOP
        EXECUTE format('GRANT USAGE ON SCHEMA grafana TO %I', role);
        EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA grafana TO %I', role);
      END LOOP;
    END $$`.execute(db);
}

/** A date in `facts`, which hold epoch milliseconds. */
const moment = (json: string): string => `to_timestamp((${json})::float8 / 1000)`;
const term = (id: string): string => `(SELECT value FROM term WHERE id = ${id})`;

const classOf = (row: string): string => `(ARRAY['use', 'read', 'grant', 'control'])[${row}.operation_class + 1]`;
const OUTCOMES = `(ARRAY['ok', 'denied', 'disabled', 'pending-deletion', 'invalid-state', 'not-found', 'throttled', 'dry-run', 'other'])`;
const outcomeOf = (row: string): string => `${OUTCOMES}[${row}.outcome + 1]`;
const secondsBetween = (from: string, to: string): string => `extract(epoch FROM ${to} - ${from})::float8`;

/** Detectors whose open findings say that others can reach a key; https://docs.aws.amazon.com/securityhub/latest/userguide/kms-controls.html */
const EXPOSING = `'key-policy-public', 'key-policy-external-account', 'key-policy-lockout-bypassed', 'grant-to-external-account', 'grant-overbroad',
  'replica-outside-regions', 'snapshot-shared-with-key'`;

/** Severities in order of urgency. */
const RANK = `coalesce(array_position(ARRAY['critical', 'high', 'medium', 'low', 'info'], severity), 9)`;

/** One row a duty, as SHARED columns of `compliance`: its name, what counts, and the controls that it serves. */
const duty = (name: string, controls: string, rows: string): string => `
  SELECT account, '${name}' AS duty, '${controls}' AS controls, count(*) FILTER (WHERE standing = 'pass') AS passing,
    count(*) FILTER (WHERE standing = 'fail') AS failing, count(*) FILTER (WHERE standing = 'unknown') AS unknown
  FROM (${rows}) AS counted WHERE standing IS NOT NULL GROUP BY account`;

/** Keys of AWS itself are not the customer's to rotate or to share. */
const CUSTOMER_KEYS = `kms_key WHERE kind = 'key' AND state IS DISTINCT FROM 'Deleted' AND coalesce(facts -> 'manager' ->> 'value', 'CUSTOMER') <> 'AWS'`;

const VIEWS: Readonly<Record<string, string>> = {
  keys: `
    SELECT k.arn AS key_arn, k.account, k.region, k.name AS key_id, coalesce(n.aliases[1], '') AS alias, coalesce(n.aliases, '{}') AS aliases,
      coalesce(k.state, 'unknown') AS state, coalesce(k.rotation_standing, 'unknown') AS rotation_standing,
      (k.facts -> 'rotationEnabled' ->> 'value')::boolean AS rotation_enabled, (k.facts -> 'rotationPeriodDays' ->> 'value')::float8 AS rotation_period_days,
      ${moment(`k.facts -> 'lastRotated' ->> 'value'`)} AS last_rotated, ${moment(`k.facts -> 'created' ->> 'value'`)} AS created,
      k.facts -> 'manager' ->> 'value' AS manager, k.facts -> 'origin' ->> 'value' AS origin, k.facts -> 'keySpec' ->> 'value' AS key_spec,
      k.facts -> 'keyUsage' ->> 'value' AS key_usage, (k.facts -> 'multiRegion' ->> 'value')::boolean AS multi_region,
      ${moment(`k.facts -> 'deletion' -> 'value' ->> 'date'`)} AS deletion_date, ${moment(`k.facts -> 'material' -> 'value' ->> 'validTo'`)} AS material_expires,
      k.protects_logs, u.last_used, u.last_denied, coalesce(u.users, 0) AS users, coalesce(f.open, 0) AS open_findings, coalesce(f.exposing, 0) > 0 AS exposed
    FROM kms_key k
    LEFT JOIN LATERAL (SELECT array_agg(a.name ORDER BY a.name) AS aliases FROM key_alias l JOIN kms_key a ON a.id = l.alias_id WHERE l.target_key_id = k.id) n ON true
    LEFT JOIN LATERAL (
      SELECT max(last_at) FILTER (WHERE operation_class = 0 AND outcome = 0) AS last_used, max(last_at) FILTER (WHERE outcome = 1) AS last_denied,
        count(DISTINCT actor_id) FILTER (WHERE operation_class = 0 AND outcome = 0) AS users
      FROM key_use WHERE key_id = k.id) u ON true
    LEFT JOIN (
      SELECT key_arn, count(*) AS open, count(*) FILTER (WHERE detector IN (${EXPOSING})) AS exposing
      FROM finding WHERE status IN ('open', 'acknowledged') GROUP BY key_arn) f ON f.key_arn = k.arn
    WHERE k.kind = 'key'`,

  findings: `
    SELECT id, detector, severity, ${RANK} AS severity_rank, title, status, account, region, key_arn, actor, first_seen, last_seen, resolved_at,
      occurrences, assignee, explanation ->> 'what' AS what, explanation ->> 'why' AS why, suppression_id IS NOT NULL AS suppressed,
      dismissed_seen IS NOT NULL AS dismissed
    FROM finding`,

  finding_flow: `
    SELECT (day AT TIME ZONE 'UTC') AS day, account, region, detector, severity, sum(opened)::bigint AS opened, sum(resolved)::bigint AS resolved
    FROM (
      SELECT date_trunc('day', first_seen AT TIME ZONE 'UTC') AS day, account, region, detector, severity, 1 AS opened, 0 AS resolved FROM finding
      UNION ALL
      SELECT date_trunc('day', resolved_at AT TIME ZONE 'UTC'), account, region, detector, severity, 0, 1 FROM finding WHERE resolved_at IS NOT NULL
    ) AS change GROUP BY day, account, region, detector, severity`,

  finding_response: `
    SELECT f.id, f.detector, f.severity, f.account, f.region, f.status, h.opened_at, h.acknowledged_at,
      ${secondsBetween('h.opened_at', 'h.acknowledged_at')} AS seconds_to_acknowledge, ${secondsBetween('h.opened_at', 'coalesce(h.acknowledged_at, now())')} AS seconds_waiting
    FROM finding f JOIN (
      SELECT finding_id, min(at) FILTER (WHERE change = 'opened') AS opened_at,
        min(at) FILTER (WHERE change IN ('acknowledge', 'resolve', 'assign')) AS acknowledged_at
      FROM finding_history GROUP BY finding_id) h ON h.finding_id = f.id`,

  key_timeline: `
    SELECT e.event_time AS time, k.arn AS key_arn, k.account, k.region, split_part(${term('e.operation_id')}, ':', 2) AS operation,
      ${classOf('e')} AS operation_class, ${outcomeOf('e')} AS outcome, a.principal AS actor,
      a.name AS actor_name, ${term('e.error_id')} AS error, e.event_id::text AS event_id
    FROM event e JOIN kms_key k ON k.id = e.key_id AND k.kind = 'key' JOIN actor a ON a.id = e.actor_id WHERE e.operation_class IN (2, 3)`,

  key_usage_hourly: `
    SELECT h.hour, k.arn AS key_arn, k.account, k.region, split_part(${term('h.operation_id')}, ':', 2) AS operation,
      ${classOf('h')} AS operation_class, ${outcomeOf('h')} AS outcome, a.principal AS actor,
      a.name AS actor_name, ${term('h.calling_service_id')} AS calling_service, h.count
    FROM activity_hourly h JOIN kms_key k ON k.id = h.key_id AND k.kind = 'key' JOIN actor a ON a.id = h.actor_id`,

  key_usage_band: `
    SELECT k.arn AS key_arn, k.account, k.region, b.hour_of_day, count(*) AS days, percentile_cont(0.05) WITHIN GROUP (ORDER BY b.calls) AS low,
      percentile_cont(0.5) WITHIN GROUP (ORDER BY b.calls) AS median, percentile_cont(0.95) WITHIN GROUP (ORDER BY b.calls) AS high
    FROM (
      SELECT v.key_id, v.day, (h.ordinality - 1)::int AS hour_of_day, sum(h.calls) AS calls
      FROM volume_daily v, unnest(v.hours) WITH ORDINALITY AS h(calls, ordinality) WHERE v.key_id <> 0
      GROUP BY v.key_id, v.day, h.ordinality) b
    JOIN kms_key k ON k.id = b.key_id AND k.kind = 'key' GROUP BY k.arn, k.account, k.region, b.hour_of_day`,

  actor_usage: `
    SELECT a.principal AS actor, a.name AS actor_name, a.type AS actor_type, a.account AS actor_account, k.arn AS key_arn, k.account, k.region,
      coalesce(sum(u.count) FILTER (WHERE u.outcome = 0 AND u.operation_class = 0), 0)::float8 AS uses,
      coalesce(sum(u.count) FILTER (WHERE u.outcome = 0 AND u.operation_class <> 0), 0)::float8 AS other_calls,
      coalesce(sum(u.count) FILTER (WHERE u.outcome = 1), 0)::float8 AS denied, coalesce(sum(u.count) FILTER (WHERE u.outcome > 1), 0)::float8 AS failed,
      min(u.first_at) AS first_at, max(u.last_at) AS last_at, max(u.last_at) FILTER (WHERE u.outcome = 1) AS last_denied_at,
      a.account IS NOT NULL AND a.account <> k.account AS cross_account
    FROM key_use u JOIN kms_key k ON k.id = u.key_id AND k.kind = 'key' JOIN actor a ON a.id = u.actor_id
    GROUP BY a.principal, a.name, a.type, a.account, k.arn, k.account, k.region`,

  access_hour_of_week: `
    SELECT date_trunc('day', h.hour AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' AS day, extract(isodow FROM h.hour AT TIME ZONE 'UTC')::int AS weekday,
      extract(hour FROM h.hour AT TIME ZONE 'UTC')::int AS hour_of_day, k.account, k.region, k.arn AS key_arn, a.type AS actor_type,
      ${outcomeOf('h')} AS outcome, sum(h.count)::bigint AS count
    FROM activity_hourly h JOIN kms_key k ON k.id = h.key_id AND k.kind = 'key' JOIN actor a ON a.id = h.actor_id
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8`,

  deletion_calendar: `
    SELECT k.arn AS key_arn, k.account, k.region, (SELECT min(a.name) FROM key_alias l JOIN kms_key a ON a.id = l.alias_id WHERE l.target_key_id = k.id) AS alias,
      k.state, ${moment(`k.facts -> 'deletion' ->> 'at'`)} AS scheduled_at, ${moment(`k.facts -> 'deletion' -> 'value' ->> 'date'`)} AS deletion_date,
      (k.facts -> 'deletion' -> 'value' ->> 'windowDays')::float8 AS window_days,
      coalesce((k.facts -> 'deletion' -> 'value' ->> 'waitsForReplicas')::boolean, false) AS waits_for_replicas, u.last_used, u.refused_since
    FROM kms_key k LEFT JOIN LATERAL (
      SELECT max(last_at) FILTER (WHERE operation_class = 0 AND outcome = 0) AS last_used,
        coalesce(sum(count) FILTER (WHERE outcome = 3), 0)::float8 AS refused_since FROM key_use WHERE key_id = k.id) u ON true
    WHERE k.kind = 'key' AND k.state IN ('PendingDeletion', 'PendingReplicaDeletion')`,

  coverage: `
    SELECT hour, account, region, source, deliveries, events, reads, complete, partial, verified, missing, coalesce(gap, '') AS gap,
      CASE WHEN missing > 0 THEN 'missing' WHEN complete AND NOT partial THEN 'complete' WHEN complete THEN 'partial'
        WHEN heard OR events > 0 THEN 'heard' ELSE 'nothing' END AS standing
    FROM coverage_hourly`,

  sources: `
    SELECT source, deliveries::float8, records::float8, relevant::float8, stored::float8, duplicates::float8, conflicts::float8, quarantined::float8,
      last_stored_at FROM ingest_total`,

  quarantine: `
    SELECT id, source, reason, seen, quarantined_at, released_at FROM quarantine`,

  detectors: `
    SELECT coalesce(h.detector, f.detector) AS detector, coalesce(h.evaluations, 0)::float8 AS evaluations, coalesce(h.matches, 0)::float8 AS matches,
      coalesce(h.milliseconds, 0) / 1000 AS seconds, h.evaluated_at, coalesce(f.findings, 0) AS findings, coalesce(f.open, 0) AS open,
      coalesce(f.acknowledged, 0) AS acknowledged, coalesce(f.suppressed, 0) AS suppressed, coalesce(f.dismissed, 0) AS dismissed,
      (coalesce(f.suppressed, 0) + coalesce(f.dismissed, 0))::float8 / nullif(f.findings, 0) AS noise_ratio, f.last_seen,
      coalesce(x.failures, 0) AS failing_subjects
    FROM detector_health h FULL JOIN (
      SELECT detector, count(*) AS findings, count(*) FILTER (WHERE status = 'open') AS open, count(*) FILTER (WHERE status = 'acknowledged') AS acknowledged,
        count(*) FILTER (WHERE status = 'suppressed') AS suppressed, count(*) FILTER (WHERE dismissed_seen IS NOT NULL) AS dismissed, max(last_seen) AS last_seen
      FROM finding GROUP BY detector) f ON f.detector = h.detector
    LEFT JOIN (SELECT detector, count(*) AS failures FROM detector_failure WHERE resolved_at IS NULL GROUP BY detector) x
      ON x.detector = coalesce(h.detector, f.detector)`,

  compliance: [
    duty(
      'rotation',
      'CIS 3.6 / 4.6 (v6), KMS.4, PCI 3.7.4, NIST SC-12',
      `SELECT account, CASE rotation_standing WHEN 'compliant' THEN 'pass' WHEN 'not-applicable' THEN NULL WHEN 'disabled' THEN 'fail' WHEN 'overdue' THEN 'fail'
         ELSE 'unknown' END AS standing FROM ${CUSTOMER_KEYS}`,
    ),
    duty(
      'deletion',
      'CIS 4.7 / 5.7 (v6), KMS.3, PCI 3.7.5, NIST SC-12',
      `SELECT account, CASE WHEN state IS NULL THEN 'unknown' WHEN state IN ('PendingDeletion', 'PendingReplicaDeletion') THEN 'fail' ELSE 'pass' END AS standing
       FROM ${CUSTOMER_KEYS}`,
    ),
    // What a policy or a grant says is known of those keys only whose policy was seen.
    duty(
      'exposure',
      'CIS 2.21 (v7), KMS.5, PCI 7.2, NIST AC-3, AC-6',
      `SELECT account, CASE WHEN arn IN (SELECT key_arn FROM finding WHERE status IN ('open', 'acknowledged') AND key_arn IS NOT NULL AND detector IN (${EXPOSING}))
           THEN 'fail' WHEN NOT facts ? 'policy' OR facts -> 'policyOmitted' ->> 'value' = 'true' THEN 'unknown' ELSE 'pass' END AS standing
       FROM ${CUSTOMER_KEYS}`,
    ),
    // Hours of the last seven days. That something came of an hour does not mean that all of it did.
    duty(
      'logging',
      'CIS 3.1, CloudTrail.1, PCI 10.2, NIST AU-12',
      `SELECT account, CASE WHEN bool_or(missing > 0) THEN 'fail' WHEN bool_or(complete AND NOT partial) THEN 'pass' ELSE 'unknown' END AS standing
       FROM coverage_hourly WHERE hour >= now() - interval '7 days' GROUP BY account, region, hour`,
    ),
    duty(
      'log integrity',
      'CIS 3.2 / 4.2 (v6), CloudTrail.4, PCI 10.3.4, NIST AU-9',
      `SELECT account, CASE standing WHEN 'verified' THEN 'pass' WHEN 'failed' THEN 'fail' WHEN 'not-enabled' THEN 'fail' ELSE 'unknown' END AS standing
       FROM integrity_area`,
    ),
  ].join('\n UNION ALL '),
};
