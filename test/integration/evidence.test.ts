import { createHash } from 'node:crypto';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { decodeFrames, encodeFrames } from '../../services/core/frames.ts';
import { readEvidence } from '../../services/store/evidence.ts';
import { violations } from '../support/dump.ts';
import { asOwner, openPipeline, type Pipeline } from '../support/pipeline.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { type Fields, KEYS, record, resources, START } from '../support/records.ts';

let database: TestDatabase;
let pipeline: Pipeline;

beforeEach(async () => {
  database = await testDatabase();
  pipeline = await openPipeline(database.url);
});

afterEach(async () => {
  await pipeline[Symbol.asyncDispose]();
  await database.drop();
});

const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();
const disable: Fields = record('DisableKey', START, resources(KEYS[0]));

/** One record in spellings that a parser would not give back. */
const SPELLINGS: Readonly<Record<string, string>> = {
  pretty: JSON.stringify({ ...disable, eventID: 'pretty' }, null, '\t').replaceAll('\n', '\r\n'),
  'with spaces around it': ` \n${JSON.stringify({ ...disable, eventID: 'with spaces around it' })} `,
  'with a key twice': JSON.stringify({ ...disable, eventID: 'with a key twice' }).replace('{', '{"eventName":"EnableKey",'),
  'with escapes': JSON.stringify({ ...disable, eventID: 'with escapes', userAgent: '…/é' })
    .replace('é', '\\u00e9')
    .replaceAll('/', '\\/'),
  'with numbers': JSON.stringify({ ...disable, eventID: 'with numbers' }).replace('{', '{"n":[1152921504606846977,1.0,1e2,-0,0.1e-400],'),
  'in an envelope': JSON.stringify({ CloudTrailEvent: JSON.stringify({ ...disable, eventID: 'in an envelope' }), Username: 'z' }),
  'with odd text': JSON.stringify({ ...disable, eventID: 'with odd text', userAgent: '\u0000\ud800 𝄞 \u2028' }),
};

describe('evidence', () => {
  test('is given back exactly as it was written, whatever the spelling', async () => {
    const names = Object.keys(SPELLINGS);
    await pipeline.deliver([
      JSON.stringify(record('ListBuckets', START, { eventSource: 's3.amazonaws.com' })),
      ...Object.values(SPELLINGS),
    ]);
    await pipeline.work();
    const found = await readEvidence(pipeline.deps.pool, names);
    expect(Object.fromEntries(found.map(({ eventId, text }) => [eventId, text]))).toEqual(SPELLINGS);
    expect(found.every(({ source, batchId }) => source === 'replay' && batchId > 0)).toBe(true);
  });

  test('holds the relevant records of its delivery in order, under the SHA-256 of its bytes, which the batch names', async () => {
    const irrelevant = JSON.stringify(record('ListBuckets', START, { eventSource: 's3.amazonaws.com' }));
    const relevant = Object.values(SPELLINGS);
    const written = relevant.flatMap((text) => [irrelevant, text]);
    await pipeline.deliver(written);
    await pipeline.work();
    const [kept] = await asOwner<{ sha256: Buffer; raw_bytes: number; blob: Buffer; records: number; evidence: Buffer; input: Buffer }>(
      database.url,
      'SELECT e.*, b.evidence_sha256 AS evidence, b.input_sha256 AS input FROM evidence e JOIN ingest_batch b ON b.evidence_sha256 = e.sha256',
    );
    const raw = zstdDecompressSync(kept!.blob);
    expect(decodeFrames(raw).map(({ bytes, offset }) => [offset, Buffer.from(bytes).toString()])).toEqual(
      relevant.map((text, i) => [2 * i + 1, text]),
    );
    expect(sha256(raw)).toEqual(kept?.sha256);
    expect(kept).toMatchObject({ raw_bytes: raw.length, records: relevant.length, evidence: kept?.sha256 });
    expect(kept?.input).toEqual(sha256(encodeFrames(written.map((text, offset) => ({ offset, bytes: Buffer.from(text) })))));
  });

  test('of the same records in two deliveries is kept once', async () => {
    for (let times = 0; times < 2; times++) await pipeline.deliver(Object.values(SPELLINGS));
    await pipeline.work();
    expect(await asOwner(database.url, 'SELECT records FROM evidence')).toEqual([{ records: Object.keys(SPELLINGS).length }]);
    expect(await violations(database.url)).toEqual([]);
  });
});

