import { existsSync } from 'node:fs';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type OpenPostgres, openPostgres } from '../../services/platform/embedded.ts';
import { createLogger } from '../../services/platform/logger.ts';
import { connect } from '../../services/platform/postgres.ts';
import { command, type TestFolder, testFolder } from '../support/cli.ts';
import { type FixtureRecord, fixtureRecords } from '../support/detector-fixture.ts';
import { testDatabase } from '../support/postgres.ts';

interface ReplayJson {
  readonly deliveries: number;
  readonly records: number;
  readonly relevant: number;
  readonly new: number;
  readonly duplicates: number;
  readonly conflicts: number;
  readonly quarantined: number;
  readonly findings: Record<string, number>;
  readonly elapsed_ms: number;
  readonly events_per_second: number;
}

const SCHEDULED = fixtureRecords('key-deletion-scheduled', 'match-in-use');
const MENDED = fixtureRecords('rotation-disabled', 'mended');
const KEY_ARN = (SCHEDULED.at(-1)?.resources as { ARN: string }[] | undefined)?.[0]?.ARN ?? '';

/** One of somebody else's business, and one without identity. */
const IRRELEVANT = {
  ...SCHEDULED[0],
  eventSource: 's3.amazonaws.com',
  eventName: 'GetObject',
  eventID: 'f0f0f0f0-0000-4000-8000-000000000001',
};
const BROKEN = { ...SCHEDULED[0], eventID: null };

let folder: TestFolder;
let server: OpenPostgres | undefined;
let data: string;
let logs: string;

async function write(path: string, content: string | Buffer): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
}

const trail = (records: readonly object[]): string => JSON.stringify({ Records: records });
const json = <T>(text: string): T => JSON.parse(text) as T;

beforeAll(async () => {
  folder = await testFolder();
  [data, logs] = [join(folder.path, 'data'), join(folder.path, 'logs')];
  await write(
    join(logs, 'AWSLogs/111122223333/CloudTrail/eu-central-1/2026/04/27/one.json.gz'),
    gzipSync(trail([...SCHEDULED, IRRELEVANT])),
  );
  await write(join(logs, 'more/records.ndjson'), `${[...MENDED, BROKEN].map((record) => JSON.stringify(record)).join('\n')}\n`);
  // Delivered twice, in another form: as the output of `aws cloudtrail lookup-events`.
  await write(
    join(logs, 'more/lookup.json'),
    JSON.stringify({ Events: SCHEDULED.slice(0, 2).map((record) => ({ CloudTrailEvent: JSON.stringify(record) })) }),
  );
});

afterAll(async () => {
  await server?.close();
  await folder[Symbol.asyncDispose]();
});

