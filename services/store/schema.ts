/**
 * One list, and long for that reason: a table more is an interface and a line more.
 *
 * The tables as kysely sees them; `test/integration/schema.test.ts` compares them with the migrated database in both directions.
 * Timestamps come back as epoch milliseconds (see `platform/postgres.ts`) and go in as ISO text or Date.
 */
import type { ColumnType, Generated } from 'kysely';
import type { Json } from '../core/json.ts';

type Timestamp = ColumnType<number, Date | string, Date | string>;
type NullableTimestamp = ColumnType<number | null, Date | string | null | undefined, Date | string | null>;
type JsonColumn = ColumnType<Json, string, string>;
type NullableJson = ColumnType<Json, string | null | undefined, string | null>;
type NullableNumbers = ColumnType<number[] | null, string | null | undefined, string | null>;

export interface TermTable {
  id: Generated<number>;
  kind: number;
  value: string;
}

export interface KmsKeyTable {
  id: Generated<number>;
  arn: string;
  kind: string;
  account: string;
  region: string;
  name: string;
  facts: ColumnType<Json, string | undefined, string>;
  state: string | null;
  rotation_standing: string | null;
  protects_logs: Generated<boolean>;
  use_matters: Generated<boolean>;
}

export interface ActorTable {
  id: Generated<number>;
  principal: string;
  type: string;
  account: string | null;
  name: string;
}

export interface IngestBatchTable {
  id: Generated<number>;
  run_id: string;
  source: string;
  locator: JsonColumn;
  state: Generated<string>;
  received_at: Timestamp;
  attempts: Generated<number>;
  failure: string | null;
  input_sha256: Buffer | null;
  content_sha256: Buffer | null;
  evidence_sha256: Buffer | null;
  records: Generated<number>;
  relevant: Generated<number>;
  inserted: Generated<number>;
  duplicates: Generated<number>;
  conflicts: Generated<number>;
  quarantined: Generated<number>;
  lost_fields: Generated<number>;
  oldest_event: NullableTimestamp;
  newest_event: NullableTimestamp;
  touched: NullableJson;
  checkpoint: NullableJson;
  integrity: Generated<string>;
  stored_at: NullableTimestamp;
  checked_at: NullableTimestamp;
  detected_at: NullableTimestamp;
}

export interface DeliveryPayloadTable {
  batch_id: number;
  bytes: Buffer;
}

export interface EvidenceTable {
  sha256: Buffer;
  records: number;
  raw_bytes: number;
  blob: Buffer;
}

export interface BatchSealTable {
  sequence: number;
  batch_id: number;
  content_hash: Buffer;
  chain_hash: Buffer;
  sealed_at: Timestamp;
}

/** `essence` is a `bigint`: read it as hex digits, see `ESSENCE`. */
export interface EventTable {
  event_time: Timestamp;
  essence: string;
  event_id: string;
  batch_id: number;
  ordinal: number;
  actor_id: number;
  profile_id: number;
  key_id: number | null;
  session_id: number | null;
  access_key_id: number | null;
  flags: number;
  outcome: number;
  other_key_id: number | null;
  error_id: number | null;
  shared_event_id: string | null;
  detail: NullableJson;
}

export interface EventIdTextTable {
  event_id: string;
  text: string;
}

export interface ObservationTable {
  batch_id: number;
  ordinal: number;
  event_time: Timestamp;
  event_id: string;
  essence: string;
  account_id: number;
  region_id: number;
}

export interface EventConflictTable {
  event_id: string;
  account_id: number;
  region_id: number;
  batch_id: number;
  ordinal: number;
  event_time: Timestamp;
  essence: string;
}

interface UseColumns {
  actor_id: number;
  operation_class: number;
  outcome: number;
  account_id: number;
  region_id: number;
  first_at: Timestamp;
  first_event: string;
  last_at: Timestamp;
  last_event: string;
}

/** `first_…` and `last_…` are null where the outcome is `ok`. */
export interface ActivityHourlyTable {
  hour: Timestamp;
  key_id: number;
  actor_id: number;
  profile_id: number;
  outcome: number;
  count: number;
  first_at: NullableTimestamp;
  first_event: string | null;
  last_at: NullableTimestamp;
  last_event: string | null;
}

