import { type DashboardSpec, IN_SCOPE } from './dashboard.ts';
import { KEY_LINK } from './links.ts';

const HOURS = Array.from({ length: 24 }, (_, hour) => hour);
const hourName = (hour: number): string => String(hour).padStart(2, '0');

export const access: DashboardSpec = {
  uid: 'kmswatch-access',
  title: 'Access',
  description: 'Who uses which key: what is new, what was refused, who comes from another account, and at which hours.',
  from: 'now-30d',
  panels: [
    {
      kind: 'timeseries',
      title: 'Calls by outcome',
      description: 'Calls under keys, a day, by what KMS answered.',
      unit: 'short',
      noData: 'No call in this time',
      width: 12,
      height: 8,
      sql: `SELECT day AS time, outcome AS metric, sum(count)::float8 AS value FROM grafana.access_hour_of_week
        WHERE $__timeFilter(day) AND ${IN_SCOPE} GROUP BY day, outcome ORDER BY day`,
    },
    {
      kind: 'timeseries',
      title: 'Calls by operation',
      description: 'Successful cryptographic calls, a day, by operation.',
      unit: 'short',
      noData: 'No call in this time',
      width: 12,
      height: 8,
      stacked: true,
      sql: `SELECT date_trunc('day', hour) AS time, operation AS metric, sum(count)::float8 AS value FROM grafana.key_usage_hourly
        WHERE $__timeFilter(hour) AND ${IN_SCOPE} AND operation_class = 'use' AND outcome = 'ok' GROUP BY 1, 2 ORDER BY 1`,
    },
    {
      kind: 'table',
      title: 'Calls by hour of the week',
      description: 'How many calls there were at each hour (UTC) of each day of the week: people have office hours, services do not.',
      unit: 'short',
      noData: 'No call in this time',
      width: 24,
      height: 9,
      columns: {
        weekday: { width: 85 },
        ...Object.fromEntries(HOURS.map((hour) => [hourName(hour), { coloured: 'heat' as const, width: 53 }])),
      },
      sql: `SELECT (ARRAY['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'])[weekday] AS weekday,
          ${HOURS.map((hour) => `coalesce(sum(count) FILTER (WHERE hour_of_day = ${hour}), 0)::float8 AS "${hourName(hour)}"`).join(', ')}
        FROM grafana.access_hour_of_week a WHERE $__timeFilter(day) AND ${IN_SCOPE} GROUP BY a.weekday ORDER BY a.weekday`,
    },
    {
      kind: 'table',
      title: 'New pairs of caller and key',
      description: 'Callers that called a key for the first time in this time, the latest first.',
      unit: 'short',
      noData: 'Nobody called a key for the first time',
      width: 12,
      height: 10,
      columns: { key_arn: KEY_LINK },
      sql: `SELECT first_at, actor_name, actor_type, account, uses, denied, actor, key_arn FROM grafana.actor_usage
        WHERE $__timeFilter(first_at) AND ${IN_SCOPE} ORDER BY first_at DESC LIMIT 100`,
    },
    {
      kind: 'table',
      title: 'Refused',
      description: 'Callers whom KMS denied a key, the most often first.',
      unit: 'short',
      noData: 'Nobody was denied',
      width: 12,
      height: 10,
      limits: [10, 100],
      columns: { key_arn: KEY_LINK, denied: { coloured: 'thresholds' } },
      sql: `SELECT denied, actor_name, actor_type, account, last_denied_at, uses, actor, key_arn FROM grafana.actor_usage
        WHERE denied > 0 AND $__timeFilter(last_denied_at) AND ${IN_SCOPE} ORDER BY denied DESC LIMIT 100`,
    },
    {
      kind: 'table',
      title: 'From another account',
      description: "Callers of an account that is not the key's.",
      unit: 'short',
      noData: 'Nobody came from another account',
      width: 12,
      height: 9,
      columns: { key_arn: KEY_LINK },
      sql: `SELECT actor_account, actor_name, account, uses, denied, first_at, last_at, actor, key_arn FROM grafana.actor_usage
        WHERE cross_account AND $__timeFilter(last_at) AND ${IN_SCOPE} ORDER BY last_at DESC LIMIT 100`,
    },
    {
      kind: 'table',
      title: 'Who uses most keys',
      description: 'Callers by the number of keys that they used.',
      unit: 'short',
      noData: 'Nobody used a key',
      width: 12,
      height: 9,
      sql: `SELECT actor_name, actor_type, count(DISTINCT key_arn) AS keys, sum(uses) AS uses, sum(denied) AS denied, max(last_at) AS last_at, actor FROM grafana.actor_usage
        WHERE uses > 0 AND $__timeFilter(last_at) AND ${IN_SCOPE} GROUP BY actor, actor_name, actor_type ORDER BY keys DESC, uses DESC LIMIT 50`,
    },
  ],
};
