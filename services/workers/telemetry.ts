/**
 * Telemetry is an event: one function writes the log line and moves the counter, so that they cannot drift. Totals that must be
 * true for all processes together (records, events, findings, keys) are read from Postgres at the scrape, see `scrape.ts`.
 */
import type { METRICS } from '../core/metrics.ts';
import type { Logger } from '../platform/logger.ts';
import { monotonicMs } from '../platform/clock.ts';
import type { Metrics } from '../platform/metrics.ts';
import type { BatchToStore, StoredBatch } from '../store/ingest.ts';
import type { PendingNotification } from '../store/notifications.ts';

type Stage = 'open' | 'normalize' | 'store' | 'detect' | 'assess';

export interface Telemetry {
  timed<T>(stage: Stage, work: () => Promise<T>): Promise<T>;
  timedSync<T>(stage: Stage, work: () => T): T;
  batchStored(batch: BatchToStore, stored: StoredBatch): void;
  batchFailed(source: string, message: string): void;
  conflictsFound(source: string, count: number): void;
  /** Events of another account than the place where they lay says. */
  accountsDiffer(batch: BatchToStore, count: number): void;
  evaluated(evaluations: readonly { detector: string; matches: number; milliseconds: number }[]): void;
  detectorsFailed(failures: readonly { detector: string; subject: string; message: string }[]): void;
  notified(notification: PendingNotification): void;
}

export function createTelemetry(metrics: Metrics<typeof METRICS>, logger: Logger): Telemetry {
  const observe = (stage: Stage, since: number): void =>
    metrics.kmswatch_batch_duration_seconds.observe({ stage }, (monotonicMs() - since) / 1000);
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
        for (const row of stored.inserted) metrics.kmswatch_ingest_lag_seconds.observe(Math.max(0, batch.storedAt - row.eventTime) / 1000);
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
      for (const { detector, matches, milliseconds } of evaluations) {
        metrics.kmswatch_detector_evaluations_total.inc({ detector });
        if (matches > 0) metrics.kmswatch_detector_matches_total.inc({ detector }, matches);
        metrics.kmswatch_detector_duration_seconds.observe({ detector }, milliseconds / 1000);
      }
    },
    detectorsFailed(failures) {
      for (const failure of failures) {
        metrics.kmswatch_detector_errors_total.inc({ detector: failure.detector });
        logger.error(failure, 'detector failed');
      }
    },
    notified(notification) {
      metrics.kmswatch_notifications_total.inc({ receiver: notification.receiver, outcome: 'delivered' });
      logger.info({ finding: notification.findingId, change: notification.change, ...notification.payload }, 'finding');
    },
  };
}