export interface KeyActorTable extends UseColumns {
  key_id: number;
  count: number;
}

export interface AliasUseTable extends UseColumns {
  alias_id: number;
  key_id: number;
  count: number;
}

export interface KeyAliasTable {
  alias_id: number;
  target_key_id: number | null;
  as_of: Timestamp;
  origin: string;
}

export interface CallProfileTable {
  id: Generated<number>;
  account_id: number;
  region_id: number;
  operation_id: number;
  operation_class: number;
  calling_service_id: number;
  network_id: number;
  user_agent_id: number;
  vpc_endpoint_id: number;
  context_id: number;
  material_id: number;
  session: number;
}

/** `day`: days since 1970. */
export interface HabitTable {
  key_id: number;
  actor_id: number;
  profile_id: number;
  day: number;
  count: number;
  first_at: Timestamp;
  first_event: string;
  last_at: Timestamp;
  last_event: string;
}

/** `hours`: 24 counts, never null. `contexts`: 128 bits as text. */
export interface VolumeDailyTable {
  key_id: number;
  actor_id: number;
  day: number;
  hours: NullableNumbers;
  contexts: string;
  first_at: Timestamp;
  first_event: string;
  last_at: Timestamp;
  last_event: string;
}

/** `hour`: hours since 1970. */
export interface CredentialPlaceTable {
  access_key_id: number;
  network_id: number;
  hour: number;
  actor_id: number;
  first_at: Timestamp;
  first_event: string;
  last_at: Timestamp;
  last_event: string;
}

export interface RuleMatchTable {
  rule: string;
  account_id: number;
  region_id: number;
  actor_id: number;
  key_id: number;
  operation_id: number;
  count: number;
  first_at: Timestamp;
  first_event: string;
  last_at: Timestamp;
  last_event: string;
}

export interface FindingTable {
  id: string;
  detector: string;
  dedup_key: JsonColumn;
  subject: string;
  severity: string;
  title: string;
  status: string;
  resolved_at: NullableTimestamp;
  resolution: string | null;
  key_arn: string | null;
  actor: string | null;
  account: string;
  region: string;
  first_seen: Timestamp;
  last_seen: Timestamp;
  occurrences: number;
  explanation: JsonColumn;
  details: JsonColumn;
  evaluated_at: Timestamp;
  suppression_id: number | null;
  assignee: string | null;
  dismissed_seen: NullableTimestamp;
}

export interface SuppressionTable {
  id: Generated<number>;
  detector: string | null;
  key_arn: string | null;
  actor: string | null;
  account: string | null;
  tag_key: string | null;
  tag_value: string | null;
  reason: string;
  author: string;
  created_at: Timestamp;
  ends_at: Timestamp;
  ended_at: NullableTimestamp;
  ended_by: string | null;
}

export interface DetectorHealthTable {
  detector: string;
  evaluated_at: Timestamp;
  evaluations: number;
  matches: number;
  milliseconds: number;
}

export interface ApiTokenTable {
  id: string;
  name: string;
  scope: string;
  secret_sha256: Buffer;
  created_at: Timestamp;
  created_by: string;
  expires_at: NullableTimestamp;
  revoked_at: NullableTimestamp;
  last_used_at: NullableTimestamp;
}

export interface AuditLogTable {
  id: Generated<number>;
  at: Timestamp;
  principal: string;
  scope: string;
  action: string;
  target: string | null;
  detail: ColumnType<Json, string | undefined, string>;
}

export interface FindingEvidenceTable {
  finding_id: string;
  position: number;
  event_id: string;
}

export interface FindingHistoryTable {
  id: Generated<number>;
  finding_id: string;
  at: Timestamp;
  change: string;
  by: string;
  detail: ColumnType<Json, string | undefined, string>;
}

/** The signal that a finding changed; taken away once the finding is in its groups. */
export interface FindingChangeTable {
  id: Generated<number>;
  finding_id: string;
  change: string;
  committed_at: Timestamp;
}

export interface AlertGroupTable {
  id: string;
  group_key: string;
  route: string;
  receiver: string;
  labels: JsonColumn;
  state: ColumnType<Json, string | undefined, string>;
  sequence: Generated<number>;
  memory: NullableJson;
  wake_at: NullableTimestamp;
}

