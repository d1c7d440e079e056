/** The ingest step: a pending delivery becomes events, evidence and rollups in one transaction; then detection is asked for. */
import { HOUR } from '../core/clock.ts';
import { KmswatchError } from '../core/errors.ts';
import type { KmsEvent } from '../core/event.ts';
import type { Frame } from '../core/frames.ts';
import type { JsonObject } from '../core/json.ts';
import type { QuarantinedInput } from '../core/quarantine.ts';
import { normalize } from '../normalize/normalize.ts';
import type { RawRecord, SourceName } from '../sources/contract.ts';
import { openDelivery } from '../sources/registry.ts';
import { classifyKey, holdsRecords } from '../sources/s3-trail/object-key.ts';
import { noteFailure, readPending } from '../store/batches.ts';
import { checkConflicts } from '../store/conflicts.ts';
import type { PlacedEvent } from '../store/events.ts';
import { type BatchToStore, isPlausibleTime, storeBatch } from '../store/ingest.ts';
import type { Deps } from './deps.ts';
import { isOutage } from './patience.ts';

/** After this many failed attempts a delivery is given up: it stays on record as failed and goes back to its source. */
const ATTEMPTS_LIMIT = 30;
/** The same where a person has to do something first: then its source knows better when to try again. */
const DENIED_LIMIT = 3;

/**
 * Stores a pending batch. Does nothing when somebody else has stored it.
 * @throws when it could not be stored; the attempt is noted and the job is tried again
 */
export async function ingest(deps: Deps, batchId: number): Promise<void> {
  try {
    const pending = await readPending(deps.pool, batchId);
    if (!pending) return;
    const source = pending.source as SourceName;
    const opened = await deps.telemetry.timed('open', () =>
      openDelivery(source, pending.locator, pending.payload, deps.limits, deps.openers),
    );
    const at = deps.clock.now();
    const records = opened.records.length + opened.quarantined.length;
    const content = deps.telemetry.timedSync('normalize', () => contentOf(deps, opened.records, at));
    const batch: BatchToStore = {
      batchId,
      source,
      locator: pending.locator,
      inputSha256: opened.sha256,
      contentSha256: opened.contentSha256 ?? null,
      records,
      ...content,
      quarantined: [...opened.quarantined, ...content.quarantined],
      storedAt: at,
      heard: heardBy(source, pending.locator),
    };
    const stored = await deps.telemetry.timed('store', () =>
      storeBatch(deps.pool, { terms: deps.terms(), partitions: deps.partitions }, batch),
    );
    if (!stored) return;
    deps.telemetry.batchStored(batch, stored);
    const strangers = ofOtherAccounts(batch);
    if (strangers > 0) deps.telemetry.accountsDiffer(batch, strangers);
    const conflicts = await checkConflicts(deps.pool, batchId, { rows: stored.inserted, at: deps.clock.now() });
    if (conflicts > 0) deps.telemetry.conflictsFound(source, conflicts);
  } catch (error) {
    // An outage is not the delivery's fault, and could not be noted anyway.
    if (!isOutage(error)) {
      const limit = error instanceof KmswatchError && error.code === 'SOURCE_DENIED' ? DENIED_LIMIT : ATTEMPTS_LIMIT;
      await noteFailure(deps.pool, batchId, { message: error instanceof Error ? error.message : String(error), limit });
    }
    throw error;
  }
  await deps.queues.add('detect', { batchId }, { jobId: `detect-${batchId}` });
}

/**
 * Events of another account than the object's key says: CloudTrail writes none, so somebody else may have written into the bucket.
 */
function ofOtherAccounts({ source, locator, events }: BatchToStore): number {
  const account = source === 's3-trail' && typeof locator.key === 'string' ? classifyKey(locator.key).account : null;
  return account === null ? 0 : events.filter(({ event }) => event.account !== account).length;
}

/** A log file shows that its account and Region are being logged, whatever is in it. */
function heardBy(source: SourceName, { key }: JsonObject): BatchToStore['heard'] {
  if (source !== 's3-trail' || typeof key !== 'string') return null;
  const { kind, account, region, time } = classifyKey(key);
  if (!holdsRecords(kind) || account === null || region === null || time === null) return null;
  return { account, region, hour: Math.floor(time / HOUR) * HOUR };
}

/** The event with its network told by the user's databases, where there are any. */
function placed(event: KmsEvent, { nameNetwork }: Deps): KmsEvent {
  if (nameNetwork === undefined) return event;
  const network = nameNetwork(event.network);
  return network === event.network ? event : { ...event, network };
}

interface Content {
  readonly evidence: Frame[];
  readonly events: PlacedEvent[];
  readonly quarantined: QuarantinedInput[];
  readonly lostFields: number;
}

function contentOf(deps: Deps, records: readonly RawRecord[], now: number): Content {
  const evidence: Frame[] = [];
  const events: PlacedEvent[] = [];
  const quarantined: QuarantinedInput[] = [];
  let lostFields = 0;
  for (const record of records) {
    const result = normalize(record.bytes, deps.relevant, deps.rules?.current.matches);
    if (result.outcome === 'drop') continue;
    if (result.outcome === 'ok' && isPlausibleTime(result.event.eventTime, now)) {
      lostFields += result.event.lostFields.length;
      events.push({ event: placed(result.event, deps), ordinal: evidence.length, rules: result.rules });
      evidence.push(record);
      continue;
    }
    const { reason, message } =
      result.outcome === 'quarantine'
        ? result
        : { reason: 'implausible-time' as const, message: `eventTime ${new Date(result.event.eventTime).toISOString()} cannot be true` };
    quarantined.push({ reason, message, ordinal: record.ordinal, offset: record.offset, length: record.bytes.length, bytes: record.bytes });
  }
  return { evidence, events, quarantined, lostFields };
}
