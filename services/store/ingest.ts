/**
 * The ingest transaction: evidence, events, observations, rollups, quarantine, checkpoint and the batch's counts commit
 * together or not at all. A constant number of statements, whatever the size of the batch.
 */
import { hash } from 'node:crypto';
import { promisify } from 'node:util';
import { constants, zstdCompress } from 'node:zlib';
import type pg from 'pg';
import { DAY } from '../core/clock.ts';
import { OUTCOMES, type Outcome } from '../core/event.ts';
import { harmsKey } from '../core/key-harm.ts';
import { opensKey } from '../core/key-opening.ts';
import { isOfAccount } from '../core/of-account.ts';
import { encodeFrames, type Frame } from '../core/frames.ts';
import type { JsonObject } from '../core/json.ts';
import type { QuarantinedInput } from '../core/quarantine.ts';
import { addSightings, type SightedBatch } from './coverage-sightings.ts';
import { type EventRow, insertEvents, insertObservations, type PlacedEvent, toRows, wantTerms } from './events.ts';
import { Habits, type HabitsTouched, habitualCalls } from './habits.ts';
import { insertQuarantine } from './quarantine.ts';
import { Rollup } from './rollup.ts';
import { RuleMatches } from './rule-matches.ts';
import type { Partitions } from './partitions.ts';
import type { Terms } from './terms.ts';
import { inTransaction } from './transaction.ts';

const compress = promisify(zstdCompress);

/** For log lines that resemble each other, level 1 packs tighter than the default 3, in half the time; the window holds a whole batch. */
const EVIDENCE_COMPRESSION = {
  params: { [constants.ZSTD_c_compressionLevel]: 1, [constants.ZSTD_c_windowLog]: 22 },
};

export interface BatchToStore {
  readonly batchId: number;
  readonly source: string;
  readonly locator: JsonObject;
  /** SHA-256 of the input as it lay at its origin, lower-case hex. */
  readonly inputSha256: string;
  /** SHA-256 of its inflated content, lower-case hex, where that is known. */
  readonly contentSha256?: string | null;
  /** Records in the delivery, relevant or not, the quarantined ones included. */
  readonly records: number;
  /** Relevant records as written, in order; `events[].ordinal` points into it. */
  readonly evidence: readonly Frame[];
  readonly events: readonly PlacedEvent[];
  readonly quarantined: readonly QuarantinedInput[];
  readonly lostFields: number;
  readonly storedAt: number;
  readonly heard?: SightedBatch['heard'];
}

export interface StoredBatch {
  readonly inserted: readonly EventRow[];
  readonly duplicates: number;
}

/**
 * What the batch touched, by dictionary id: the subjects whose findings may change. Kept with the batch, so that detection
 * needs its id only.
 */
export interface Touched {
  /**
   * Keys with new control events, new or earlier users (refused ones too: habits begin with them), failed calls, other habits than were
   * known for the day, or new knowledge that they protect logs.
   */
  readonly keys: readonly number[];
  /** Keys with successful use only: they matter where use decides a finding. */
  readonly used: readonly number[];
  readonly aliases: readonly number[];
  /** Terms of accounts with control events that concern no key, throttled calls, or records that a rule of the user matches. */
  readonly accounts: readonly number[];
  /** Callers with other habits than were known for the day, with refused calls that tell of probing, who took something from a key, and root users. */
  readonly actors: readonly number[];
}

/**
 * @returns null when the batch is not pending any more: another worker has stored it
 * @throws the driver's error; nothing is stored then
 */
