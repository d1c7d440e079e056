/**
 * Every metric that kmswatch exposes, and nothing else: `platform/metrics.ts` creates them from this list, and the reference,
 * the dashboards and the alert rules are checked against it. Names follow https://prometheus.io/docs/practices/naming/.
 *
 * The values of a label are a closed list, or `registry`: a list that the composition root knows (detectors, sources, queues).
 * There are no other labels, so the number of series is known from the start.
 */
import type { KeyStateName } from './key.ts';
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
    | 'jobs'
    | 'notifications'
    | 'batches'
    | 'messages'
    | 'info';
  /** Histograms only: upper bounds, ascending. */
  readonly buckets?: readonly number[];
}

export const BATCH_STAGES = ['open', 'normalize', 'store', 'detect', 'assess'] as const;

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

/** What is told of a queue; jobs that are done are removed. */
export const QUEUE_STATES = ['waiting', 'active', 'delayed', 'failed'] as const;

export type QueueState = (typeof QUEUE_STATES)[number];

/** What can happen to a message of a queue that a source reads. */
export const MESSAGE_OUTCOMES = ['received', 'deleted', 'ignored', 'extended', 'lost', 'returned', 'quarantined', 'failed'] as const;

export type MessageOutcome = (typeof MESSAGE_OUTCOMES)[number];

export const NOTIFICATION_OUTCOMES = ['delivered', 'failed'] as const;

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
    labels: {},
    help: 'From the time of an event to the time it was stored.',
    buckets: [1, 5, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 21_600, 86_400],
  },
  {
    name: 'kmswatch_source_last_success_timestamp_seconds',
    type: 'gauge',
    unit: 'seconds',
    labels: { source: 'registry' },
    help: 'When a delivery of this source was last stored, Unix time; 0 = never.',
  },
  {
    name: 'kmswatch_source_messages_total',
    type: 'counter',
    unit: 'messages',
    labels: { source: 'registry', outcome: MESSAGE_OUTCOMES },
    help: 'What happened to messages of the queues that a source reads; ignored: in it was nothing for us, failed: calls to SQS.',
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
    help: 'Notifications that were sent, or given up after all retries.',
  },
  {
    name: 'kmswatch_scrape_errors_total',
    type: 'counter',
    unit: 'errors',
    labels: {},
    help: 'Scrapes for which the gauges that come from the database could not be brought up to date.',
  },
] as const satisfies readonly MetricSpec[];
