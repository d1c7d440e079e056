/**
 * Telemetry is an event: one function writes the log line and moves the counter, so that they cannot drift. Totals that must be
 * true for all processes together (records, events, findings, keys) are read from Postgres at the scrape, see `scrape.ts`.
 */
import type { BATCH_STAGES, METRICS } from '../core/metrics.ts';
import { isSigma } from '../detectors/sigma/detector.ts';
import type { Logger } from '../platform/logger.ts';
import { monotonicMs } from '../platform/clock.ts';
import type { Metrics } from '../platform/metrics.ts';
import type { Evaluated } from '../store/detector-health.ts';
import type { BatchToStore, StoredBatch } from '../store/ingest.ts';
import type { ClaimedNotification, Outcome, Superseded } from '../store/notifications.ts';

/** In metrics all rules of the user together are one detector: label sets are closed, and rules come and go. */
export const SIGMA_LABEL = 'sigma';

export function detectorLabel(id: string): string {
  return isSigma(id) ? SIGMA_LABEL : id;
}

type Stage = (typeof BATCH_STAGES)[number];

export interface Telemetry {
  timed<T>(stage: Stage, work: () => Promise<T>): Promise<T>;
  timedSync<T>(stage: Stage, work: () => T): T;
  batchStored(batch: BatchToStore, stored: StoredBatch): void;
  batchFailed(source: string, message: string): void;
  conflictsFound(source: string, count: number): void;
  /** Events of another account than the place where they lay says. */
  accountsDiffer(batch: BatchToStore, count: number): void;
  evaluated(evaluations: readonly { detector: string; matches: number; milliseconds: number }[]): void;
  /** What was evaluated since it was last taken, by detector. */
  takeEvaluations(): Evaluated[];
  detectorsFailed(failures: readonly { detector: string; subject: string; message: string }[]): void;
  decided(group: { readonly groupKey: string; readonly receiver: string }, because: string): void;
  superseded(notifications: readonly Superseded[]): void;
  notified(sent: { readonly claimed: ClaimedNotification; readonly outcome: Outcome }): void;
}

export function createTelemetry(metrics: Metrics<typeof METRICS>, logger: Logger): Telemetry {
  const observe = (stage: Stage, since: number): void =>
    metrics.kmswatch_batch_duration_seconds.observe({ stage }, (monotonicMs() - since) / 1000);
  const sums = new Map<string, Evaluated>();
  return {
    async timed(stage, work) {
      const since = monotonicMs();
      try {
        return await work();
      } finally {
        observe(stage, since);
      }
    },
    timedSync(stage, work) {
      const since = monotonicMs();
      try {
        return work();
      } finally {
        observe(stage, since);
      }
    },
    batchStored(batch, stored) {
      // A replay's events are old by nature; their age says nothing about how fast we are.
      if (batch.source !== 'replay') {
        for (const row of stored.inserted)
          metrics.kmswatch_ingest_lag_seconds.observe({ source: batch.source }, Math.max(0, batch.storedAt - row.eventTime) / 1000);
      }
      const summary = {
        batch: batch.batchId,
        source: batch.source,
        records: batch.records,
        stored: stored.inserted.length,
        duplicates: stored.duplicates,
      };
      logger.debug(summary, 'batch stored');
      for (const input of batch.quarantined.slice(0, 20)) {
        logger.warn(
          { batch: batch.batchId, source: batch.source, reason: input.reason, ordinal: input.ordinal, detail: input.message },
          'record quarantined',
        );
      }
    },
    batchFailed(source, message) {
      metrics.kmswatch_batches_failed_total.inc({ source });
      logger.error({ source, detail: message }, 'delivery given up');
    },
    conflictsFound(source, count) {
      logger.warn({ source, count }, 'events are told in more than one way');
    },
    accountsDiffer({ batchId: batch, source, locator }, count) {
      logger.warn({ batch, source, locator, count }, 'events are of another account than the name of their object says');
    },
    evaluated(evaluations) {
      for (const { detector: id, matches, milliseconds } of evaluations) {
        const detector = detectorLabel(id);
        metrics.kmswatch_detector_evaluations_total.inc({ detector });
        if (matches > 0) metrics.kmswatch_detector_matches_total.inc({ detector }, matches);
        metrics.kmswatch_detector_duration_seconds.observe({ detector }, milliseconds / 1000);
        const sum = sums.get(id) ?? { detector: id, evaluations: 0, matches: 0, milliseconds: 0 };
        sums.set(id, {
          detector: id,
          evaluations: sum.evaluations + 1,
          matches: sum.matches + matches,
          milliseconds: sum.milliseconds + milliseconds,
        });
      }
    },
    takeEvaluations() {
      const taken = [...sums.values()];
      sums.clear();
      return taken;
    },
    detectorsFailed(failures) {
      for (const failure of failures) {
        metrics.kmswatch_detector_errors_total.inc({ detector: detectorLabel(failure.detector) });
        logger.error(failure, 'detector failed');
      }
    },
    decided({ groupKey, receiver }, because) {
      logger.debug({ receiver, group: groupKey, because }, 'alert group decided');
    },
    superseded(notifications) {
      for (const { receiver, count } of notifications) metrics.kmswatch_notifications_total.inc({ receiver, outcome: 'superseded' }, count);
    },
    notified({ claimed, outcome }) {
      const { receiver, reason, groupId: group, attempts, idempotencyKey: key } = claimed;
      const told = { receiver, reason, group, attempts, key };
      if (outcome.isUntried) return;
      metrics.kmswatch_notifications_total.inc({ receiver, outcome: outcome.state === 'pending' ? 'retried' : outcome.state });
      if (outcome.state === 'delivered') {
        if (claimed.committedAt !== null)
          metrics.kmswatch_notification_latency_seconds.observe({ receiver }, Math.max(0, outcome.at - claimed.committedAt) / 1000);
        logger.debug(told, 'notification delivered');
      } else if (outcome.state === 'failed') logger.error({ ...told, error: outcome.error }, 'notification given up');
      else
        logger.warn(
          { ...told, error: outcome.error, nextAttempt: new Date(outcome.nextAttemptAt).toISOString() },
          'notification will be tried again',
        );
    },
  };
}
