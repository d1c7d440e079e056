/**
 * The tables as kysely sees them; `test/integration/schema.test.ts` compares them with the migrated database in both directions.
 * Timestamps come back as epoch milliseconds (see `platform/postgres.ts`) and go in as ISO text or Date.
 */
import type { ColumnType, Generated } from 'kysely';
import type { Json } from '../core/json.ts';

type Timestamp = ColumnType<number, Date | string, Date | string>;
type NullableTimestamp = ColumnType<number | null, Date | string | null | undefined, Date | string | null>;
type JsonColumn = ColumnType<Json, string, string>;
type NullableJson = ColumnType<Json, string | null | undefined, string | null>;

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

export interface EventTable {
  event_time: Timestamp;
  event_id: string;
  essence: string;
  account_id: number;
  region_id: number;
  batch_id: number;
  ordinal: number;
  operation_id: number;
  actor_id: number;
  flags: number;
  operation_class: number;
  outcome: number;
  key_id: number | null;
  other_key_id: number | null;
  session_id: number | null;
  access_key_id: number | null;
  calling_service_id: number | null;
  network_id: number | null;
  user_agent_id: number | null;
  vpc_endpoint_id: number | null;
  error_id: number | null;
  context_id: number | null;
  material_id: number | null;
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
  operation_id: number;
  calling_service_id: number;
  account_id: number;
  region_id: number;
  network_id: number;
  operation_class: number;
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

export interface NotificationTable {
  id: Generated<number>;
  idempotency_key: string;
  finding_id: string;
  change: string;
  receiver: string;
  payload: JsonColumn;
  state: Generated<string>;
  attempts: Generated<number>;
  created_at: Timestamp;
  delivered_at: NullableTimestamp;
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
  finding: FindingTable;
  finding_evidence: FindingEvidenceTable;
  finding_history: FindingHistoryTable;
  notification: NotificationTable;
  checkpoint: CheckpointTable;
  quarantine: QuarantineTable;
  detector_failure: DetectorFailureTable;
  ingest_total: IngestTotalTable;
  setting: SettingTable;
}