describe('on one data directory', () => {
  const run = (...argv: string[]): ReturnType<typeof command> => command([...argv, '--data-dir', data]);

  test('a path that is not there ends with 1 before anything is opened or ingested', async () => {
    const { code, stdout, stderr } = await run('replay', logs, join(logs, 'typo'), '--json');
    expect(stderr).toContain(`${join(logs, 'typo')} cannot be read: ENOENT`);
    expect([code, stdout]).toEqual([1, '']);
    expect(existsSync(data)).toBe(false);
  });

  test('a replay counts everything that came in, and finds what is to be found', async () => {
    const { code, stdout, stderr } = await run('replay', logs, '--json');
    const told = json<ReplayJson>(stdout);
    expect(Object.keys(told)).toEqual([
      'deliveries',
      'records',
      'relevant',
      'new',
      'duplicates',
      'conflicts',
      'quarantined',
      'findings',
      'elapsed_ms',
      'events_per_second',
    ]);
    const { elapsed_ms: elapsed, events_per_second: rate, ...counts } = told;
    expect(counts).toEqual({
      deliveries: 3,
      records: SCHEDULED.length + 1 + MENDED.length + 1 + 2,
      relevant: SCHEDULED.length + MENDED.length + 2,
      new: SCHEDULED.length + MENDED.length,
      duplicates: 2,
      conflicts: 0,
      quarantined: 1,
      findings: { 'key-deletion-scheduled': 1, 'rotation-disabled': 1 },
    });
    expect(elapsed).toBeGreaterThan(0);
    expect(rate).toBe(Math.round((counts.relevant / elapsed) * 1000));
    expect(stderr).toContain('1 input was put aside: `kmswatch quarantine list`');
    expect(code).toBe(0);
  });

  test('commands use the server that runs', async () => {
    // Held open from here on: what follows need not start and stop it each time.
    server = await openPostgres({ dataDir: data, logger: createLogger('warn') });
    expect(server.embedded).toBe(true);
    const { code, stdout } = await run('doctor', '--json');
    const told = json<{ ok: boolean; checks: { name: string; status: string; mend: string | null }[] }>(stdout);
    expect([code, told.ok]).toEqual([0, true]);
    const expected = { node: 'ok', config: 'ok', database: 'ok', migrations: 'ok', clock: 'ok', queues: 'ok', quarantine: 'warn' };
    expect(Object.fromEntries(told.checks.map(({ name, status }) => [name, status]))).toMatchObject(expected);
    for (const check of told.checks) expect(check.mend === null).toBe(check.status === 'ok');
  });

  test('the same replay again stores nothing twice and finds the same', async () => {
    const before = json<unknown[]>((await run('findings', '--json')).stdout);
    const { code, stdout } = await run('replay', logs, '--json');
    expect(json<ReplayJson>(stdout)).toMatchObject({
      new: 0,
      duplicates: SCHEDULED.length + MENDED.length + 2,
      findings: { 'key-deletion-scheduled': 1, 'rotation-disabled': 1 },
    });
    expect(code).toBe(0);
    expect(json<unknown[]>((await run('findings', '--json')).stdout)).toEqual(before);
  });

  test('findings as JSON have the promised fields, and filters choose among them', async () => {
    const all = json<Record<string, unknown>[]>((await run('findings', '--json')).stdout);
    expect(all.map((finding) => [finding['detector'], finding['status']])).toEqual([
      ['key-deletion-scheduled', 'open'],
      ['rotation-disabled', 'resolved'],
    ]);
    const [scheduled] = all;
    expect(Object.keys(scheduled ?? {})).toEqual([
      'id',
      'detector',
      'severity',
      'status',
      'title',
      'key_arn',
      'actor',
      'account',
      'region',
      'first_seen',
      'last_seen',
      'occurrences',
      'evidence',
      'details',
    ]);
    const last = SCHEDULED.at(-1) as FixtureRecord;
    expect(scheduled).toMatchObject({
      key_arn: KEY_ARN,
      first_seen: new Date(last.eventTime).toISOString(),
      occurrences: 1,
      evidence: [last.eventID],
    });
    const only = async (...filter: string[]): Promise<unknown[]> =>
      json<{ detector: string }[]>((await run('findings', ...filter, '--json')).stdout).map(({ detector }) => detector);
    expect(await only('--status', 'resolved')).toEqual(['rotation-disabled']);
    expect(await only('--key', KEY_ARN.split('/').at(-1) ?? '')).toEqual(['key-deletion-scheduled']);
    expect(await only('--detector', 'key-disabled')).toEqual([]);
    expect(await only('--limit', '1')).toEqual(['key-deletion-scheduled']);
  });

  test('a finding is explained with the records that prove it, as they were written', async () => {
    const [{ id }] = json<[{ id: string }]>((await run('findings', '--json')).stdout);
    const told = json<{ explanation: { now: string[] }; evidence_records: { record: unknown }[] }>(
      (await run('finding', id.slice(0, 6), '--json')).stdout,
    );
    expect(told.evidence_records.map(({ record }) => record)).toEqual([SCHEDULED.at(-1)]);
    expect(told.explanation.now.length).toBeGreaterThan(0);
    const shown = await run('finding', id.slice(0, 6));
    expect(shown.stdout).toContain('What to do now');
    expect(shown.stdout).toContain(String(SCHEDULED.at(-1)?.eventID));
    expect((await run('finding', 'ffff')).code).toBe(1);
  });

  test('keys as JSON have the promised fields, null where nothing is known', async () => {
    const keys = json<Record<string, unknown>[]>((await run('keys', '--json')).stdout);
    const key = keys.find((each) => each['arn'] === KEY_ARN);
    expect(Object.keys(key ?? {})).toEqual([
      'arn',
      'account',
      'region',
      'state',
      'manager',
      'origin',
      'key_spec',
      'multi_region',
      'rotation',
      'deletion_date',
      'aliases',
      'last_used_at',
      'inventory',
    ]);
    const used = SCHEDULED.filter(({ eventName }) => ['Decrypt', 'GenerateDataKey'].includes(eventName))
      .map(({ eventTime }) => eventTime)
      .toSorted()
      .at(-1);
    expect(key).toMatchObject({ state: 'PendingDeletion', key_spec: null, last_used_at: new Date(used ?? '').toISOString() });
    expect(key?.['aliases']).toHaveLength(1);
    expect(key?.['deletion_date']).toMatch(/^2026-05-\d\dT/);
    expect(key?.['rotation']).toEqual({
      eligible: false,
      reason: expect.any(String),
      enabled: null,
      period_days: null,
      last_rotated_at: null,
    });
  });

  test('a key is found by its alias, and every fact says which event it comes from', async () => {
    const [alias = ''] =
      json<{ arn: string; aliases: string[] }[]>((await run('keys', '--json')).stdout).find(({ arn }) => arn === KEY_ARN)?.aliases ?? [];
    const told = json<{ arn: string; facts: Record<string, unknown>; users: { actor: string; uses: number }[] }>(
      (await run('key', alias, '--json')).stdout,
    );
    expect(told.arn).toBe(KEY_ARN);
    expect(told.facts['deletion']).toMatchObject({
      origin: SCHEDULED.at(-1)?.eventID,
      as_of: new Date(SCHEDULED.at(-1)?.eventTime ?? '').toISOString(),
    });
    const uses = SCHEDULED.filter(({ eventName }) => ['Decrypt', 'GenerateDataKey'].includes(eventName)).length;
    expect(told.users.reduce((sum, user) => sum + user.uses, 0)).toBe(uses);
    expect((await run('key', alias)).stdout).toContain('PendingDeletion');
  });

  test('standard input is a path like any other', async () => {
    const [record] = fixtureRecords('key-disabled', 'match-disabled');
    const { code, stdout } = await command(['replay', '-', '--json', '--data-dir', data], { input: gzipSync(trail([record ?? {}])) });
    expect(json<ReplayJson>(stdout)).toMatchObject({ deliveries: 1, records: 1, new: 1 });
    expect(code).toBe(0);
  });

  test('a file that cannot be read makes the command fail, after its neighbours are stored', async () => {
    const records = fixtureRecords('key-policy-public', 'match-everyone');
    const mixed = join(folder.path, 'mixed');
    await write(join(mixed, 'b.json'), trail(records));
    await symlink('/no/such/file', join(mixed, 'a.json'));
    const { code, stdout, stderr } = await run('replay', mixed, '--json');
    expect(json<ReplayJson>(stdout)).toMatchObject({
      deliveries: 2,
      new: records.length,
      quarantined: 1,
      findings: { 'key-policy-public': 1 },
    });
    expect(stderr).toContain('1 file could not be read');
    expect(code).toBe(1);
  });

  test('two replays and a question at once share the server, and nothing is stored twice or lost', async () => {
    const records = fixtureRecords('new-actor-for-key', 'match-new-role');
    const [left, right] = [join(folder.path, 'left.json'), join(folder.path, 'right.json')];
    const half = Math.ceil(records.length / 2);
    await write(left, trail(records.slice(0, half + 1)));
    await write(right, trail(records.slice(half - 1)));
    const [a, b, question] = await Promise.all([run('replay', left, '--json'), run('replay', right, '--json'), run('keys', '--json')]);
    expect([a.code, b.code, question.code]).toEqual([0, 0, 0]);
    const [told, also] = [json<ReplayJson>(a.stdout), json<ReplayJson>(b.stdout)];
    expect(told.new + also.new).toBe(records.length);
    expect(told.duplicates + also.duplicates).toBe(told.records + also.records - records.length);
  });
});

