/**
 * Every metric that kmswatch exposes, and nothing else: `platform/metrics.ts` creates them from this list, and the reference,
 * the dashboards and the alert rules are checked against it. Names follow https://prometheus.io/docs/practices/naming/.
 *
 * The values of a label are a closed list, or `registry`: a list that the composition root knows (detectors, sources, queues).
 * There are no other labels, so the number of series is known from the start.
 *
 * One list, and long for that reason.
 */
import { DRIFT_FACTS, UNREAD_REASONS } from './inventory.ts';
import type { KeyStateName } from './key.ts';
import { LAG_BOUNDS } from './lag.ts';
import { QUARANTINE_REASONS } from './quarantine.ts';
import { SEVERITIES } from './severity.ts';

export interface MetricSpec {
  readonly name: `kmswatch_${string}`;
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** One sentence for the reader of a dashboard. */
  readonly help: string;
  readonly labels: Readonly<Record<string, readonly string[] | 'registry'>>;
  readonly unit:
    | 'seconds'
    | 'records'
    | 'events'
    | 'fields'
    | 'matches'
    | 'evaluations'
    | 'errors'
    | 'findings'
    | 'keys'
    | 'baselines'
    | 'jobs'
    | 'notifications'
    | 'batches'
    | 'messages'
    | 'files'
    | 'digests'
    | 'areas'
    | 'places'
    | 'gaps'
    | 'runs'
    | 'info';
  /** Histograms only: upper bounds, ascending. */
  readonly buckets?: readonly number[];
}

/** What becomes of a reading of one account and Region; resumed: one that was cut off went on. */
export const INVENTORY_OUTCOMES = ['finished', 'failed', 'resumed'] as const;

export const BATCH_STAGES = ['open', 'normalize', 'store', 'detect', 'assess', 'verify'] as const;

export const KEY_STATES = [
  'Enabled',
  'Disabled',
  'PendingDeletion',
  'PendingReplicaDeletion',
  'PendingImport',
  'Deleted',
  'unknown',
] as const satisfies readonly (KeyStateName | 'unknown')[];

export const ROTATION_STANDINGS = ['compliant', 'disabled', 'overdue', 'not-applicable', 'unknown'] as const;

/** Whose habits are learned. */
export const BASELINE_SUBJECTS = ['key', 'caller'] as const;

/** What is told of a queue; jobs that are done are removed. */
export const QUEUE_STATES = ['waiting', 'active', 'delayed', 'failed'] as const;

export type QueueState = (typeof QUEUE_STATES)[number];

/** What can happen to a message of a queue that a source reads. */
export const MESSAGE_OUTCOMES = ['received', 'deleted', 'ignored', 'extended', 'lost', 'returned', 'quarantined', 'failed'] as const;

export type MessageOutcome = (typeof MESSAGE_OUTCOMES)[number];

/** What can be found of a digest of a trail, and of a log file that one lists. */
export const DIGEST_VERDICTS = ['verified', 'broken-signature', 'changed-file', 'missing-digest', 'unreadable'] as const;
export const LOG_FILE_VERDICTS = ['verified', 'missing-file', 'changed-file', 'unproven', 'unreadable'] as const;

/** How an account and Region of a trail stands after validation. */
export const INTEGRITY_STANDINGS = ['verified', 'failed', 'not-enabled', 'unknown'] as const;

export const NOTIFICATION_OUTCOMES = ['delivered', 'retried', 'failed', 'superseded'] as const;

const REASONS = Object.keys(QUARANTINE_REASONS);

