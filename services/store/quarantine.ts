import type { Kysely } from 'kysely';
import type pg from 'pg';
import { digest128, uuidText } from '../core/ids.ts';
import type { JsonObject } from '../core/json.ts';
import { QUARANTINE_KEEP_BYTES, type QuarantinedInput, type QuarantineReason } from '../core/quarantine.ts';
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

/** Inputs of one delivery that are kept whole; of a streamed one, together with all its other chunks. */
export const KEPT_WHOLE = 1_000;

interface QuarantineRow {
  readonly fingerprint: string;
  readonly input: QuarantinedInput;
  /** How many inputs it stands for. */
  readonly count: number;
  /** It stands for inputs whose bytes were not kept, of whichever chunk. */
  readonly folded: boolean;
}

/**
 * Keeps what could not be processed. The same input put aside again is counted, not stored again. Of a delivery that is rubbish from
 * beginning to end the first thousand are kept; the rest is a number, one row a reason.
 */
export async function insertQuarantine(client: pg.ClientBase, batch: QuarantineBatch): Promise<void> {
  if (batch.quarantined.length === 0) return;
  const locator = storableJson(batch.locator);
  const origin = storableJson(originOf(batch.locator));
  const rows = new Map<string, QuarantineRow>();
  for (const input of batch.quarantined) {
    const digest = digest128([batch.source, locator, String(input.offset), input.reason, hash('sha256', input.bytes)]);
    const fingerprint = uuidText(digest);
    rows.set(fingerprint, { fingerprint, input, count: 1, folded: false });
  }
  const mayBeMany = rows.size > KEPT_WHOLE || isChunk(batch.locator);
  const kept = mayBeMany ? await folded(client, [...rows.values()], { source: batch.source, origin }) : [...rows.values()];
  // In one order, so that two who put the same aside do not wait for each other.
  const entries = kept.toSorted((a, b) => (a.fingerprint < b.fingerprint ? -1 : 1));
  const inputs = entries.map(({ input }) => input);
  await client.query(
    `INSERT INTO quarantine (fingerprint, batch_id, source, locator, ordinal, byte_offset, byte_length, reason, message, bytes, complete, seen, quarantined_at)
     SELECT f, $1, $2, CASE WHEN w THEN $14::jsonb ELSE $3::jsonb END, o, bo, bl, r, m, b, c, n, $4
     FROM unnest($5::uuid[], $6::int[], $7::bigint[], $8::bigint[], $9::text[], $10::text[], $11::bytea[], $12::boolean[], $13::int[], $15::boolean[])
       AS i(f, o, bo, bl, r, m, b, c, n, w)
     ON CONFLICT (fingerprint) DO UPDATE SET seen = quarantine.seen + excluded.seen, released_at = NULL`,
    [
      batch.batchId,
      batch.source,
      locator,
      new Date(batch.storedAt),
      plainArray(entries.map(({ fingerprint }) => fingerprint)),
      plainArray(inputs.map((input) => input.ordinal)),
      plainArray(inputs.map((input) => input.offset)),
      plainArray(inputs.map((input) => input.length)),
      textArray(inputs.map((input) => input.reason)),
      textArray(inputs.map((input) => input.message.slice(0, 2000))),
      inputs.map((input) => Buffer.from(input.bytes.subarray(0, QUARANTINE_KEEP_BYTES))),
      entries.map((entry) => !entry.folded && isComplete(entry.input)),
      plainArray(entries.map(({ count }) => count)),
      origin,
      entries.map((entry) => entry.folded),
    ],
  );
}

/** Those that are known already, the first of the others as long as there is room, and for the rest one row a reason. */
async function folded(
  client: pg.ClientBase,
  rows: readonly QuarantineRow[],
  { source, origin }: { readonly source: string; readonly origin: string },
): Promise<QuarantineRow[]> {
  const known = await client.query<{ fingerprint: string }>('SELECT fingerprint FROM quarantine WHERE fingerprint = ANY($1::uuid[])', [
    plainArray(rows.map(({ fingerprint }) => fingerprint)),
  ]);
  const before = await client.query<{ count: number }>(
    'SELECT count(*) AS count FROM (SELECT FROM quarantine WHERE source = $1 AND locator @> $2::jsonb AND byte_offset IS NOT NULL LIMIT $3) s',
    [source, origin, KEPT_WHOLE],
  );
  const isKnown = new Set(known.rows.map(({ fingerprint }) => fingerprint));
  let room = KEPT_WHOLE - Number(before.rows[0]?.count ?? 0);
  const kept: QuarantineRow[] = [];
  const counts = new Map<QuarantineReason, number>();
  for (const row of rows) {
    if (isKnown.has(row.fingerprint)) kept.push(row);
    // What is wrong with the delivery as a whole is said in any case.
    else if (row.input.ordinal === null || room-- > 0) kept.push(row);
    else counts.set(row.input.reason, (counts.get(row.input.reason) ?? 0) + 1);
  }
  for (const [reason, count] of counts) {
    const message = `more than ${KEPT_WHOLE} inputs of one delivery were put aside: of these only the number was kept`;
    const input = { reason, message, ordinal: null, offset: null, length: null, bytes: new Uint8Array(0) };
    kept.push({ fingerprint: uuidText(digest128([source, origin, reason, 'folded'])), input, count, folded: true });
  }
  return kept;
}

/** What `sources/chunks.ts` adds to the locator of a streamed input. */
const OF_A_CHUNK: ReadonlySet<string> = new Set(['chunk', 'firstOrdinal', 'firstOffset', 'skippedOrdinals']);

function isChunk(locator: JsonObject): boolean {
  return typeof locator['chunk'] === 'number';
}

function originOf(locator: JsonObject): JsonObject {
  return isChunk(locator) ? Object.fromEntries(Object.entries(locator).filter(([name]) => !OF_A_CHUNK.has(name))) : locator;
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