test('quarantine retry lets go of what goes through now, and keeps the rest without doubling it', async () => {
  await using database = await testDatabase();
  const record = fixtureRecords('key-disabled', 'match-disabled').at(-1);
  const run = (...argv: string[]): ReturnType<typeof command> => command([...argv, '--database-url', database.url]);
  const file = join(folder.path, 'quarantined.ndjson');
  await write(file, `${JSON.stringify(BROKEN)}\n{"Records":[{"eventVersion":"1.11","eve`);
  expect((await run('replay', file, '--json')).code).toBe(0);
  // As if an earlier release had not understood a good record.
  const { pool, close } = await connect({ url: database.url, max: 1, applicationName: 'kmswatch tests' });
  await pool.query(
    `INSERT INTO quarantine (fingerprint, batch_id, source, locator, ordinal, byte_offset, byte_length, reason, message, bytes, complete, quarantined_at)
     VALUES (gen_random_uuid(), 1, 'replay', '{"path": "/earlier.json"}', 0, 0, $1, 'unsupported-version', 'not understood', $2, true, now())`,
    [JSON.stringify(record).length, Buffer.from(JSON.stringify(record))],
  );
  await close();
  const before = json<{ id: number; reason: string; seen: number }[]>((await run('quarantine', 'list', '--json')).stdout);
  const idOf = (reason: string): number | undefined => before.find((each) => each.reason === reason)?.id;
  expect(before.map(({ reason }) => reason).toSorted()).toEqual(['no-event-id', 'truncated', 'unsupported-version']);
  const retried = await run('quarantine', 'retry', '--all', '--json');
  expect(json<object>(retried.stdout)).toEqual({ tried: 2, released: 1, still_quarantined: 1, unusable: [idOf('truncated')], unknown: [] });
  expect(retried.stderr).toContain('replay the files');
  const after = json<{ id: number; reason: string; seen: number }[]>((await run('quarantine', 'list', '--json')).stdout);
  expect(after.toSorted((a, b) => a.seen - b.seen).map(({ id, reason, seen }) => [id, reason, seen])).toEqual([
    [idOf('truncated'), 'truncated', 1],
    [idOf('no-event-id'), 'no-event-id', 2],
  ]);
  expect(json<{ detector: string }[]>((await run('findings', '--json')).stdout).map(({ detector }) => detector)).toEqual(['key-disabled']);
});

test('what records say cannot steer the terminal', async () => {
  await using database = await testDatabase();
  const forged = SCHEDULED.map((record) => {
    const text = JSON.stringify(record).replaceAll('alias/', String.raw`alias/\u001b[2J\u202e\n`);
    return JSON.parse(text) as object;
  });
  const run = (...argv: string[]): ReturnType<typeof command> =>
    command([...argv, '--database-url', database.url], { input: trail(forged) });
  const replayed = await run('replay', '-');
  const [finding] = json<{ id: string }[]>((await run('findings', '--json')).stdout);
  const shown = [
    replayed,
    await run('findings'),
    await run('finding', finding?.id ?? ''),
    await run('keys'),
    await run('key', KEY_ARN),
    await run('keys', '--json'),
  ];
  for (const { code, stdout, stderr } of shown) {
    expect(code).toBe(0);
    expect(stdout + stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
  }
  expect(shown.some(({ stdout }) => stdout.includes(String.raw`alias/\x1b[2J\u{202e}\x0a`))).toBe(true);
});