export async function storeBatch(
  pool: pg.Pool,
  places: { terms: Terms; partitions: Partitions },
  batch: BatchToStore,
): Promise<StoredBatch | null> {
  const { terms, partitions } = places;
  const frames = encodeFrames(batch.evidence);
  const evidenceHash = batch.evidence.length > 0 ? Buffer.from(hash('sha256', frames, 'hex'), 'hex') : null;
  const compressed = evidenceHash ? compress(frames, EVIDENCE_COMPRESSION) : null;
  compressed?.catch(() => {}); // Awaited below; must not count as unhandled when an earlier step fails.
  wantTerms(terms, batch.events);
  await terms.resolve();
  await partitions.ensure(batch.events.map(({ event }) => event.eventTime));
  const rows = toRows(terms, batch.events);
  const calls = habitualCalls(terms, rows);
  await terms.resolve();
  const blob = await compressed;

  return await inTransaction(pool, async (client) => {
    const claimed = await client.query<{ checkpoint: JsonObject | null }>(
      "SELECT checkpoint FROM ingest_batch WHERE id = $1 AND state = 'pending' FOR UPDATE",
      [batch.batchId],
    );
    if (claimed.rows.length === 0) return null;
    if (evidenceHash && blob) {
      await client.query({
        name: 'insert-evidence',
        text: 'INSERT INTO evidence (sha256, records, raw_bytes, blob) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING',
        values: [evidenceHash, batch.evidence.length, frames.length, blob],
      });
    }
    const fresh = rows.length > 0 ? await insertEvents(client, batch.batchId, { terms, rows }) : new Set<number>();
    const inserted = rows.filter((row) => fresh.has(row.ordinal));
    await insertObservations(
      client,
      batch.batchId,
      rows.filter((row) => !fresh.has(row.ordinal)),
    );
    const rollup = new Rollup(terms);
    for (const row of inserted) rollup.add(row);
    await insertQuarantine(client, batch);
    await rollup.mergeHourly(client);
    const uses = await rollup.mergeUse(client);
    const habits = new Habits(terms);
    for (const call of calls) if (fresh.has(call.row.ordinal)) habits.add(call);
    const matches = new RuleMatches();
    for (const row of inserted) matches.add(row);
    await matches.merge(client);
    const touched = touchedBy(
      inserted,
      new Set(uses.filter((use) => use.isFirst && use.operationClass === 0 && use.keyId > 0).map((use) => use.keyId)),
      await habits.merge(client),
    );
    await protectLogs(client, inserted);
    await addSightings(client, batch, { rows, fresh });
    await applyCheckpoint(client, claimed.rows[0]?.checkpoint ?? null, batch.storedAt);
    await client.query('DELETE FROM delivery_payload WHERE batch_id = $1', [batch.batchId]);
    const times = rows.map((row) => row.eventTime);
    await client.query({
      name: 'finish-batch',
      text: `UPDATE ingest_batch SET state = 'stored', failure = NULL, input_sha256 = $2, evidence_sha256 = $3, records = records + $4, relevant = $5, inserted = $6,
          duplicates = $7, quarantined = quarantined + $8, lost_fields = $9, oldest_event = $10, newest_event = $11, touched = $12, stored_at = $13,
          content_sha256 = $14
        WHERE id = $1`,
      values: [
        batch.batchId,
        Buffer.from(batch.inputSha256, 'hex'),
        evidenceHash,
        batch.records,
        rows.length,
        inserted.length,
        rows.length - inserted.length,
        batch.quarantined.length,
        batch.lostFields,
        times.length > 0 ? new Date(times.reduce((a, b) => Math.min(a, b))) : null,
        times.length > 0 ? new Date(times.reduce((a, b) => Math.max(a, b))) : null,
        JSON.stringify(touched),
        new Date(batch.storedAt),
        typeof batch.contentSha256 === 'string' ? Buffer.from(batch.contentSha256, 'hex') : null,
      ],
    });
    return { inserted, duplicates: rows.length - inserted.length };
  });
}

/** What somebody gets to see who tries what a principal may do. */
const PROBES: ReadonlySet<string> = new Set<Outcome>(['denied', 'not-found', 'dry-run']);

function touchedBy(inserted: readonly EventRow[], newlyUsed: ReadonlySet<number>, habits: HabitsTouched): Touched {
  const keys = new Set<number>([...newlyUsed, ...habits.keys]);
  const used = new Set<number>();
  const aliases = new Set<number>();
  const accounts = new Set<number>();
  const actors = new Set<number>(habits.actors);
  const denied = OUTCOMES.indexOf('denied');
  for (const row of inserted) {
    const { event } = row;
    const control = event.operationClass === 'control';
    if (row.byAlias) aliases.add(row.keyId);
    else if (row.keyId > 0) {
      if (control || event.protectsLogs || row.outcome > denied) keys.add(row.keyId);
      else if (event.outcome === 'ok' && event.operationClass === 'use') used.add(row.keyId);
    } else if (control) accounts.add(row.accountId);
    if (row.alsoKeyId > 0) used.add(row.alsoKeyId);
    if (control && event.otherKey) (event.otherKey.kind === 'alias' ? aliases : keys).add(row.otherKeyId);
    if (PROBES.has(event.outcome) || event.actor.type === 'root') actors.add(row.actorId);
    if (event.outcome === 'throttled' || row.rules.length > 0) accounts.add(row.accountId);
    if (isOfAccount(event) || opensKey(event)) accounts.add(row.accountId);
    if (harmsKey(event)) actors.add(row.actorId);
  }
  const ascending = (ids: Set<number>): number[] => [...ids].toSorted((a, b) => a - b);
  return {
    keys: ascending(keys),
    used: ascending(used),
    aliases: ascending(aliases),
    accounts: ascending(accounts),
    actors: ascending(actors),
  };
}

/** Monotone: once a key is seen to protect logs it stays so, whatever arrives in which order. */
async function protectLogs(client: pg.ClientBase, inserted: readonly EventRow[]): Promise<void> {
  const ids = [...new Set(inserted.filter((row) => row.event.protectsLogs && row.keyId > 0).map((row) => row.keyId))].toSorted(
    (a, b) => a - b,
  );
  if (ids.length === 0) return;
  await client.query(
    `UPDATE kms_key SET protects_logs = true WHERE id IN (
       SELECT id FROM kms_key WHERE id = ANY($1::int[]) AND NOT protects_logs ORDER BY id FOR NO KEY UPDATE)`,
    [ids],
  );
}

async function applyCheckpoint(client: pg.ClientBase, checkpoint: JsonObject | null, at: number): Promise<void> {
  if (!checkpoint) return;
  await client.query(
    `INSERT INTO checkpoint (name, value, updated_at) VALUES ($1, $2, $3)
     ON CONFLICT (name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at`,
    [checkpoint['name'], JSON.stringify(checkpoint['value'] ?? null), new Date(at)],
  );
}

/** CloudTrail began in November 2013; clocks may be wrong, but not by a year. Bounds the number of partitions that input can make. */
export function isPlausibleTime(eventTime: number, now: number): boolean {
  return eventTime >= Date.UTC(2013, 0, 1) && eventTime <= now + 366 * DAY;
}
