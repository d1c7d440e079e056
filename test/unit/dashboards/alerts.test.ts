import { execFileSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { METRICS, type MetricSpec } from '../../../services/core/metrics.ts';

interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string; readonly runbook_url: string };
}

const FILES = globSync('dashboards/alerts/*.yaml').toSorted();
const TESTS = globSync('dashboards/alerts/tests/*.yaml').toSorted();

const rules = FILES.flatMap((file) =>
  (parse(readFileSync(file, 'utf8')) as { groups: { rules: Rule[] }[] }).groups.flatMap((group) => group.rules),
);
const alerts = rules.flatMap((rule) => (rule.alert === undefined ? [] : [[rule.alert, rule] as const]));
const recorded = new Set(rules.map(({ record }) => record));
const metrics = new Map<string, MetricSpec>(METRICS.map((metric) => [metric.name, metric]));

/** A histogram is asked for by the names of its parts. */
function metricOf(name: string): MetricSpec | undefined {
  return metrics.get(name) ?? metrics.get(name.replace(/_(bucket|count|sum)$/, ''));
}

describe('alert and recording rules', () => {
  test('promtool finds nothing wrong with them', () => {
    const said = execFileSync('promtool', ['check', 'rules', '--lint-fatal', ...FILES], { encoding: 'utf8' });
    expect(said.match(/SUCCESS/g)).toHaveLength(FILES.length);
  });

  test('promtool sees every alert fire where it should and stay silent where it should not', { timeout: 120_000 }, () => {
    const said = execFileSync('promtool', ['test', 'rules', ...TESTS], { encoding: 'utf8' });
    expect(said.match(/SUCCESS/g)).toHaveLength(TESTS.length);
    const tried = TESTS.flatMap(
      (file) =>
        (parse(readFileSync(file, 'utf8')) as { tests: { alert_rule_test: { alertname: string; exp_alerts: unknown[] }[] }[] }).tests,
    ).flatMap((each) => each.alert_rule_test);
    for (const [alert] of alerts) {
      const cases = tried.filter(({ alertname }) => alertname === alert).map(({ exp_alerts: expected }) => expected.length > 0);
      expect([alert, cases.includes(true), cases.includes(false)]).toEqual([alert, true, true]);
    }
  });

  test('each name is given once and begins with the component', () => {
    expect(new Set(alerts.map(([alert]) => alert)).size).toBe(alerts.length);
    for (const [alert] of alerts) expect(alert).toMatch(/^Kmswatch[A-Z]/);
  });

  test.each(rules.map((rule) => [rule.alert ?? rule.record, rule] as const))(
    '%s asks only for metrics and labels that exist',
    (_name, { expr }) => {
      const records = [...expr.matchAll(/kmswatch:[\w:]+/g)].map(([name]) => name);
      for (const record of records) expect(recorded).toContain(record);
      const names = [...expr.matchAll(/kmswatch_\w+/g)].map(([name]) => name);
      const named = names.map(metricOf);
      expect(named.length + records.length + (expr.startsWith('up{') ? 1 : 0)).toBeGreaterThan(0);
      expect(named).not.toContain(undefined);
      const labels = new Set(named.flatMap((metric) => Object.keys(metric?.labels ?? {})));
      for (const [, list = ''] of expr.matchAll(/by \(([^)]*)\)/g)) for (const label of list.split(', ')) expect(labels).toContain(label);
      for (const [, label = ''] of expr.matchAll(/[{,]\s*(\w+)(?:=~?|!~|!=)"/g)) expect(new Set([...labels, 'le', 'job'])).toContain(label);
    },
  );

  test('the bound of the ingest-lag objective is one that is counted', () => {
    const bounds = rules.flatMap(({ expr }) => [...expr.matchAll(/le="(\d+)"/g)].map(([, bound]) => Number(bound)));
    expect(bounds.length).toBeGreaterThan(0);
    for (const bound of bounds) expect(metrics.get('kmswatch_ingest_lag_seconds')?.buckets).toContain(bound);
  });

  test.each(alerts)('%s says how urgent it is, what it means and where to read on', (alert, { labels, annotations }) => {
    expect(['critical', 'warning', 'info']).toContain(labels.severity);
    expect(annotations.summary).toMatch(/^[A-Z].*\.$/);
    expect(annotations.summary).not.toContain('{{');
    expect(annotations.description.length).toBeGreaterThan(20);
    expect(annotations.runbook_url).toBe(`docs/runbooks/ops/${alert}.md`);
    const page = readFileSync(annotations.runbook_url, 'utf8');
    for (const heading of ['## What it means', '## Do now', '## Over when']) expect(page).toContain(heading);
    for (const [, target = ''] of page.matchAll(/\]\(([^)#]+)\)/g))
      expect([target, existsSync(`docs/runbooks/ops/${target}`)]).toEqual([target, true]);
  });

  test('there is no page of an alert that is gone', () => {
    const pages = globSync('docs/runbooks/ops/*.md').map((file) => file.replace(/^.*\/|\.md$/g, ''));
    expect(pages.toSorted()).toEqual(alerts.map(([alert]) => alert).toSorted());
  });
});
