import { expect, test } from 'vitest';
import { DAY } from '../../services/core/clock.ts';
import { say } from '../../services/store/finding-words.ts';
import { addSuppression, endSuppression, expireSuppressions, listSuppressions } from '../../services/store/suppressions.ts';
import { NOW, openPipeline, type Pipeline } from '../support/pipeline.ts';
import { testDatabase } from '../support/postgres.ts';
import { eventId, KEYS, record, roleOf, START } from '../support/records.ts';

const NOBODY = { detector: null, keyArn: null, actor: null, account: null, tag: null };
const WORDS = { reason: 'a planned clean-up', author: 'ines', endsAt: NOW + DAY };

/** ScheduleKeyDeletion of the nth key. */
const scheduled = (n: number, at = START): string =>
  JSON.stringify(
    record('ScheduleKeyDeletion', at, {
      eventID: eventId(n + at / 1_000 - START / 1_000),
      userIdentity: roleOf('admin'),
      readOnly: false,
      requestParameters: { keyId: KEYS[n], pendingWindowInDays: 30 },
      responseElements: { keyId: KEYS[n], keyState: 'PendingDeletion', pendingWindowInDays: 30, deletionDate: 'Jul 1, 2026, 12:00:00 AM' },
      resources: [{ ARN: KEYS[n], accountId: '111122223333', type: 'AWS::KMS::Key' }],
    }),
  );

test('a finding that is suppressed is kept and counted, and is open again when the suppression ends or expires', async () => {
  await using database = await testDatabase();
  await using pipeline = await openPipeline(database.url);
  const { pool } = pipeline.deps;
  await pipeline.deliver([scheduled(0), scheduled(1)]);
  await pipeline.work();
  expect(await standing(pipeline)).toEqual({ 0: 'open', 1: 'open' });

  const { id, findings } = await addSuppression(pool, { ...NOBODY, ...WORDS, keyArn: KEYS[0] }, NOW);
  expect(findings).toBeGreaterThan(0);
  expect(await standing(pipeline)).toEqual({ 0: 'suppressed', 1: 'open' });
  expect(await listSuppressions(pool, { at: NOW, all: false })).toMatchObject([{ id, findings, author: 'ines', reason: WORDS.reason }]);

  // Deriving it again does not open it, and another finding that fits is suppressed when it arises.
  await pipeline.assess();
  await pipeline.deliver([scheduled(0, START + DAY)]);
  await pipeline.work();
  expect(await standing(pipeline)).toEqual({ 0: 'suppressed', 1: 'open' });

  expect(await expireSuppressions(pool, NOW + DAY - 1)).toBe(0);
  expect(await expireSuppressions(pool, NOW + DAY)).toBeGreaterThan(0);
  expect(await standing(pipeline)).toEqual({ 0: 'open', 1: 'open' });
  expect(await listSuppressions(pool, { at: NOW + DAY, all: false })).toEqual([]);

  const later = NOW + DAY + 1;
  const second = await addSuppression(pool, { ...NOBODY, ...WORDS, detector: 'key-deletion-scheduled', endsAt: later + DAY }, later);
  expect(await standing(pipeline)).toEqual({ 0: 'suppressed', 1: 'suppressed' });
  expect(await endSuppression(pool, second.id, { by: 'otto', at: later })).toBe(true);
  expect(await endSuppression(pool, second.id, { by: 'otto', at: later })).toBe(false);
  expect(await standing(pipeline)).toEqual({ 0: 'open', 1: 'open' });
  expect(await history(pipeline, 0)).toEqual(expect.arrayContaining(['opened', 'suppressed by ines', 'unsuppressed by expiry']));
});

test('a suppression that names two things only covers findings that fit both', async () => {
  await using database = await testDatabase();
  await using pipeline = await openPipeline(database.url);
  await pipeline.deliver([scheduled(0), scheduled(1)]);
  await pipeline.work();
  const { pool } = pipeline.deps;
  await addSuppression(pool, { ...NOBODY, ...WORDS, keyArn: KEYS[0], account: '999999999999' }, NOW);
  await addSuppression(pool, { ...NOBODY, ...WORDS, keyArn: KEYS[0], tag: { key: 'team', value: 'payments' } }, NOW);
  expect(await standing(pipeline)).toEqual({ 0: 'open', 1: 'open' });
  await addSuppression(pool, { ...NOBODY, ...WORDS, keyArn: KEYS[0], account: '111122223333' }, NOW);
  expect(await standing(pipeline)).toEqual({ 0: 'suppressed', 1: 'open' });
});

test('a finding that a person resolved stays so until it is seen again; acknowledging and reopening are words as well', async () => {
  await using database = await testDatabase();
  await using pipeline = await openPipeline(database.url);
  await pipeline.deliver([scheduled(0)]);
  await pipeline.work();
  const { pool } = pipeline.deps;
  const id = await findingOf(pipeline, 0);
  const word = (verb: 'acknowledge' | 'resolve' | 'reopen'): ReturnType<typeof say> =>
    say(pool, id, { verb, comment: null, by: 'ines', at: NOW });

  expect(await word('acknowledge')).toEqual({ ok: true, status: 'acknowledged' });
  expect(await word('acknowledge')).toEqual({ ok: true, status: 'acknowledged' });
  expect(await word('resolve')).toEqual({ ok: true, status: 'resolved' });
  expect(await word('acknowledge')).toEqual({ ok: false, reason: 'not-possible', status: 'resolved' });
  await pipeline.assess();
  expect(await standing(pipeline)).toEqual({ 0: 'resolved' });
  await pipeline.deliver([scheduled(0)]);
  await pipeline.work();
  expect(await standing(pipeline)).toEqual({ 0: 'resolved' });
  expect(await word('reopen')).toEqual({ ok: true, status: 'open' });
  await word('resolve');

  await pipeline.deliver([scheduled(0, START + DAY)]);
  await pipeline.work();
  expect(await standing(pipeline)).toEqual({ 0: 'open' });
  expect(await say(pool, 'ffffffffffffffff', { verb: 'comment', comment: 'x', by: 'ines', at: NOW })).toMatchObject({
    ok: false,
    reason: 'not-found',
  });
  expect(await history(pipeline, 0)).toEqual(
    expect.arrayContaining(['acknowledge by ines', 'resolve by ines', 'reopen by ines', 'reopened']),
  );
});

async function standing(pipeline: Pipeline): Promise<Record<number, string>> {
  const rows = await pipeline.db
    .selectFrom('finding')
    .select(['key_arn', 'status'])
    .where('detector', '=', 'key-deletion-scheduled')
    .execute();
  return Object.fromEntries(rows.map((row) => [KEYS.findIndex((key) => key === row.key_arn), row.status]));
}

async function findingOf(pipeline: Pipeline, key: number): Promise<string> {
  const row = await pipeline.db
    .selectFrom('finding')
    .select('id')
    .where('detector', '=', 'key-deletion-scheduled')
    .where('key_arn', '=', KEYS[key] ?? '')
    .executeTakeFirstOrThrow();
  return row.id;
}

async function history(pipeline: Pipeline, key: number): Promise<string[]> {
  const rows = await pipeline.db
    .selectFrom('finding_history')
    .select(['change', 'by'])
    .where('finding_id', '=', await findingOf(pipeline, key))
    .execute();
  return rows.map((row) => (row.by === 'detection' ? row.change : `${row.change} by ${row.by}`));
}