export const METRICS = [
  {
    name: 'kmswatch_build_info',
    type: 'gauge',
    unit: 'info',
    labels: { version: 'registry', node: 'registry' },
    help: 'Always 1; the labels say what is running.',
  },
  {
    name: 'kmswatch_records_received_total',
    type: 'counter',
    unit: 'records',
    labels: { source: 'registry' },
    help: 'CloudTrail records that a source delivered.',
  },
  {
    name: 'kmswatch_records_irrelevant_total',
    type: 'counter',
    unit: 'records',
    labels: { source: 'registry' },
    help: 'Received records that concern neither KMS nor any enabled detector, and were passed over.',
  },
  {
    name: 'kmswatch_records_quarantined_total',
    type: 'counter',
    unit: 'records',
    labels: { source: 'registry', reason: REASONS },
    help: 'Received inputs that could not be processed and were put aside whole.',
  },
  {
    name: 'kmswatch_events_stored_total',
    type: 'counter',
    unit: 'events',
    labels: { source: 'registry' },
    help: 'Events stored for the first time.',
  },
  {
    name: 'kmswatch_events_duplicate_total',
    type: 'counter',
    unit: 'events',
    labels: { source: 'registry' },
    help: 'Events that were known already and counted as another observation.',
  },
  {
    name: 'kmswatch_events_conflicting_total',
    type: 'counter',
    unit: 'events',
    labels: { source: 'registry' },
    help: 'Events whose identity was known with other facts: forged, corrected or badly made.',
  },
  {
    name: 'kmswatch_fields_lost_total',
    type: 'counter',
    unit: 'fields',
    labels: { source: 'registry' },
    help: 'Unimportant fields of a wrong type that were given up while their record was kept.',
  },
  {
    name: 'kmswatch_batches_failed_total',
    type: 'counter',
    unit: 'batches',
    labels: { source: 'registry' },
    help: 'Deliveries that could not be stored after all retries.',
  },
  {
    name: 'kmswatch_batch_duration_seconds',
    type: 'histogram',
    unit: 'seconds',
    labels: { stage: BATCH_STAGES },
    help: 'Time that one run of a stage took.',
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
  },
  {
    name: 'kmswatch_ingest_lag_seconds',
    type: 'histogram',
    unit: 'seconds',
    labels: { source: 'registry' },
    help: 'From the time of an event to the time it was stored.',
    buckets: LAG_BOUNDS,
  },
  {
    name: 'kmswatch_source_last_success_timestamp_seconds',
    type: 'gauge',
    unit: 'seconds',
    labels: { source: 'registry' },
    help: 'When this source last brought something that was stored, or was polled and had nothing, Unix time; 0 = never.',
  },
  {
    name: 'kmswatch_source_messages_total',
    type: 'counter',
    unit: 'messages',
    labels: { source: 'registry', outcome: MESSAGE_OUTCOMES },
    help: 'What happened to messages of the queues that a source reads; ignored: in it was nothing for us, failed: calls to SQS.',
  },
  {
    name: 'kmswatch_source_dead_letter_messages',
    type: 'gauge',
    unit: 'messages',
    labels: { source: 'registry' },
    help: 'Messages in the dead-letter queues of the queues that a source reads, about; 0 where there is no such queue.',
  },
  {
    name: 'kmswatch_coverage_gaps',
    type: 'gauge',
    unit: 'gaps',
    labels: { source: 'registry' },
    help: 'Hours of an account and Region, in the last seven days, of which a source has missed something.',
  },
  {
    name: 'kmswatch_lookup_places_over_capacity',
    type: 'gauge',
    unit: 'places',
    labels: {},
    help: 'Accounts × Regions in which more happens than LookupEvents can tell.',
  },
  {
    name: 'kmswatch_detector_evaluations_total',
    type: 'counter',
    unit: 'evaluations',
    labels: { detector: 'registry' },
    help: 'Subjects that a detector has judged.',
  },
  {
    name: 'kmswatch_detector_matches_total',
    type: 'counter',
    unit: 'matches',
    labels: { detector: 'registry' },
    help: "A detector's yeses, before those with the same dedup key became one finding.",
  },
  {
    name: 'kmswatch_detector_errors_total',
    type: 'counter',
    unit: 'errors',
    labels: { detector: 'registry' },
    help: 'Evaluations in which a detector threw; the others went on.',
  },
  {
    name: 'kmswatch_detector_duration_seconds',
    type: 'histogram',
    unit: 'seconds',
    labels: { detector: 'registry' },
    help: 'Time that a detector took to judge one subject.',
    buckets: [0.0001, 0.001, 0.01, 0.1, 1],
  },
  {
    name: 'kmswatch_findings_open',
    type: 'gauge',
    unit: 'findings',
    labels: { severity: SEVERITIES, detector: 'registry' },
    help: 'Findings that are open.',
  },
  {
    name: 'kmswatch_keys',
    type: 'gauge',
    unit: 'keys',
    labels: { state: KEY_STATES },
    help: 'Known KMS keys by state.',
  },
  {
    name: 'kmswatch_keys_rotation',
    type: 'gauge',
    unit: 'keys',
    labels: { standing: ROTATION_STANDINGS },
    help: 'Known KMS keys by how their rotation stands.',
  },
  {
    name: 'kmswatch_inventory_runs_total',
    type: 'counter',
    unit: 'runs',
    labels: { outcome: INVENTORY_OUTCOMES },
    help: 'Readings of the keys of one account and Region from KMS, by what became of them.',
  },
  {
    name: 'kmswatch_inventory_keys_unread',
    type: 'gauge',
    unit: 'keys',
    labels: { reading: ['partly', 'unreadable'], reason: UNREAD_REASONS },
    help: 'Keys about which KMS did not answer, or not everything, at the last reading, by reason.',
  },
  {
    name: 'kmswatch_inventory_keys_adrift',
    type: 'gauge',
    unit: 'keys',
    labels: { fact: DRIFT_FACTS },
    help: 'Keys of which KMS says otherwise than the events before that, beyond what late events explain: events were missed.',
  },
  {
    name: 'kmswatch_inventory_last_success_timestamp_seconds',
    type: 'gauge',
    unit: 'seconds',
    labels: {},
    help: 'When the configured account and Region that was read longest ago was last read to the end, Unix time; 0 = one never was.',
  },
  {
    name: 'kmswatch_baselines_learning',
    type: 'gauge',
    unit: 'baselines',
    labels: { subject: BASELINE_SUBJECTS },
    help: 'Keys and callers whose habits are on record for less than 14 days: baseline detectors say nothing of them yet.',
  },
  {
    name: 'kmswatch_queue_jobs',
    type: 'gauge',
    unit: 'jobs',
    labels: { queue: 'registry', state: QUEUE_STATES },
    help: 'Jobs in a queue.',
  },
  {
    name: 'kmswatch_queue_oldest_job_age_seconds',
    type: 'gauge',
    unit: 'seconds',
    labels: { queue: 'registry' },
    help: 'How long the oldest waiting job of a queue has been waiting; 0 = none waits.',
  },
  {
    name: 'kmswatch_notifications_total',
    type: 'counter',
    unit: 'notifications',
    labels: { receiver: 'registry', outcome: NOTIFICATION_OUTCOMES },
    help: 'Notifications by what became of them; retried: a try that failed, superseded: a later one says it too.',
  },
  {
    name: 'kmswatch_notifications_pending',
    type: 'gauge',
    unit: 'notifications',
    labels: { receiver: 'registry' },
    help: 'Notifications that wait to be sent.',
  },
  {
    name: 'kmswatch_notification_oldest_pending_age_seconds',
    type: 'gauge',
    unit: 'seconds',
    labels: { receiver: 'registry' },
    help: 'How long the oldest notification of a receiver has been waiting to be sent; 0 = none waits.',
  },
  {
    name: 'kmswatch_notification_latency_seconds',
    type: 'histogram',
    unit: 'seconds',
    labels: { receiver: 'registry' },
    help: 'From the commit of the change that is told until the receiver had it; the waiting that routes ask for is part of it.',
    buckets: [0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3_600],
  },
  {
    name: 'kmswatch_integrity_digests_total',
    type: 'counter',
    unit: 'digests',
    labels: { verdict: DIGEST_VERDICTS },
    help: 'Digests of trails by what validation found; one that turns out otherwise later counts again.',
  },
  {
    name: 'kmswatch_integrity_log_files_total',
    type: 'counter',
    unit: 'files',
    labels: { verdict: LOG_FILE_VERDICTS },
    help: 'Log files that digests list by what validation found; one that turns out otherwise later counts again.',
  },
  {
    name: 'kmswatch_integrity_areas',
    type: 'gauge',
    unit: 'areas',
    labels: { standing: INTEGRITY_STANDINGS },
    help: 'Accounts x Regions of the configured trails by how they stood at the last check; unknown: they could not be read.',
  },
  {
    name: 'kmswatch_integrity_verified_timestamp_seconds',
    type: 'gauge',
    unit: 'seconds',
    labels: {},
    help: 'End of the newest verified digest, Unix time, of the account x Region where that is longest ago; 0 = none was verified.',
  },
  {
    name: 'kmswatch_scrape_errors_total',
    type: 'counter',
    unit: 'errors',
    labels: {},
    help: 'Scrapes for which the gauges that come from the database could not be brought up to date.',
  },
] as const satisfies readonly MetricSpec[];
