/**
 * Conflicts: one identity (account, region, event id) told with different facts. Looked for after the commit: of two batches
 * that store the two tellings at the same moment, at least the later one sees both.
 */
import type pg from 'pg';
import { plainArray } from './array.ts';
import { inTransaction } from './transaction.ts';

interface Identity {
  readonly eventUuid: string;
  readonly accountId: number;
  readonly regionId: number;
}

/**
 * Marks the conflicts that a stored batch takes part in, and the batch as checked. Idempotent.
 * @param rows the batch's inserted events; null when they are not at hand (after a crash): read from the table then
 * @returns how many tellings the batch added to what was known
 */
export async function checkConflicts(
  pool: pg.Pool,
  batchId: number,
  work: { rows: readonly Identity[] | null; at: number },
): Promise<number> {
  const rows = work.rows ?? (await identitiesOf(pool, batchId));
  const tellings = rows.length === 0 ? [] : await tellingsOf(pool, rows);
  if (tellings.length === 0) {
    await pool.query({
      name: 'mark-checked',
      text: 'UPDATE ingest_batch SET checked_at = $2 WHERE id = $1',
      values: [batchId, new Date(work.at)],
    });
    return 0;
  }
  return await inTransaction(pool, async (client) => {
    await client.query(
      `INSERT INTO event_conflict (event_id, account_id, region_id, batch_id, ordinal, event_time, essence)
       SELECT * FROM unnest($1::uuid[], $2::int[], $3::int[], $4::int[], $5::int[], $6::timestamptz[], $7::bigint[]) ORDER BY 1, 2, 3, 4, 5 ON CONFLICT DO NOTHING`,
      [
        plainArray(tellings.map((t) => t.event_id)),
        plainArray(tellings.map((t) => t.account_id)),
        plainArray(tellings.map((t) => t.region_id)),
        plainArray(tellings.map((t) => t.batch_id)),
        plainArray(tellings.map((t) => t.ordinal)),
        tellings.map((t) => new Date(t.event_time)),
        plainArray(tellings.map((t) => t.essence)),
      ],
    );
    const batches = [...new Set([batchId, ...tellings.map((t) => t.batch_id)])].toSorted((a, b) => a - b);
    await client.query('SELECT FROM ingest_batch WHERE id = ANY($1::int[]) ORDER BY id FOR UPDATE', [batches]);
    // Of the tellings of one identity the one of the first batch is the event, the others are its conflicts; counted where they were
    // stored. A batch that was sealed before is in the running totals already, so they follow.
    await client.query(
      `WITH told AS (
         SELECT batch_id, row_number() OVER (PARTITION BY event_id, account_id, region_id ORDER BY batch_id, ordinal) AS nth
         FROM event_conflict WHERE (event_id, account_id, region_id) IN (
           SELECT event_id, account_id, region_id FROM event_conflict WHERE batch_id = ANY($1::int[]))),
       counted AS (SELECT batch_id, count(*) FILTER (WHERE nth > 1) AS n FROM told WHERE batch_id = ANY($1::int[]) GROUP BY batch_id),
       changed AS (UPDATE ingest_batch b SET conflicts = c.n FROM counted c WHERE b.id = c.batch_id)
       UPDATE ingest_total t SET stored = t.stored - more, conflicts = t.conflicts + more
       FROM (SELECT source, sum(c.n - b.conflicts) AS more FROM counted c JOIN ingest_batch b ON b.id = c.batch_id
             WHERE EXISTS (SELECT FROM batch_seal s WHERE s.batch_id = b.id) GROUP BY source) late
       WHERE t.source = late.source AND more <> 0`,
      [batches],
    );
    // The other batch may have been detected long ago: this batch's detection raises the conflict for both.
    const accounts = [...new Set(tellings.map((t) => t.account_id))];
    await client.query(
      `UPDATE ingest_batch SET checked_at = $2, touched = jsonb_set(coalesce(touched, '{}'), '{accounts}',
         (SELECT jsonb_agg(DISTINCT a) FROM (SELECT jsonb_array_elements(coalesce(touched -> 'accounts', '[]')) AS a UNION SELECT to_jsonb(unnest($3::int[]))) s))
       WHERE id = $1`,
      [batchId, new Date(work.at), accounts],
    );
    return tellings.filter((t) => t.batch_id === batchId).length;
  });
}

interface Telling {
  event_id: string;
  account_id: number;
  region_id: number;
  batch_id: number;
  ordinal: number;
  event_time: number;
  essence: string;
}

/**
 * All tellings of those identities that are told in more than one way. Asked in two steps: nearly always the first one, which
 * only counts rows by event id, is the last one too.
 */
async function tellingsOf(pool: pg.Pool, identities: readonly Identity[]): Promise<Telling[]> {
  const repeated = await pool.query<{ event_id: string }>({
    name: 'find-repeated-ids',
    text: 'SELECT event_id FROM event WHERE event_id = ANY($1::uuid[]) GROUP BY event_id HAVING count(*) > 1',
    values: [plainArray(identities.map((identity) => identity.eventUuid))],
  });
  if (repeated.rows.length === 0) return [];
  const { rows } = await pool.query<Telling>(
    `SELECT event_id, account_id, region_id, batch_id, ordinal, event_time, essence::text FROM (
       SELECT *, count(*) OVER (PARTITION BY event_id, account_id, region_id) AS tellings FROM event_call WHERE event_id = ANY($1::uuid[])) t
     WHERE tellings > 1`,
    [repeated.rows.map((row) => row.event_id)],
  );
  return rows;
}

/** The slow way, for a batch whose worker died between storing and checking: no index leads from a batch to its events. */
async function identitiesOf(pool: pg.Pool, batchId: number): Promise<Identity[]> {
  const { rows } = await pool.query<{ event_id: string; account_id: number; region_id: number }>(
    `SELECT e.event_id, e.account_id, e.region_id FROM ingest_batch b JOIN event_call e ON e.batch_id = b.id AND e.event_time BETWEEN b.oldest_event AND b.newest_event
     WHERE b.id = $1`,
    [batchId],
  );
  return rows.map((row) => ({ eventUuid: row.event_id, accountId: row.account_id, regionId: row.region_id }));
}

/** Conflicting identities by account term id, in order of their earliest telling. */
export async function conflictsOfAccounts(
  client: pg.ClientBase,
  accountIds: readonly number[],
): Promise<Map<number, { eventId: string; region: string; at: number; tellings: number }[]>> {
  const { rows } = await client.query<{ account_id: number; event_id: string; region: string; at: number; tellings: number }>(
    `SELECT c.account_id, coalesce(x.text, c.event_id::text) AS event_id, r.value AS region, min(c.event_time) AS at, count(*)::int AS tellings
     FROM event_conflict c JOIN term r ON r.id = c.region_id LEFT JOIN event_id_text x ON x.event_id = c.event_id
     WHERE c.account_id = ANY($1::int[]) GROUP BY c.account_id, c.event_id, x.text, r.value
     ORDER BY at, c.event_id, r.value COLLATE "C"`,
    [accountIds],
  );
  const byAccount = new Map<number, { eventId: string; region: string; at: number; tellings: number }[]>();
  for (const row of rows) {
    const entry = { eventId: row.event_id, region: row.region, at: row.at, tellings: row.tellings };
    byAccount.set(row.account_id, [...(byAccount.get(row.account_id) ?? []), entry]);
  }
  return byAccount;
}
