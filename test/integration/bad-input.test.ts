import { createWriteStream } from 'node:fs';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { gzipSync } from 'node:zlib';
import pg from 'pg';
import { expect, test } from 'vitest';
import { sleep } from '../../services/platform/clock.ts';
import { type Environment, expectSuccess, kmswatch, start } from '../support/kmswatch.ts';
import { temporaryFolder } from '../support/month.ts';
import { testDatabase } from '../support/postgres.ts';
import { countsOf } from '../support/undisturbed.ts';

const MIB = 1_048_576;
/** A process without any work needs about a third of it. */
const MEMORY_LIMIT = 400 * MIB;

/** An input of which is known what comes of it: ids of the events that are stored, reasons of what is put aside. */
interface Input {
  readonly name: string;
  readonly bytes: string | Uint8Array | AsyncIterable<string | Uint8Array>;
  readonly stored: readonly string[];
  readonly reasons: readonly string[];
  /** Records that are none of our business. */
  readonly irrelevant?: number;
}

let lastId = 0;

function uuid(): string {
  lastId += 1;
  return `b4d00000-0000-4000-8000-${String(lastId).padStart(12, '0')}`;
}

/** A call of Decrypt as CloudTrail writes it, with an id of its own. */
function decrypt(eventID: string, more: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({
    eventVersion: '1.11',
    userIdentity: {
      type: 'IAMUser',
      principalId: 'AIDAEXAMPLE',
      arn: 'arn:aws:iam::444455556666:user/nora',
      accountId: '444455556666',
      userName: 'nora',
    },
    eventTime: '2026-01-10T08:15:00Z',
    eventSource: 'kms.amazonaws.com',
    eventName: 'Decrypt',
    awsRegion: 'eu-central-1',
    sourceIPAddress: '192.0.2.17',
    userAgent: 'aws-cli/2.31.0',
    requestParameters: { encryptionContext: { purpose: 'test' }, encryptionAlgorithm: 'SYMMETRIC_DEFAULT' },
    responseElements: null,
    eventID,
    readOnly: true,
    resources: [
      {
        accountId: '444455556666',
        type: 'AWS::KMS::Key',
        ARN: 'arn:aws:kms:eu-central-1:444455556666:key/5d1a7c52-9b0e-4f4e-8a50-3c1a4e1f0b77',
      },
    ],
    eventType: 'AwsApiCall',
    managementEvent: true,
    recipientAccountId: '444455556666',
    eventCategory: 'Management',
    ...more,
  });
}

const log = (...records: readonly string[]): string => `{"Records":[${records.join(',')}]}`;

/** Records around a bad one, which must not suffer from it. */
function around(name: string, bad: string | Uint8Array, reasons: readonly string[]): Input {
  const [before, after] = [uuid(), uuid()];
  const parts = [Buffer.from(`{"Records":[${decrypt(before)},`), Buffer.from(bad), Buffer.from(`,${decrypt(after)}]}`)];
  return { name, bytes: Buffer.concat(parts), stored: [before, after], reasons };
}

/** The text, given to `JSON.stringify`d records as it stands. */
const verbatim = (record: string, from: string, to: string): string => record.replace(from, () => to);

