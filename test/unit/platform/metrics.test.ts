import { Registry } from 'prom-client';
import { describe, expect, test } from 'vitest';
import { METRICS, type MetricSpec } from '../../../services/core/metrics.ts';
import { createMetrics, observeProcess } from '../../../services/platform/metrics.ts';

const VALUES = {
  source: ['replay', 's3-trail'],
  detector: ['one', 'two'],
  queue: ['ingest'],
  receiver: ['log'],
  version: ['1.2.3'],
  node: ['v24.0.0'],
};
const CATALOGUE: readonly MetricSpec[] = METRICS;

describe('the catalogue', () => {
  test.each(CATALOGUE.map((spec) => [spec.name, spec] as const))('%s keeps to the naming rules', (name, spec) => {
    expect(name).toMatch(/^kmswatch_[a-z]+(_[a-z]+)*$/);
    expect(name.endsWith('_total')).toBe(spec.type === 'counter');
    expect(name).not.toMatch(/_(milliseconds|ms|minutes|hours|days|count|sum|bucket|gauge|counter|histogram)(_|$)/);
    const bare = name.replace(/_total$/, '');
    const words = bare.split('_');
    expect(spec.unit === 'seconds' || spec.unit === 'info' ? words.slice(-1) : words).toContain(spec.unit);
    expect(spec.help).toMatch(/^[A-Z].*\.$/);
    expect('buckets' in spec).toBe(spec.type === 'histogram');
    const buckets = [...(spec.buckets ?? [])];
    expect(buckets).toEqual([...new Set(buckets)].sort((a, b) => a - b));
    for (const [label, values] of Object.entries(spec.labels)) {
      expect(label).toMatch(/^[a-z]+$/);
      expect(new Set(values).size).toBe(values === 'registry' ? new Set('registry').size : values.length);
    }
  });

  test('has every name once', () => {
    expect(new Set(CATALOGUE.map(({ name }) => name)).size).toBe(CATALOGUE.length);
  });

  test('has the names that are promised to stay', () => {
    const promised = {
      records_received_total: 'source',
      events_stored_total: 'source',
      events_duplicate_total: 'source',
      events_conflicting_total: 'source',
      records_quarantined_total: 'source,reason',
      ingest_lag_seconds: 'source',
      source_last_success_timestamp_seconds: 'source',
      detector_evaluations_total: 'detector',
      detector_errors_total: 'detector',
      findings_open: 'severity,detector',
      keys: 'state',
      keys_rotation: 'standing',
      queue_jobs: 'queue,state',
      notifications_total: 'receiver,outcome',
      build_info: 'version,node',
    };
    const found = new Map(CATALOGUE.map(({ name, labels }) => [name, Object.keys(labels).join(',')]));
    for (const [name, labels] of Object.entries(promised)) expect([name, found.get(`kmswatch_${name}`)]).toEqual([name, labels]);
  });
});

describe('the metrics', () => {
  test('are there with all their labels before anything has happened, at zero', async () => {
    const registry = new Registry();
    createMetrics(registry, METRICS, VALUES);
    const samples = (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    expect(samples.filter((line) => !line.endsWith(' 0'))).toEqual([]);
    for (const spec of CATALOGUE) {
      const combinations = Object.entries(spec.labels).reduce(
        (count, [label, values]) => count * (values === 'registry' ? VALUES[label as keyof typeof VALUES] : values).length,
        1,
      );
      const perSeries = spec.type === 'histogram' ? (spec.buckets?.length ?? 0) + 3 : 1;
      const own = samples.filter((line) => new RegExp(`^${spec.name}(_bucket|_sum|_count)?[ {]`).test(line));
      expect([spec.name, own.length]).toEqual([spec.name, combinations * perSeries]);
    }
  });

  test('count on the registry given and on no other', async () => {
    const [registry, other] = [new Registry(), new Registry()];
    const metrics = createMetrics(registry, METRICS, VALUES);
    createMetrics(other, METRICS, VALUES);
    metrics.kmswatch_records_received_total.inc({ source: 'replay' }, 3);
    metrics.kmswatch_keys.set({ state: 'Enabled' }, 2);
    metrics.kmswatch_ingest_lag_seconds.observe({ source: 'replay' }, 7);
    expect(await registry.metrics()).toContain('kmswatch_records_received_total{source="replay"} 3');
    expect(await registry.metrics()).toContain('kmswatch_ingest_lag_seconds_bucket{le="15",source="replay"} 1');
    expect(await other.metrics()).toContain('kmswatch_records_received_total{source="replay"} 0');
  });

  test('are not made when the values of a label are not known', () => {
    expect(() => createMetrics(new Registry(), METRICS, { ...VALUES, detector: undefined } as never)).toThrow(/detector/);
  });

  test('of the process are on the registry given', async () => {
    const registry = new Registry();
    observeProcess(registry);
    expect(await registry.metrics()).toContain('process_resident_memory_bytes');
  });
});