describe('the hash chain', () => {
  beforeEach(async () => {
    for (let n = 0; n < 4; n++) {
      await pipeline.deliver([JSON.stringify({ ...disable, eventID: `event ${n}` }), '{"damaged'], { locator: { path: `file ${n}` } });
      await pipeline.work();
    }
  });

  test('verifies when nothing was touched, and goes on where it was', async () => {
    expect(await violations(database.url)).toEqual([]);
    expect(await asOwner(database.url, 'SELECT sequence::int, batch_id FROM batch_seal ORDER BY sequence')).toEqual(
      [1, 2, 3, 4].map((n) => ({ sequence: n, batch_id: n })),
    );
  });

  test.each([
    ['the count of records', 'UPDATE ingest_batch SET records = records + 1 WHERE id = 2'],
    ['the count of relevant records', 'UPDATE ingest_batch SET relevant = relevant + 1 WHERE id = 2'],
    ['what was new and what was known', 'UPDATE ingest_batch SET inserted = inserted - 1, duplicates = duplicates + 1 WHERE id = 2'],
    ['the count of quarantined records', 'UPDATE ingest_batch SET quarantined = 0 WHERE id = 2'],
    ['the source', "UPDATE ingest_batch SET source = 's3-trail' WHERE id = 2"],
    ['the place', `UPDATE ingest_batch SET locator = '{"path": "elsewhere"}' WHERE id = 2`],
    ['the hash of the input', 'UPDATE ingest_batch SET input_sha256 = evidence_sha256 WHERE id = 2'],
    [
      'which evidence it has',
      'UPDATE ingest_batch SET evidence_sha256 = (SELECT evidence_sha256 FROM ingest_batch WHERE id = 3) WHERE id = 2',
    ],
    ['its own hash', 'UPDATE batch_seal SET content_hash = chain_hash WHERE batch_id = 2'],
  ])('breaks at the batch of which somebody changes %s', async (_what, statement) => {
    await asOwner(database.url, statement);
    expect(await violations(database.url)).toContain('seal 2 of batch 2 is broken');
  });

  test('breaks where a batch with its seal is taken out, and at the end of what comes after', async () => {
    await asOwner(database.url, 'DELETE FROM batch_seal WHERE batch_id = 2');
    expect(await violations(database.url)).toEqual(expect.arrayContaining(['seal 3 of batch 3 is broken', 'seal 4 of batch 4 is broken']));
    await asOwner(database.url, 'UPDATE batch_seal SET sequence = sequence - 1 WHERE sequence > 2');
    expect(await violations(database.url)).toEqual(expect.arrayContaining(['seal 2 of batch 3 is broken', 'seal 3 of batch 4 is broken']));
  });

  test('does not break by a conflict that a later batch raises', async () => {
    await pipeline.deliver([JSON.stringify({ ...disable, eventID: 'event 1', errorCode: 'AccessDenied' })]);
    await pipeline.work();
    expect(await asOwner(database.url, 'SELECT conflicts FROM ingest_batch ORDER BY id')).toEqual(
      [0, 0, 0, 0, 1].map((conflicts) => ({ conflicts })),
    );
    expect(await violations(database.url)).toEqual([]);
  });

  test('and the hash of the evidence give away records that were replaced', async () => {
    const [kept] = await asOwner<{ sha256: Buffer; blob: Buffer }>(
      database.url,
      'SELECT e.* FROM evidence e JOIN ingest_batch b ON b.evidence_sha256 = e.sha256 WHERE b.id = 2',
    );
    const frames = decodeFrames(zstdDecompressSync(kept!.blob));
    const forged = encodeFrames(
      frames.map(({ offset, bytes }) => ({ offset, bytes: Buffer.from(Buffer.from(bytes).toString().replace('DisableKey', 'ListKeys')) })),
    );
    await asOwner(database.url, 'UPDATE evidence SET blob = $1 WHERE sha256 = $2', [zstdCompressSync(forged), kept?.sha256]);
    const [changed] = await asOwner<{ sha256: Buffer; blob: Buffer }>(database.url, 'SELECT * FROM evidence WHERE sha256 = $1', [
      kept?.sha256,
    ]);
    expect(sha256(zstdDecompressSync(changed!.blob))).not.toEqual(changed?.sha256);
    // Under its right hash, the batch's seal tells.
    await asOwner(database.url, 'UPDATE evidence SET sha256 = $1 WHERE sha256 = $2', [sha256(forged), kept?.sha256]);
    await asOwner(database.url, 'UPDATE ingest_batch SET evidence_sha256 = $1 WHERE id = 2', [sha256(forged)]);
    expect(await violations(database.url)).toContain('seal 2 of batch 2 is broken');
  });
});
