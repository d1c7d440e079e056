import { Counter, collectDefaultMetrics, Gauge, Histogram, type Registry } from 'prom-client';
import type { MetricSpec } from '../core/metrics.ts';

/** Values of the labels whose list is not in the catalogue: the registered detectors, sources, queues … */
export type LabelValues = Readonly<Record<string, readonly string[]>>;

type LabelOf<S extends MetricSpec> = Extract<keyof S['labels'], string>;

/** One prom-client metric an entry, under its full name: `metrics.kmswatch_keys.set({ state }, 3)`. */
export type Metrics<C extends readonly MetricSpec[]> = {
  readonly [S in C[number] as S['name']]: S extends { type: 'counter' }
    ? Counter<LabelOf<S>>
    : S extends { type: 'gauge' }
      ? Gauge<LabelOf<S>>
      : Histogram<LabelOf<S>>;
};

/**
 * Creates the catalogue's metrics on the registry given, each with all its label combinations at zero: a rate over
 * something that has not happened yet is 0, not absent.
 *
 * @param values a list for every label that the catalogue leaves to a registry
 * @throws TypeError when such a list is missing
 */
export function createMetrics<const C extends readonly MetricSpec[]>(registry: Registry, catalogue: C, values: LabelValues): Metrics<C> {
  const metrics: Record<string, Counter | Gauge | Histogram> = {};
  for (const spec of catalogue) metrics[spec.name] = createMetric(registry, spec, values);
  // Built from the same catalogue that the type is made of.
  return metrics as unknown as Metrics<C>;
}

/** CPU, memory, event loop and garbage collection of this process, under the usual `process_` and `nodejs_` names. */
export function observeProcess(registry: Registry): void {
  collectDefaultMetrics({ register: registry });
}

function createMetric(registry: Registry, spec: MetricSpec, values: LabelValues): Counter | Gauge | Histogram {
  const common = { name: spec.name, help: spec.help, labelNames: Object.keys(spec.labels), registers: [registry] };
  const combinations = combinationsOf(spec, values);
  if (spec.type === 'histogram') {
    const histogram = new Histogram({ ...common, buckets: [...(spec.buckets ?? [])] });
    for (const labels of combinations) histogram.zero(labels);
    return histogram;
  }
  if (spec.type === 'gauge') {
    const gauge = new Gauge(common);
    for (const labels of combinations) gauge.set(labels, 0);
    return gauge;
  }
  const counter = new Counter(common);
  for (const labels of combinations) counter.inc(labels, 0);
  return counter;
}

/** The cross product of the label values; one empty combination where there are no labels. */
function combinationsOf(spec: MetricSpec, values: LabelValues): Record<string, string>[] {
  let combinations: Record<string, string>[] = [{}];
  for (const [label, closed] of Object.entries(spec.labels)) {
    const list = closed === 'registry' ? values[label] : closed;
    if (!list) throw new TypeError(`${spec.name}: no list of values was given for the label ${label}`);
    combinations = combinations.flatMap((base) => list.map((value) => ({ ...base, [label]: value })));
  }
  return combinations;
}