function inputs(): Input[] {
  const good = [uuid(), uuid(), uuid()];
  const bucket = JSON.stringify({ ...(JSON.parse(decrypt(uuid())) as object), eventSource: 's3.amazonaws.com', eventName: 'GetObject' });
  const cut = [uuid(), uuid(), uuid()];
  const whole = log(...cut.map((id) => decrypt(id)));
  const stored = { context: uuid(), proto: uuid(), twice: uuid(), numbers: uuid() };
  const invalid = Buffer.concat([Buffer.from(decrypt(uuid()).replace(/\}$/, ',"x":"')), Buffer.of(0xc3, 0x28, 0xff), Buffer.from('"}')]);
  const digest = {
    awsAccountId: '444455556666',
    digestStartTime: '2026-01-10T08:00:00Z',
    digestEndTime: '2026-01-10T09:00:00Z',
    digestS3Bucket: 'trail-logs',
    digestS3Object: 'AWSLogs/444455556666/CloudTrail-Digest/eu-central-1/2026/01/10/digest.json.gz',
    digestPublicKeyFingerprint: '31e8b5433410dfb61a9dc45cc65b22ff',
    digestSignatureAlgorithm: 'SHA256withRSA',
    logFiles: [
      { s3Bucket: 'trail-logs', s3Object: 'AWSLogs/444455556666/CloudTrail/log.json.gz', hashValue: '00', hashAlgorithm: 'SHA-256' },
    ],
  };
  return [
    {
      name: 'a-good.json.gz',
      bytes: gzipSync(log(decrypt(good[0] as string), bucket, decrypt(good[1] as string))),
      stored: good.slice(0, 2),
      reasons: [],
      irrelevant: 1,
    },
    { name: 'z-good.json', bytes: decrypt(good[2] as string), stored: good.slice(2), reasons: [] },
    // Stored, not compressed, so that it is known where it is cut: within the last record.
    {
      name: 'truncated.json.gz',
      bytes: gzipSync(whole, { level: 0 }).subarray(0, whole.length - 100),
      stored: cut.slice(0, 2),
      reasons: ['truncated'],
    },
    { name: 'bomb.json.gz', bytes: bomb(), stored: [], reasons: ['decompression-limit'] },
    around('invalid-utf8.json', invalid, ['invalid-utf8']),
    hugeRecord(),
    around(
      'deep.json',
      decrypt(uuid(), { requestParameters: 'HERE' }).replace('"HERE"', `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`),
      ['too-deep'],
    ),
    around('no-json.json', decrypt(uuid()).replace('"eventName":', '"eventName";'), ['invalid-json']),
    around('version-2.json', decrypt(uuid(), { eventVersion: '2.0' }), ['unsupported-version']),
    around('version-9.json', decrypt(uuid(), { eventVersion: '9.99' }), ['unsupported-version']),
    around('no-id.json', decrypt('', { eventID: undefined }), ['no-event-id']),
    around('no-time.json', decrypt(uuid(), { eventTime: 'yesterday' }), ['no-event-time']),
    around('far-away.json', decrypt(uuid(), { eventTime: '2009-12-31T23:59:59Z' }), ['implausible-time']),
    {
      name: 'odd.json',
      bytes: log(
        decrypt(stored.context, {
          requestParameters: { encryptionContext: { 'nul\0name': 'nul\0value', '\ud800': 'half' } },
          userAgent: 'a\0b',
        }),
        verbatim(
          decrypt(stored.proto),
          '{"eventVersion"',
          '{"__proto__":{"eventName":"Encrypt","polluted":true},"constructor":{"prototype":1},"eventVersion"',
        ),
        verbatim(
          decrypt(stored.twice),
          '{"eventVersion"',
          '{"eventID":"00000000-0000-4000-8000-000000000000","eventName":"Encrypt","eventVersion"',
        ),
        verbatim(
          decrypt(stored.numbers),
          '"readOnly":true',
          '"readOnly":true,"apiVersion":9007199254740993,"additionalEventData":{"n":1e400,"m":-123456789012345678901234567890}',
        ),
      ),
      stored: Object.values(stored),
      reasons: [],
    },
    { name: 'empty.json', bytes: '', stored: [], reasons: [] },
    { name: 'empty.json.gz', bytes: gzipSync(''), stored: [], reasons: [] },
    { name: 'braces.json', bytes: '{}', stored: [], reasons: ['not-a-record'] },
    { name: 'digest.json.gz', bytes: gzipSync(JSON.stringify(digest)), stored: [], reasons: ['digest-file'] },
  ];
}

/** 10 MB that inflate to 10 GB. */
async function* bomb(): AsyncGenerator<Uint8Array> {
  const zeros = gzipSync(Buffer.alloc(10 * MIB), { level: 9 });
  for (let member = 0; member < 1_000; member += 1) yield zeros;
}

/** One record of 100 MB between two others. */
function hugeRecord(): Input {
  const [before, after] = [uuid(), uuid()];
  async function* bytes(): AsyncGenerator<string | Uint8Array> {
    yield `{"Records":[${decrypt(before)},{"eventVersion":"1.11","requestParameters":{"x":"`;
    for (let written = 0; written < 100; written += 1) yield Buffer.alloc(MIB, 'x');
    yield `"}},${decrypt(after)}]}`;
  }
  return { name: 'huge.json', bytes: bytes(), stored: [before, after], reasons: ['too-large'] };
}