/** A finding in a group, and what was told of it there. */
export interface AlertTable {
  group_id: string;
  finding_id: string;
  labels: JsonColumn;
  severity_rank: number;
  standing: string;
  view: JsonColumn;
  since: Timestamp;
  committed_at: Timestamp;
  told: string | null;
  told_rank: number | null;
  told_sequence: number | null;
}

/** The outbox: tellings of groups to receivers. */
export interface NotificationTable {
  id: Generated<number>;
  idempotency_key: string;
  group_id: string;
  receiver: string;
  reason: string;
  sequence: number;
  payload: JsonColumn;
  state: Generated<string>;
  attempts: Generated<number>;
  created_at: Timestamp;
  committed_at: NullableTimestamp;
  next_attempt_at: Timestamp;
  claimed_by: string | null;
  claimed_until: NullableTimestamp;
  last_error: string | null;
  settled_at: NullableTimestamp;
}

export interface SilenceTable {
  id: Generated<number>;
  matchers: JsonColumn;
  author: string;
  comment: string;
  created_at: Timestamp;
  starts_at: Timestamp;
  ends_at: Timestamp;
}

export interface CheckpointTable {
  name: string;
  value: JsonColumn;
  updated_at: Timestamp;
}

export interface QuarantineTable {
  id: Generated<number>;
  fingerprint: string;
  batch_id: number;
  source: string;
  locator: JsonColumn;
  ordinal: number | null;
  byte_offset: number | null;
  byte_length: number | null;
  reason: string;
  message: string;
  bytes: Buffer;
  complete: boolean;
  seen: Generated<number>;
  quarantined_at: Timestamp;
  released_at: NullableTimestamp;
}

export interface DetectorFailureTable {
  id: Generated<number>;
  detector: string;
  subject: string;
  message: string;
  failed_at: Timestamp;
  resolved_at: NullableTimestamp;
}

export interface IngestTotalTable {
  source: string;
  deliveries: number;
  records: number;
  relevant: number;
  stored: number;
  duplicates: number;
  conflicts: number;
  quarantined: number;
  lost_fields: number;
  last_stored_at: Timestamp;
}

export interface SettingTable {
  name: string;
  value: JsonColumn;
}

export interface CoverageHourlyTable {
  account: string;
  region: string;
  source: string;
  hour: Timestamp;
  deliveries: Generated<number>;
  events: Generated<number>;
  reads: Generated<number>;
  heard: Generated<boolean>;
  complete: Generated<boolean>;
  partial: Generated<boolean>;
  verified: Generated<number>;
  missing: Generated<number>;
  gap: string | null;
  last_at: NullableTimestamp;
  last_event: string | null;
  lag: NullableNumbers;
  updated_at: Timestamp;
}

export interface ListenedHourTable {
  source: string;
  hour: Timestamp;
}

export interface TrailDigestTable {
  id: Generated<number>;
  bucket: string;
  object_key: string;
  version: Buffer;
  account: string;
  region: string;
  trail: string;
  starts_at: NullableTimestamp;
  ends_at: Timestamp;
  sha256: Buffer;
  previous_key: string | null;
  previous_sha256: Buffer | null;
  fingerprint: string | null;
  signature: string | null;
  algorithm: string | null;
  backfill_generated: string | null;
  bytes: Buffer;
  kept_at: Timestamp;
  etag: string | null;
  verdict: string | null;
  reason: string | null;
  checked_at: NullableTimestamp;
}

export interface DigestPublicKeyTable {
  region: string;
  fingerprint: string;
  der: Buffer;
  valid_from: NullableTimestamp;
  valid_to: NullableTimestamp;
  kept_at: Timestamp;
}

export interface DigestLogFileTable {
  bucket: string;
  object_key: string;
  digest_key: string;
  account: string;
  region: string;
  hour: Timestamp;
  listed_sha256: Buffer;
  found_sha256: Buffer | null;
  etag: string | null;
  verdict: string;
  reason: string | null;
  ingested: boolean;
  checked_at: Timestamp;
}

