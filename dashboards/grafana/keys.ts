import { type DashboardSpec, IN_SCOPE, JOB } from './dashboard.ts';
import { FINDING_LINK, KEY_LINK, RUNBOOK_LINK } from './links.ts';

const THIS_KEY = 'key_arn = ${key:sqlstring}';

export const keys: DashboardSpec = {
  uid: 'kmswatch-keys',
  title: 'Keys',
  description: 'How every key stands, and all of one key: what was done to it, who uses it, how much against what is usual.',
  from: 'now-30d',
  byKey: true,
  panels: [
    {
      kind: 'gauges',
      title: 'Keys by state',
      description: "AWS's key states; unknown: no event or inventory has told it yet.",
      unit: 'short',
      noData: 'kmswatch is not scraped',
      width: 8,
      height: 8,
      prom: [{ expr: `max by (state) (kmswatch_keys{${JOB}})`, legend: '{{state}}' }],
    },
    {
      kind: 'gauges',
      title: 'Keys by rotation',
      description: 'How the rotation of each key stands to the policy of the configuration.',
      unit: 'short',
      noData: 'kmswatch is not scraped',
      width: 8,
      height: 8,
      prom: [{ expr: `max by (standing) (kmswatch_keys_rotation{${JOB}})`, legend: '{{standing}}' }],
    },
    {
      kind: 'table',
      title: 'Deletion calendar',
      description: 'Keys that are pending deletion, the next first, and whether somebody still needs them.',
      unit: 'short',
      noData: 'No key is pending deletion',
      width: 8,
      height: 8,
      columns: { key_arn: KEY_LINK, days_left: { unit: 'd' } },
      sql: `SELECT alias, deletion_date, extract(epoch FROM deletion_date - now()) / 86400 AS days_left, waits_for_replicas, last_used, refused_since, key_arn
        FROM grafana.deletion_calendar WHERE ${IN_SCOPE} ORDER BY deletion_date NULLS LAST`,
    },
    {
      kind: 'table',
      title: 'Keys',
      description: 'Every key with its state, rotation, exposure and use; a key leads to the panels below.',
      unit: 'short',
      noData: 'No key is known',
      width: 24,
      height: 11,
      limits: [1, 5],
      columns: { key_arn: KEY_LINK, open_findings: { coloured: 'thresholds' } },
      sql: `SELECT alias, account, region, state, rotation_standing, last_rotated, exposed, protects_logs, last_used, users, open_findings, deletion_date, key_arn
        FROM grafana.keys WHERE ${IN_SCOPE} ORDER BY open_findings DESC, exposed DESC, alias`,
    },
    {
      kind: 'timeseries',
      title: 'This key: use against what is usual',
      description: 'Cryptographic calls an hour, and the range in which 90 % of the days on record lie at this hour of the day (UTC).',
      unit: 'short',
      noData: 'The key was not used in this time',
      width: 16,
      height: 9,
      sql: `WITH used AS (SELECT hour AS time, sum(count) AS calls FROM grafana.key_usage_hourly
            WHERE ${THIS_KEY} AND operation_class = 'use' AND outcome = 'ok' AND $__timeFilter(hour) GROUP BY hour)
        SELECT u.time, u.calls::float8 AS calls, b.low AS "usual, from", b.high AS "usual, to" FROM used u
        LEFT JOIN grafana.key_usage_band b ON b.${THIS_KEY} AND b.hour_of_day = extract(hour FROM u.time AT TIME ZONE 'UTC') ORDER BY u.time`,
    },
    {
      kind: 'table',
      title: 'This key: findings',
      description: 'Findings of the key, open ones first.',
      unit: 'short',
      noData: 'Nothing was found of this key',
      width: 8,
      height: 9,
      columns: { id: FINDING_LINK, detector: RUNBOOK_LINK },
      sql: `SELECT severity, status, title, detector, last_seen, id FROM grafana.findings WHERE ${THIS_KEY} ORDER BY resolved_at IS NOT NULL, severity_rank, last_seen DESC LIMIT 50`,
    },
    {
      kind: 'table',
      title: 'This key: what was done to it',
      description: 'Calls that change the key or who may use it, the latest first, whether they succeeded or not.',
      unit: 'short',
      noData: 'Nothing was changed in this time',
      width: 12,
      height: 10,
      sql: `SELECT time, operation, outcome, error, actor_name, actor, event_id FROM grafana.key_timeline WHERE ${THIS_KEY} AND $__timeFilter(time) ORDER BY time DESC LIMIT 200`,
    },
    {
      kind: 'table',
      title: 'This key: who uses it',
      description: 'Everybody who ever called the key, with the number of calls by outcome.',
      unit: 'short',
      noData: 'Nobody has called this key',
      width: 12,
      height: 10,
      limits: [1, 100],
      columns: { denied: { coloured: 'thresholds' } },
      sql: `SELECT actor_name, actor_type, uses, other_calls, denied, failed, cross_account, first_at, last_at, actor FROM grafana.actor_usage
        WHERE ${THIS_KEY} ORDER BY last_at DESC LIMIT 200`,
    },
  ],
};
