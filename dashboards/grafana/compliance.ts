import { type DashboardSpec, IN_SCOPE, JOB } from './dashboard.ts';
import { KEY_LINK } from './links.ts';
import { DETECTORS } from '../../services/detectors/registry.ts';

const ACCOUNTS = 'account IN (${account:sqlstring})';

/** Findings of a family that stood at the end of each day, by account, from its first one until today. */
function standing(family: string): string {
  const ids = DETECTORS.filter((detector) => detector.family === family).map(({ id }) => `'${id}'`);
  return `WITH flow AS (SELECT account, day, sum(opened) - sum(resolved) AS change FROM grafana.finding_flow
        WHERE ${IN_SCOPE} AND detector IN (${ids.toSorted().join(', ')}) GROUP BY account, day),
      days AS (SELECT account, generate_series(min(day), now(), interval '24 hours') AS day FROM flow GROUP BY account)
    SELECT time, metric, value FROM (
      SELECT day AS time, account AS metric, sum(coalesce(change, 0)) OVER (PARTITION BY account ORDER BY day)::float8 AS value
      FROM days LEFT JOIN flow USING (account, day)) s WHERE $__timeFilter(time) ORDER BY time`;
}

const DUTIES = [
  ['rotation', 'Rotation', 'CIS 3.6 / 4.6, KMS.4, PCI 3.7.4, NIST SC-12', 'rotation'],
  ['deletion', 'Deletion', 'CIS 4.7 / 5.7, KMS.3, PCI 3.7.5, NIST SC-12', 'deletion'],
  ['exposure', 'Exposure', 'CIS 2.21, KMS.5, PCI 7.2, NIST AC-3, AC-6', 'exposure'],
  ['blinding', 'Logging', 'CIS 3.1 and 3.2, CloudTrail.1 and .4, PCI 10.2 and 10.3.4, NIST AU-9, AU-12', 'blinding'],
] as const;

export const compliance: DashboardSpec = {
  uid: 'kmswatch-compliance',
  title: 'Compliance',
  description:
    'Rotation, deletion, exposure and logging by account, over time, named by the controls that they serve. What is not known is not passed.',
  from: 'now-30d',
  panels: [
    {
      kind: 'table',
      title: 'How each account stands',
      description: 'By duty: keys (of logging: hours of the last seven days) that pass, fail or are not known, and the share that passes.',
      unit: 'short',
      noData: 'No key is known',
      width: 24,
      height: 10,
      limits: [1, 5],
      columns: { failing: { coloured: 'thresholds' }, share: { unit: 'percentunit' } },
      sql: `SELECT account, duty, controls, passing, failing, unknown, passing::float8 / nullif(passing + failing + unknown, 0) AS share
        FROM grafana.compliance WHERE ${ACCOUNTS} ORDER BY account, duty`,
    },
    ...DUTIES.map(([family, title, controls]) => ({
      kind: 'timeseries' as const,
      title: `${title} (${controls})`,
      description: `Findings of the family ${family} that stood at the end of each day, by account. They serve ${controls}.`,
      unit: 'short',
      noData: 'Nothing of this kind was found',
      width: 12,
      height: 8,
      drawnAs: 'steps' as const,
      sql: standing(family),
    })),
    {
      kind: 'timeseries',
      title: 'Coverage (CIS 3.1, PCI 10.2, NIST AU-12)',
      description:
        'Share of the hours of a day of which it is known that everything was seen, by account: what was only heard does not count.',
      unit: 'percentunit',
      noData: 'No source has shown anything in this time',
      width: 12,
      height: 8,
      sql: `SELECT date_trunc('day', hour) AS time, account AS metric, avg((standing = 'complete')::int)::float8 AS value FROM grafana.coverage
        WHERE $__timeFilter(hour) AND ${IN_SCOPE} GROUP BY 1, 2 ORDER BY 1`,
    },
    {
      kind: 'timeseries',
      title: 'Keys by rotation (CIS 3.6 / 4.6, KMS.4, PCI 3.7.4)',
      description: 'All known keys by how their rotation stands.',
      unit: 'short',
      noData: 'kmswatch is not scraped',
      width: 12,
      height: 8,
      stacked: true,
      prom: [{ expr: `max by (standing) (kmswatch_keys_rotation{${JOB}})`, legend: '{{standing}}' }],
    },
    {
      kind: 'table',
      title: 'Keys that do not rotate in time (KMS.4, PCI 3.7.4)',
      description: 'Keys whose rotation is off or overdue.',
      unit: 'short',
      noData: 'Every key that could rotate does',
      width: 12,
      height: 9,
      columns: { key_arn: KEY_LINK },
      sql: `SELECT account, region, alias, rotation_standing, last_rotated, created, key_arn FROM grafana.keys
        WHERE rotation_standing IN ('disabled', 'overdue') AND ${IN_SCOPE} ORDER BY last_rotated NULLS FIRST`,
    },
    {
      kind: 'table',
      title: 'Keys that others can reach (KMS.5, PCI 7.2, NIST AC-3)',
      description: 'Keys with an open finding that somebody outside, or everybody, may use them.',
      unit: 'short',
      noData: 'No key is known to be exposed',
      width: 12,
      height: 9,
      columns: { key_arn: KEY_LINK },
      sql: `SELECT account, region, alias, state, open_findings, last_used, key_arn FROM grafana.keys WHERE exposed AND ${IN_SCOPE} ORDER BY open_findings DESC`,
    },
  ],
};
