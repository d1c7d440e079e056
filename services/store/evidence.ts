/** Evidence: the records as CloudTrail wrote them, and the hash chain that binds the batches. */
import { hash } from 'node:crypto';
import { promisify } from 'node:util';
import { zstdDecompress } from 'node:zlib';
import type pg from 'pg';
import { decodeFrames } from '../core/frames.ts';
import { eventUuid } from '../core/ids.ts';
import { ESSENCE } from './events.ts';
import { inTransaction } from './transaction.ts';

const decompress = promisify(zstdDecompress);

export interface EvidenceRecord {
  readonly eventId: string;
  /** The record as written. */
  readonly text: string;
  readonly batchId: number;
  readonly ordinal: number;
  readonly source: string;
  /** Lower-case hex SHA-256 of the batch's evidence. */
  readonly evidenceSha256: string;
}

/** The records behind event ids, one a telling, in event order. Ids that are not stored are absent. */
export async function readEvidence(pool: pg.Pool, eventIds: readonly string[]): Promise<EvidenceRecord[]> {
  const byUuid = new Map(eventIds.map((id) => [eventUuid(id), id]));
  const { rows } = await pool.query<{ event_id: string; batch_id: number; ordinal: number; source: string; sha256: Buffer }>(
    `SELECT e.event_id, e.batch_id, e.ordinal, b.source, b.evidence_sha256 AS sha256 FROM event e JOIN ingest_batch b ON b.id = e.batch_id
     WHERE e.event_id = ANY($1::uuid[]) ORDER BY e.event_time, e.event_id, ${ESSENCE}`,
    [[...byUuid.keys()]],
  );
  const blobs = await readBlobs(pool, [...new Set(rows.map((row) => row.sha256.toString('hex')))]);
  return rows.map((row) => {
    const evidenceSha256 = row.sha256.toString('hex');
    const frame = blobs.get(evidenceSha256)?.[row.ordinal];
    return {
      eventId: byUuid.get(row.event_id) ?? row.event_id,
      text: frame ? Buffer.from(frame.bytes).toString('utf8') : '',
      batchId: row.batch_id,
      ordinal: row.ordinal,
      source: row.source,
      evidenceSha256,
    };
  });
}

async function readBlobs(pool: pg.Pool, hashes: readonly string[]): Promise<Map<string, ReturnType<typeof decodeFrames>>> {
  const { rows } = await pool.query<{ sha256: Buffer; blob: Buffer }>('SELECT sha256, blob FROM evidence WHERE sha256 = ANY($1::bytea[])', [
    hashes.map((hex) => Buffer.from(hex, 'hex')),
  ]);
  return new Map(
    await Promise.all(rows.map(async (row) => [row.sha256.toString('hex'), decodeFrames(await decompress(row.blob))] as const)),
  );
}

/** Batches that one seal step takes at most. */
const SEAL_LIMIT = 500;

/**
 * Seals stored batches into the hash chain, in batch order: chain = SHA-256(previous chain ‖ content), content = SHA-256 over the
 * batch's id, source, locator, input hash, evidence hash and counts; not the conflicts, which later batches may raise. A step of its own after the commit, so that writers never wait for
 * each other. Also adds the batches to the running totals.
 * @returns how many batches were sealed; 0 when another process is sealing
 */
export async function sealBatches(pool: pg.Pool, at: number): Promise<number> {
  return await inTransaction(pool, async (client) => {
    const lock = await client.query<{ got: boolean }>('SELECT pg_try_advisory_xact_lock(7254902, 1) AS got');
    if (!lock.rows[0]?.got) return 0;
    const { rows } = await client.query<SealRow>(
      `SELECT ${SEAL_COLUMNS}
       FROM ingest_batch b LEFT JOIN batch_seal s ON s.batch_id = b.id
       WHERE b.state = 'stored' AND b.detected_at IS NOT NULL AND s.batch_id IS NULL ORDER BY b.id LIMIT $1`,
      [SEAL_LIMIT],
    );
    if (rows.length === 0) return 0;
    const last = await client.query<{ sequence: number; chain_hash: Buffer }>(
      'SELECT sequence, chain_hash FROM batch_seal ORDER BY sequence DESC LIMIT 1',
    );
    let sequence = Number(last.rows[0]?.sequence ?? 0);
    let chain = last.rows[0]?.chain_hash ?? Buffer.alloc(32);
    const seals = rows.map((row) => {
      const content = contentHash(row);
      chain = chainHash(chain, content);
      sequence += 1;
      return { sequence, batchId: row.id, content, chain };
    });
    await client.query(
      `INSERT INTO batch_seal (sequence, batch_id, content_hash, chain_hash, sealed_at)
       SELECT s, b, c, h, $5 FROM unnest($1::bigint[], $2::int[], $3::bytea[], $4::bytea[]) AS i(s, b, c, h)`,
      [
        seals.map((seal) => seal.sequence),
        seals.map((seal) => seal.batchId),
        seals.map((seal) => seal.content),
        seals.map((seal) => seal.chain),
        new Date(at),
      ],
    );
    await client.query(
      `INSERT INTO ingest_total AS t (source, deliveries, records, relevant, stored, duplicates, conflicts, quarantined, lost_fields, last_stored_at)
       SELECT source, count(*), sum(records), sum(relevant), sum(inserted - conflicts), sum(duplicates), sum(conflicts), sum(quarantined), sum(lost_fields), max(stored_at)
       FROM ingest_batch WHERE id = ANY($1::int[]) GROUP BY source
       ON CONFLICT (source) DO UPDATE SET deliveries = t.deliveries + excluded.deliveries, records = t.records + excluded.records,
         relevant = t.relevant + excluded.relevant, stored = t.stored + excluded.stored, duplicates = t.duplicates + excluded.duplicates,
         conflicts = t.conflicts + excluded.conflicts, quarantined = t.quarantined + excluded.quarantined,
         lost_fields = t.lost_fields + excluded.lost_fields, last_stored_at = greatest(t.last_stored_at, excluded.last_stored_at)`,
      [rows.map((row) => row.id)],
    );
    return rows.length;
  });
}

/** What a seal is made of, of a batch `b`. */
export const SEAL_COLUMNS =
  'b.id, b.source, b.locator::text AS locator, b.input_sha256, b.evidence_sha256, b.records, b.relevant, b.inserted, b.duplicates, b.quarantined';

export interface SealRow {
  readonly id: number;
  readonly source: string;
  /** As the database writes it. */
  readonly locator: string;
  readonly input_sha256: Buffer | null;
  readonly evidence_sha256: Buffer | null;
  readonly records: number;
  readonly relevant: number;
  readonly inserted: number;
  readonly duplicates: number;
  readonly quarantined: number;
}

export function contentHash(row: SealRow): Buffer {
  const text = JSON.stringify([
    row.id,
    row.source,
    row.locator,
    row.input_sha256?.toString('hex') ?? null,
    row.evidence_sha256?.toString('hex') ?? null,
    row.records,
    row.relevant,
    row.inserted,
    row.duplicates,
    row.quarantined,
  ]);
  return Buffer.from(hash('sha256', text, 'hex'), 'hex');
}

export function chainHash(previous: Buffer, content: Buffer): Buffer {
  return Buffer.from(hash('sha256', Buffer.concat([previous, content]), 'hex'), 'hex');
}
