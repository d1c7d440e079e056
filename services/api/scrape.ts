/**
 * Metrics that Postgres and the queues know for all processes together, brought up to date at each scrape. Counters are raised by
 * what the totals have grown since the scrape before, so that they only ever grow while the process lives.
 */
import type { Counter } from 'prom-client';
import { KEY_STATES, QUEUE_STATES, ROTATION_STANDINGS } from '../core/metrics.ts';
import { SEVERITIES } from '../core/severity.ts';
import { within } from '../platform/clock.ts';
import { ingestTotals, keyTotals, openFindings, quarantineTotals } from '../store/totals.ts';
import type { QueueName } from '../workers/queues.ts';
import type { Service } from '../workers/service.ts';

/** A scrape that waits for a database that does not answer would be given up by Prometheus, and everything with it. */
const TIMEOUT_MS = 2_000;

/** @returns what brings the metrics up to date; rejects when that fails or takes longer than two seconds. One at a time. */
export function createRefresh(service: Service): () => Promise<void> {
  const raise = createRaise();
  let running: Promise<unknown> | null = null;
  return async () => {
    running ??= refresh(service, raise).finally(() => {
      running = null;
    });
    await within(TIMEOUT_MS, running, () => new Error('the database or the queues took too long'));
  };
}

type Raise = <L extends string>(counter: Counter<L>, labels: Record<L, string>, total: number) => void;

function createRaise(): Raise {
  const known = new Map<string, number>();
  return (counter, labels, total) => {
    const name = JSON.stringify([(counter as unknown as { name: string }).name, labels]);
    const before = known.get(name) ?? 0;
    known.set(name, total);
    // Totals shrink when the database was replaced by another one: then all of it is new.
    if (total !== before) counter.inc(labels, total > before ? total - before : total);
  };
}

async function refresh(service: Service, raise: Raise): Promise<void> {
  await Promise.all([refreshTotals(service, raise), refreshFindings(service), refreshKeys(service), refreshQueues(service)]);
}

async function refreshTotals({ deps, metrics }: Service, raise: Raise): Promise<void> {
  const [totals, quarantined] = await Promise.all([ingestTotals(deps.pool), quarantineTotals(deps.pool)]);
  for (const total of totals) {
    const labels = { source: total.source };
    raise(metrics.kmswatch_records_received_total, labels, total.records);
    raise(metrics.kmswatch_records_irrelevant_total, labels, Math.max(0, total.records - total.relevant - total.quarantined));
    raise(metrics.kmswatch_events_stored_total, labels, total.stored);
    raise(metrics.kmswatch_events_duplicate_total, labels, total.duplicates);
    raise(metrics.kmswatch_events_conflicting_total, labels, total.conflicts);
    raise(metrics.kmswatch_fields_lost_total, labels, total.lostFields);
    metrics.kmswatch_source_last_success_timestamp_seconds.set(labels, total.lastStoredAt / 1000);
  }
  for (const { source, reason, count } of quarantined) raise(metrics.kmswatch_records_quarantined_total, { source, reason }, count);
}

async function refreshFindings({ deps, metrics }: Service): Promise<void> {
  const findings = await openFindings(deps.pool);
  // Those that are not among the rows have none.
  for (const { detector } of deps.detectors)
    for (const severity of SEVERITIES) metrics.kmswatch_findings_open.set({ severity, detector: detector.id }, 0);
  for (const { severity, detector, count } of findings) metrics.kmswatch_findings_open.set({ severity, detector }, count);
}

async function refreshKeys({ deps, metrics }: Service): Promise<void> {
  const totals = await keyTotals(deps.pool);
  const count = (matches: (total: (typeof totals)[number]) => boolean): number =>
    totals.filter(matches).reduce((sum, total) => sum + total.count, 0);
  for (const state of KEY_STATES)
    metrics.kmswatch_keys.set(
      { state },
      count((total) => total.state === state),
    );
  for (const standing of ROTATION_STANDINGS)
    metrics.kmswatch_keys_rotation.set(
      { standing },
      count((total) => total.standing === standing),
    );
}

async function refreshQueues({ deps, metrics }: Service): Promise<void> {
  const [counts, ages] = await Promise.all([deps.queues.counts(), deps.queues.oldestAgeSeconds()]);
  for (const queue of Object.keys(counts) as QueueName[]) {
    for (const state of QUEUE_STATES) metrics.kmswatch_queue_jobs.set({ queue, state }, counts[queue][state]);
    metrics.kmswatch_queue_oldest_job_age_seconds.set({ queue }, ages[queue]);
  }
}