async function write(folder: string, { name, bytes }: Input): Promise<void> {
  if (typeof bytes === 'string' || bytes instanceof Uint8Array) await writeFile(join(folder, name), bytes);
  else await pipeline(bytes, createWriteStream(join(folder, name)));
}

interface QuarantineJson {
  readonly reason: string;
  readonly message: string;
  readonly locator: { readonly path: string };
}

async function quarantineOf(environment: Environment): Promise<QuarantineJson[]> {
  const listed = await kmswatch(['quarantine', 'list', '--limit', '1000', '--json'], environment);
  expectSuccess(listed);
  return JSON.parse(listed.stdout) as QuarantineJson[];
}

/** Runs a command, looking now and then how much memory it has. */
async function measured(
  args: readonly string[],
  environment: Environment,
): Promise<Awaited<ReturnType<typeof kmswatch>> & { memory: number }> {
  const running = start(args, environment);
  let memory = 0;
  while (running.isRunning()) {
    memory = Math.max(memory, running.peakMemory() ?? 0);
    await sleep(20);
  }
  return { ...(await running.ended), memory };
}

test('whatever lies among log files is put aside with a reason, its neighbours are stored, and memory stays flat', async () => {
  const folder = await temporaryFolder();
  const all = inputs();
  await mkdir(join(folder, 'logs'));
  for (const input of all) await write(join(folder, 'logs'), input);
  await symlink('/nowhere/at/all.json', join(folder, 'logs', 'dangling.json'));
  await using database = await testDatabase();
  const environment = { DATABASE_URL: database.url };

  const ended = await measured(['replay', join(folder, 'logs'), '--json'], environment);
  const irrelevant = all.reduce((sum, input) => sum + (input.irrelevant ?? 0), 0);
  const stored = all.flatMap((input) => input.stored).sort();
  const counts = countsOf(ended.stdout);
  expect(counts).toMatchObject({ deliveries: all.length + 1, relevant: stored.length, new: stored.length, duplicates: 0, conflicts: 0 });
  expect(counts.records).toBe(counts.relevant + irrelevant + counts.quarantined);
  expect(ended.memory).toBeLessThan(MEMORY_LIMIT);

  // A file that cannot be read is a failure; what is in the others is not.
  expect(ended.code).toBe(1);
  expect(ended.stderr).toContain('inputs were put aside: `kmswatch quarantine list` says why.');
  expect(ended.stderr).toContain('1 file could not be read; everything else is stored.');
  expect(await eventIds(database.url)).toEqual(stored);

  const expected: [string, readonly string[]][] = [...all, { name: 'dangling.json', reasons: ['unreadable'] }].map(({ name, reasons }) => [
    name,
    reasons,
  ]);
  const listed = await quarantineOf(environment);
  const reasonsOf = (name: string): string[] =>
    listed.filter(({ locator }) => locator.path.endsWith(`/${name}`)).map(({ reason }) => reason);
  expect(expected.map(([name]) => [name, reasonsOf(name)])).toEqual(expected);
  expect(listed).toHaveLength(counts.quarantined);
  for (const { message } of listed) expect(message).toMatch(/^.{10,}$/);
});

test('input that is put aside is no failure; a path that is not there is one, before anything is stored', async () => {
  const folder = await temporaryFolder();
  await using database = await testDatabase();
  const environment = { DATABASE_URL: database.url };
  const [braces, good] = [join(folder, 'braces.json'), join(folder, 'good.json')];
  await writeFile(braces, '{}');
  await writeFile(good, decrypt(uuid()));

  const missing = await kmswatch(['replay', good, join(folder, 'missing.json'), '--json'], environment);
  expect(missing).toMatchObject({ code: 1, stdout: '' });
  expect(missing.stderr).toContain('missing.json cannot be read: ENOENT');
  expect(await eventIds(database.url)).toEqual([]);

  const aside = await kmswatch(['replay', good, braces, '--json'], environment);
  expectSuccess(aside);
  expect(countsOf(aside.stdout)).toMatchObject({ records: 2, relevant: 1, quarantined: 1 });
});

async function eventIds(url: string): Promise<string[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query<{ event_id: string }>('SELECT event_id FROM event ORDER BY 1')).rows.map((row) => row.event_id);
  } finally {
    await client.end();
  }
}
