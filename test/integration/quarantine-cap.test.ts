import { expect, test } from 'vitest';
import { encodeFrames } from '../../services/core/frames.ts';
import type { JsonObject } from '../../services/core/json.ts';
import { cutIntoChunks } from '../../services/sources/chunks.ts';
import { DEFAULT_LIMITS } from '../../services/sources/limits.ts';
import { registerDelivery } from '../../services/store/batches.ts';
import { KEPT_WHOLE } from '../../services/store/quarantine.ts';
import { ingest } from '../../services/workers/ingest.ts';
import { violations } from '../support/dump.ts';
import { asOwner, NOW, openPipeline, type Pipeline } from '../support/pipeline.ts';
import { testDatabase } from '../support/postgres.ts';
import { KEYS, record, resources, START } from '../support/records.ts';

const GOOD = JSON.stringify(record('Decrypt', START, resources(KEYS[0])));

/** Streams text as a file is streamed, and stores every chunk. */
async function stream({ deps }: Pipeline, path: string, text: string): Promise<number> {
  async function* bytes(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < text.length; at += 65_536) yield Buffer.from(text.slice(at, at + 65_536));
  }
  let chunks = 0;
  for await (const { locator, payload, quarantined } of cutIntoChunks({ path }, bytes(), DEFAULT_LIMITS)) {
    const delivery = { runId: 'test', source: 'replay', locator, payload, checkpoint: null, quarantined, receivedAt: NOW };
    await ingest(deps, await registerDelivery(deps.pool, delivery));
    chunks += 1;
  }
  return chunks;
}

interface Kept {
  readonly rows: number;
  readonly whole: number;
  readonly seen: number;
  readonly quarantined: number;
  readonly records: number;
  readonly relevant: number;
}

async function kept(url: string): Promise<Kept> {
  const [row] = await asOwner<Kept & Record<string, number>>(
    url,
    `SELECT (SELECT count(*)::int FROM quarantine) AS rows, (SELECT count(*)::int FROM quarantine WHERE complete) AS whole,
       (SELECT sum(seen)::int FROM quarantine) AS seen, sum(quarantined)::int AS quarantined, sum(records)::int AS records, sum(relevant)::int AS relevant FROM ingest_batch`,
  );
  if (!row) throw new Error('no row');
  return row;
}

test('of a streamed input that is rubbish throughout the first thousand are kept, the rest is counted to the last one', async () => {
  await using database = await testDatabase();
  await using pipeline = await openPipeline(database.url);
  const rubbish = 30_000;
  const chunks = await stream(pipeline, 'rubbish', `${GOOD}${'{}'.repeat(rubbish)}${GOOD.replace('Decrypt', 'Encrypt')}`);
  expect(chunks).toBeGreaterThan(10);
  expect(await kept(database.url)).toEqual({
    rows: KEPT_WHOLE + 1,
    whole: KEPT_WHOLE,
    seen: rubbish,
    quarantined: rubbish,
    records: rubbish + 2,
    relevant: 2,
  });
  const [folded] = await asOwner<{ locator: JsonObject; seen: number; bytes: Buffer }>(
    database.url,
    'SELECT locator, seen, bytes FROM quarantine WHERE NOT complete',
  );
  expect(folded).toMatchObject({ locator: { path: 'rubbish' }, seen: rubbish - KEPT_WHOLE });
  expect(folded?.bytes).toHaveLength(0);

  // The same once more: no row is added, and all are counted again.
  await stream(pipeline, 'rubbish', `${GOOD}${'{}'.repeat(rubbish)}${GOOD.replace('Decrypt', 'Encrypt')}`);
  expect(await kept(database.url)).toMatchObject({ rows: KEPT_WHOLE + 1, seen: 2 * rubbish, quarantined: 2 * rubbish });
  await pipeline.work();
  expect(await violations(database.url)).toEqual([]);
});

test('a whole delivery is bounded in the same way, each reason for itself, and what is wrong with it as a whole is always kept', async () => {
  await using database = await testDatabase();
  await using pipeline = await openPipeline(database.url);
  const records = [
    ...Array.from({ length: 1_500 }, () => '{}'),
    ...Array.from({ length: 700 }, () => JSON.stringify({ ...(JSON.parse(GOOD) as object), eventVersion: '9.1' })),
    GOOD,
  ];
  const whole = { reason: 'truncated', message: 'cut', ordinal: null, offset: null, length: null, bytes: Buffer.from('x') } as const;
  const id = await registerDelivery(pipeline.deps.pool, {
    runId: 'test',
    source: 'replay',
    locator: { path: 'whole' },
    payload: encodeFrames(records.map((text, offset) => ({ offset, bytes: Buffer.from(text) }))),
    checkpoint: null,
    quarantined: [whole],
    receivedAt: NOW,
  });
  await ingest(pipeline.deps, id);
  expect(await kept(database.url)).toMatchObject({ seen: 2_201, quarantined: 2_201, records: 2_202, relevant: 1 });
  const rows = await asOwner<{ reason: string; whole: number; folded: number }>(
    database.url,
    `SELECT reason, count(*) FILTER (WHERE byte_offset IS NOT NULL)::int AS whole, coalesce(sum(seen) FILTER (WHERE byte_offset IS NULL), 0)::int AS folded
     FROM quarantine GROUP BY reason ORDER BY reason`,
  );
  expect(rows.reduce((sum, { whole: n }) => sum + n, 0)).toBe(KEPT_WHOLE);
  expect(rows.find(({ reason }) => reason === 'unsupported-version')).toMatchObject({ whole: 0, folded: 700 });
  expect(rows.find(({ reason }) => reason === 'truncated')).toMatchObject({ folded: 1 });
});

test('a few bad records in each chunk of a large good input are all kept whole', async () => {
  await using database = await testDatabase();
  await using pipeline = await openPipeline(database.url);
  const piece = `${`${GOOD}\n`.repeat(1_990)}${'{}\n'.repeat(10)}`;
  await stream(pipeline, 'mostly good', piece.repeat(4));
  expect(await kept(database.url)).toMatchObject({ rows: 40, whole: 40, quarantined: 40, records: 8_000 });
});

test('what waits in quarantine and is put aside again is counted on its own row, however full the quarantine is', async () => {
  await using database = await testDatabase();
  await using pipeline = await openPipeline(database.url);
  await stream(pipeline, 'rubbish', '{}'.repeat(5_000));
  const [first] = await asOwner<{ id: number; locator: JsonObject; byte_offset: string }>(
    database.url,
    'SELECT id, locator, byte_offset FROM quarantine WHERE complete ORDER BY byte_offset DESC LIMIT 1',
  );
  const again = await registerDelivery(pipeline.deps.pool, {
    runId: 'retry',
    source: 'replay',
    locator: first?.locator ?? {},
    payload: encodeFrames([{ offset: Number(first?.byte_offset), bytes: Buffer.from('{}') }]),
    checkpoint: null,
    quarantined: [],
    receivedAt: NOW,
  });
  await ingest(pipeline.deps, again);
  expect(await asOwner(database.url, 'SELECT seen FROM quarantine WHERE id = $1', [first?.id])).toEqual([{ seen: 2 }]);
});
