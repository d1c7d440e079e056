/**
 * Metrics that Postgres and the queues know for all processes together, brought up to date at each scrape. Counters are raised by
 * what the totals have grown since the scrape before, so that they only ever grow while the process lives.
 */
import type { Counter } from 'prom-client';
import { DRIFT_FACTS, UNREAD_REASONS } from '../core/inventory.ts';
import { DAY } from '../core/clock.ts';
import { BASELINE_SUBJECTS, INTEGRITY_STANDINGS, KEY_STATES, QUEUE_STATES, ROTATION_STANDINGS } from '../core/metrics.ts';
import { SEVERITIES } from '../core/severity.ts';
import { SOURCE_NAMES } from '../sources/contract.ts';
import { within } from '../platform/clock.ts';
import { pendingByReceiver } from '../store/notifications.ts';
import { placeName, placesOf } from '../sources/inventory/place.ts';
import { placeStandings } from '../store/inventory-runs.ts';
import { inventoryTotals } from '../store/read/inventory.ts';
import { missingHours } from '../store/read/coverage.ts';
import { integrityTotals } from '../store/digests-problems.ts';
import { learningCounts } from '../store/habits-read.ts';
import { ingestTotals, keyTotals, lastStored, openFindings, quarantineTotals } from '../store/totals.ts';
import type { QueueName } from '../workers/queues.ts';
import type { Service } from '../workers/service.ts';
import { polling } from '../workers/source-standings.ts';
import { detectorLabel } from '../workers/telemetry.ts';

/** A scrape that waits for a database that does not answer would be given up by Prometheus, and everything with it. */
const TIMEOUT_MS = 2_000;

/** The default of the detectors' `learningDays`. */
const LEARNING_DAYS = 14;

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
  await Promise.all([
    refreshTotals(service, raise),
    refreshFindings(service),
    refreshBaselines(service),
    refreshKeys(service),
    refreshQueues(service),
    refreshSources(service),
    refreshInventory(service, raise),
    refreshOutbox(service),
    refreshIntegrity(service, raise),
  ]);
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
  }
  for (const { source, reason, count } of quarantined) raise(metrics.kmswatch_records_quarantined_total, { source, reason }, count);
}

async function refreshSources({ deps: { pool, clock }, metrics }: Service): Promise<void> {
  const now = clock.now();
  const [stored, missing, polled] = await Promise.all([lastStored(pool), missingHours(pool, now - 7 * DAY), polling(pool, now)]);
  for (const source of SOURCE_NAMES) {
    metrics.kmswatch_coverage_gaps.set({ source }, missing.get(source) ?? 0);
    // A polled account in which nothing happens brings no deliveries, and is read all the same.
    const heard = Math.max(stored.get(source) ?? 0, source === 'lookup-events' ? (polled.at ?? 0) : 0);
    if (heard > 0) metrics.kmswatch_source_last_success_timestamp_seconds.set({ source }, heard / 1000);
  }
  metrics.kmswatch_lookup_places_over_capacity.set(polled.over.length);
}

async function refreshFindings({ deps, metrics }: Service): Promise<void> {
  const findings = await openFindings(deps.pool);
  // Those that are not among the rows have none.
  for (const { detector } of deps.detectors)
    for (const severity of SEVERITIES) metrics.kmswatch_findings_open.set({ severity, detector: detectorLabel(detector.id) }, 0);
  for (const [detector, rows] of Map.groupBy(findings, (row) => detectorLabel(row.detector)))
    for (const [severity, same] of Map.groupBy(rows, (row) => row.severity))
      metrics.kmswatch_findings_open.set(
        { severity, detector },
        same.reduce((sum, { count }) => sum + count, 0),
      );
}

async function refreshIntegrity({ deps, metrics }: Service, raise: Raise): Promise<void> {
  const { verdicts, areas, verifiedUntil } = await integrityTotals(deps.pool);
  for (const { kind, verdict, count } of verdicts)
    raise(kind === 'digest' ? metrics.kmswatch_integrity_digests_total : metrics.kmswatch_integrity_log_files_total, { verdict }, count);
  for (const standing of INTEGRITY_STANDINGS) metrics.kmswatch_integrity_areas.set({ standing }, 0);
  for (const { standing, count } of areas) metrics.kmswatch_integrity_areas.set({ standing }, count);
  metrics.kmswatch_integrity_verified_timestamp_seconds.set({}, (verifiedUntil ?? 0) / 1000);
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

async function refreshInventory({ deps, metrics, config }: Service, raise: Raise): Promise<void> {
  const { unread, drift, ...runs } = await inventoryTotals(deps.pool, deps.clock.now());
  for (const outcome of ['finished', 'failed', 'resumed'] as const)
    raise(metrics.kmswatch_inventory_runs_total, { outcome }, runs[outcome]);
  for (const reading of ['partly', 'unreadable'] as const)
    for (const reason of UNREAD_REASONS) {
      const { count = 0 } = unread.find((each) => each.reading === reading && each.reason === reason) ?? {};
      metrics.kmswatch_inventory_keys_unread.set({ reading, reason }, count);
    }
  for (const fact of DRIFT_FACTS)
    metrics.kmswatch_inventory_keys_adrift.set({ fact }, drift.find((each) => each.fact === fact)?.count ?? 0);
  if (config.inventory === undefined) return;
  const standings = new Map((await placeStandings(deps.pool)).map((each) => [placeName(each), each.lastSuccessAt ?? 0]));
  const successes = placesOf(config.inventory).map((place) => standings.get(placeName(place)) ?? 0);
  metrics.kmswatch_inventory_last_success_timestamp_seconds.set(successes.reduce((a, b) => Math.min(a, b), Infinity) / 1000);
}

async function refreshBaselines({ deps, metrics }: Service): Promise<void> {
  const learning = await learningCounts(deps.pool, { now: deps.clock.now(), days: LEARNING_DAYS });
  for (const subject of BASELINE_SUBJECTS) metrics.kmswatch_baselines_learning.set({ subject }, learning[subject]);
}

async function refreshQueues({ deps, metrics }: Service): Promise<void> {
  const [counts, ages] = await Promise.all([deps.queues.counts(), deps.queues.oldestAgeSeconds()]);
  for (const queue of Object.keys(counts) as QueueName[]) {
    for (const state of QUEUE_STATES) metrics.kmswatch_queue_jobs.set({ queue, state }, counts[queue][state]);
    metrics.kmswatch_queue_oldest_job_age_seconds.set({ queue }, ages[queue]);
  }
}

async function refreshOutbox({ deps, metrics }: Service): Promise<void> {
  const pending = new Map((await pendingByReceiver(deps.pool)).map((each) => [each.receiver, each]));
  for (const receiver of deps.alerting.receivers.keys()) {
    const { count = 0, oldest = deps.clock.now() } = pending.get(receiver) ?? {};
    metrics.kmswatch_notifications_pending.set({ receiver }, count);
    metrics.kmswatch_notification_oldest_pending_age_seconds.set({ receiver }, Math.max(0, deps.clock.now() - oldest) / 1000);
  }
}
