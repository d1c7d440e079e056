import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { METRICS, type MetricSpec } from '../../../services/core/metrics.ts';

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string };
}

const file = parse(readFileSync('dashboards/alerts/kmswatch.yaml', 'utf8')) as { groups: { name: string; rules: Rule[] }[] };
const rules = file.groups.flatMap((group) => group.rules);
const metrics = new Map<string, MetricSpec>(METRICS.map((metric) => [metric.name, metric]));

describe('alert rules', () => {
  test('each name is given once and begins with the component', () => {
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
    for (const { alert } of rules) expect(alert).toMatch(/^Kmswatch[A-Z]/);
  });

  test.each(rules.map((rule) => [rule.alert, rule] as const))('%s asks only for metrics and labels that exist', (_name, { expr }) => {
    const named = [...expr.matchAll(/kmswatch_[a-z_]+/g)].map(([name]) => metrics.get(name));
    expect(named.length).toBeGreaterThan(0);
    const labels = new Set(named.flatMap((metric) => Object.keys(metric?.labels ?? {})));
    expect(named).not.toContain(undefined);
    for (const [, list = ''] of expr.matchAll(/by \(([^)]*)\)/g)) for (const label of list.split(', ')) expect(labels).toContain(label);
    for (const [, label = ''] of expr.matchAll(/[{,]\s*(\w+)=/g)) expect(labels).toContain(label);
  });

  test.each(rules.map((rule) => [rule.alert, rule] as const))(
    '%s says how urgent it is and what it means',
    (_name, { labels, annotations }) => {
      expect(['critical', 'warning', 'info']).toContain(labels.severity);
      expect(annotations.summary).toMatch(/^[A-Z].*\.$/);
      expect(annotations.summary).not.toContain('{{');
      expect(annotations.description.length).toBeGreaterThan(20);
    },
  );
});