export interface IntegrityProblemTable {
  bucket: string;
  object_key: string;
  verdict: string;
  account: string;
  region: string;
  trail: string | null;
  reason: string;
  begins_at: NullableTimestamp;
  ends_at: Timestamp;
  found_at: Timestamp;
  checked_at: Timestamp;
  resolved_at: NullableTimestamp;
}

export interface IntegrityAreaTable {
  bucket: string;
  place: string;
  account: string;
  region: string;
  standing: string;
  reason: string | null;
  checked_at: Timestamp;
  checked_until: NullableTimestamp;
  verified_until: NullableTimestamp;
}

export interface IntegrityTotalTable {
  kind: string;
  verdict: string;
  count: number;
}

export interface InventoryRunTable {
  id: Generated<number>;
  account: string;
  region: string;
  started_at: Timestamp;
  finished_at: NullableTimestamp;
  attempts: Generated<number>;
  failures: Generated<number>;
  failed_at: NullableTimestamp;
  failure: string | null;
  listed: Generated<number>;
}

export interface InventoryKeyTable {
  key_id: number;
  run_id: number;
  as_of: Timestamp;
  reading: string;
  reason: string | null;
  unread: ColumnType<Json, string | undefined, string>;
  facts: ColumnType<Json, string | undefined, string>;
  last_usage: NullableJson;
}

export interface InventoryAliasTable {
  alias_id: number;
  target_key_id: number | null;
  as_of: Timestamp;
  origin: string;
}

export interface KeyGrantTable {
  key_id: number;
  grant_id: string;
  name: string | null;
  grantee: string | null;
  retiring_principal: string | null;
  operations: JsonColumn;
  constraints: ColumnType<Json, string | undefined, string>;
  issuing_account: string | null;
  created_at: NullableTimestamp;
  as_of: Timestamp;
  origin: string;
  retired_at: NullableTimestamp;
  ended_reason: string | null;
}

export interface InventoryDriftTable {
  id: Generated<number>;
  key_id: number;
  fact: string;
  run_id: number;
  events_say: JsonColumn;
  inventory_says: JsonColumn;
  first_seen: Timestamp;
  due_at: Timestamp;
  resolved_at: NullableTimestamp;
}

export interface Database {
  term: TermTable;
  kms_key: KmsKeyTable;
  actor: ActorTable;
  ingest_batch: IngestBatchTable;
  delivery_payload: DeliveryPayloadTable;
  evidence: EvidenceTable;
  batch_seal: BatchSealTable;
  event: EventTable;
  event_id_text: EventIdTextTable;
  observation: ObservationTable;
  event_conflict: EventConflictTable;
  activity_hourly: ActivityHourlyTable;
  key_actor: KeyActorTable;
  alias_use: AliasUseTable;
  key_use: KeyActorTable;
  key_alias: KeyAliasTable;
  call_profile: CallProfileTable;
  habit: HabitTable;
  volume_daily: VolumeDailyTable;
  credential_place: CredentialPlaceTable;
  rule_match: RuleMatchTable;
  api_token: ApiTokenTable;
  audit_log: AuditLogTable;
  suppression: SuppressionTable;
  detector_health: DetectorHealthTable;
  finding: FindingTable;
  finding_evidence: FindingEvidenceTable;
  finding_history: FindingHistoryTable;
  finding_change: FindingChangeTable;
  alert_group: AlertGroupTable;
  alert: AlertTable;
  notification: NotificationTable;
  silence: SilenceTable;
  checkpoint: CheckpointTable;
  quarantine: QuarantineTable;
  detector_failure: DetectorFailureTable;
  ingest_total: IngestTotalTable;
  setting: SettingTable;
  coverage_hourly: CoverageHourlyTable;
  listened_hour: ListenedHourTable;
  trail_digest: TrailDigestTable;
  digest_public_key: DigestPublicKeyTable;
  digest_log_file: DigestLogFileTable;
  integrity_problem: IntegrityProblemTable;
  integrity_area: IntegrityAreaTable;
  integrity_total: IntegrityTotalTable;
  inventory_run: InventoryRunTable;
  inventory_key: InventoryKeyTable;
  inventory_alias: InventoryAliasTable;
  key_grant: KeyGrantTable;
  inventory_drift: InventoryDriftTable;
}
