import type { Kysely } from 'kysely';
import type pg from 'pg';
import { digest128, uuidText } from '../core/ids.ts';
import type { JsonObject } from '../core/json.ts';
import { QUARANTINE_KEEP_BYTES, type QuarantinedInput } from '../core/quarantine.ts';
import { hash } from 'node:crypto';
import { plainArray, storableJson, textArray } from './array.ts';
import type { Database } from './schema.ts';

interface QuarantineBatch {
  readonly batchId: number;
  readonly source: string;
  readonly locator: JsonObject;
  readonly quarantined: readonly QuarantinedInput[];
  readonly storedAt: number;
}

/** Keeps what could not be processed. The same input put aside again is counted, not stored again. */
export async function insertQuarantine(client: pg.ClientBase, batch: QuarantineBatch): Promise<void> {
  if (batch.quarantined.length === 0) return;
  const locator = storableJson(batch.locator);
  const rows = new Map<string, QuarantinedInput>();
  for (const input of batch.quarantined) {
    const fingerprint = digest128([batch.source, locator, String(input.offset), input.reason, hash('sha256', input.bytes)]);
    rows.set(uuidText(fingerprint), input);
  }
  const entries = [...rows].toSorted((a, b) => (a[0] < b[0] ? -1 : 1));
  const inputs = entries.map(([, input]) => input);
  await client.query(
    `INSERT INTO quarantine (fingerprint, batch_id, source, locator, ordinal, byte_offset, byte_length, reason, message, bytes, complete, quarantined_at)
     SELECT f, $1, $2, $3::jsonb, o, bo, bl, r, m, b, c, $4
     FROM unnest($5::uuid[], $6::int[], $7::bigint[], $8::bigint[], $9::text[], $10::text[], $11::bytea[], $12::boolean[]) AS i(f, o, bo, bl, r, m, b, c)
     ON CONFLICT (fingerprint) DO UPDATE SET seen = quarantine.seen + 1, released_at = NULL`,
    [
      batch.batchId,
      batch.source,
      locator,
      new Date(batch.storedAt),
      plainArray(entries.map(([fingerprint]) => fingerprint)),
      plainArray(inputs.map((input) => input.ordinal)),
      plainArray(inputs.map((input) => input.offset)),
      plainArray(inputs.map((input) => input.length)),
      textArray(inputs.map((input) => input.reason)),
      textArray(inputs.map((input) => input.message.slice(0, 2000))),
      inputs.map((input) => Buffer.from(input.bytes.subarray(0, QUARANTINE_KEEP_BYTES))),
      inputs.map((input) => isComplete(input)),
    ],
  );
}

function isComplete(input: QuarantinedInput): boolean {
  return input.bytes.length <= QUARANTINE_KEEP_BYTES && (input.length === null || input.length === input.bytes.length);
}

export interface QuarantineEntry {
  readonly id: number;
  readonly source: string;
  readonly locator: JsonObject;
  readonly ordinal: number | null;
  readonly byteOffset: number | null;
  readonly byteLength: number | null;
  readonly reason: string;
  readonly message: string;
  readonly bytes: number;
  readonly complete: boolean;
  readonly seen: number;
  readonly quarantinedAt: number;
}

/** What waits in quarantine, newest first. */
export async function listQuarantine(db: Kysely<Database>, filter: { reason?: string; limit: number }): Promise<QuarantineEntry[]> {
  let query = db
    .selectFrom('quarantine')
    .select(({ fn }) => [
      'id',
      'source',
      'locator',
      'ordinal',
      'byte_offset',
      'byte_length',
      'reason',
      'message',
      'complete',
      'seen',
      'quarantined_at',
      fn<number>('octet_length', ['bytes']).as('bytes'),
    ])
    .where('released_at', 'is', null)
    .orderBy('id', 'desc')
    .limit(filter.limit);
  if (filter.reason !== undefined) query = query.where('reason', '=', filter.reason);
  const rows = await query.execute();
  return rows.map((row) => ({
    id: row.id,
    source: row.source,
    locator: row.locator as JsonObject,
    ordinal: row.ordinal,
    byteOffset: row.byte_offset,
    byteLength: row.byte_length,
    reason: row.reason,
    message: row.message,
    bytes: row.bytes,
    complete: row.complete,
    seen: row.seen,
    quarantinedAt: row.quarantined_at,
  }));
}

/** The kept bytes of entries, for trying again. */
export async function readQuarantine(
  db: Kysely<Database>,
  ids: readonly number[] | 'all',
): Promise<{ id: number; bytes: Buffer; complete: boolean; locator: JsonObject; ordinal: number | null }[]> {
  let query = db
    .selectFrom('quarantine')
    .select(['id', 'bytes', 'complete', 'locator', 'ordinal'])
    .where('released_at', 'is', null)
    .orderBy('id');
  if (ids !== 'all') query = query.where('id', 'in', [...ids, -1]);
  const rows = await query.execute();
  return rows.map((row) => ({ ...row, locator: row.locator as JsonObject }));
}

/** Entries whose input has been processed since leave the quarantine; they stay on record. */
export async function releaseQuarantine(db: Kysely<Database>, ids: readonly number[], at: number): Promise<void> {
  if (ids.length === 0) return;
  await db
    .updateTable('quarantine')
    .set({ released_at: new Date(at) })
    .where('id', 'in', ids)
    .execute();
}
