import { buildDashboard } from '../../dashboards/grafana/dashboard.ts';
import { DASHBOARDS } from '../../dashboards/grafana/dashboards.ts';

/** dashboards/grafana/generated/*.json, which Grafana reads. */
export function grafanaDashboards(): Map<string, string> {
  return new Map(
    DASHBOARDS.map((spec) => {
      const name = spec.uid.replace('kmswatch-', '');
      return [`dashboards/grafana/generated/${name}.json`, `${JSON.stringify(buildDashboard(spec), null, 2)}\n`];
    }),
  );
}
