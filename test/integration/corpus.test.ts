import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { decodeFrames } from '../../services/core/frames.ts';
import { DETECTORS } from '../../services/detectors/registry.ts';
import { violations } from '../support/dump.ts';
import { expectSuccess, kmswatch } from '../support/kmswatch.ts';
import { testDatabase } from '../support/postgres.ts';
import { countsOf } from '../support/undisturbed.ts';

/**
 * Recorded and documented CloudTrail records that lie beside the repository, because they are not ours to give away. A second,
 * plain reading of the files, which shares no code with the service, says what must be in the database after a replay of the folder.
 */
const FOLDER = join(import.meta.dirname, '../../../shared/corpus');
const PRESENT = existsSync(FOLDER);

// Not defined rather than skipped where there is no corpus: a skipped test is a failure in CI.
const compare = PRESENT ? describe : (_name: string, _tests: () => void): void => undefined;

test(`the corpus of recorded records is ${PRESENT ? 'present, and replayed' : 'not on this machine, and not replayed'}`, () => {
  expect(existsSync(FOLDER)).toBe(PRESENT);
});

compare('a replay of the corpus', () => {
  test('stores every KMS record under the right operation, key, actor and account, and drops nothing silently', async () => {
    await using database = await testDatabase();
    const ended = await kmswatch(['replay', FOLDER, '--json'], { DATABASE_URL: database.url });
    expectSuccess(ended);
    expect(await violations(database.url)).toEqual([]);
    const counts = countsOf(ended.stdout);
    const stored = await readStored(database.url);
    const plain = readPlain();

    expect(stored.map(({ path }) => path).toSorted()).toEqual(plain.map(({ path }) => path));
    for (const file of stored) {
      const { candidates, kept, irrelevant, aside } = plain.find(({ path }) => path === file.path)?.content ?? onlyRubbish(file);
      const { records, relevant, quarantined } = file;
      expect({ path: file.path, records, relevant, quarantined }).toEqual({
        path: file.path,
        records: candidates,
        relevant: kept.length,
        quarantined: aside,
      });
      expect(records).toBe(relevant + irrelevant + quarantined);
      expect(file.told).toEqual(kept.map(tell));
    }

    const kept = plain.flatMap(({ content }) => content?.kept ?? []);
    expect(kept.filter((record) => record.eventSource === 'kms.amazonaws.com').length).toBeGreaterThan(100);
    const identities = new Set(kept.map((record) => JSON.stringify([accountOf(record), record.awsRegion, record.eventID])));
    const tellings = new Set(kept.map(canonical));
    const sum = (pick: (file: StoredFile) => number): number => stored.reduce((total, file) => total + pick(file), 0);
    expect(counts).toMatchObject({
      deliveries: plain.length,
      records: sum((file) => file.records),
      relevant: kept.length,
      new: identities.size,
      quarantined: sum((file) => file.quarantined),
    });
    expect(counts.relevant).toBe(counts.new + counts.duplicates + counts.conflicts);
    // Records that are the same word for word are duplicates; some of the others differ in nothing that matters.
    expect(counts.duplicates).toBeGreaterThanOrEqual(kept.length - tellings.size);
  });
});

/** A parsed record: any, as it would be read at a prompt. */
type Anything = Record<string, never>;

/** What the database has of a file: its counts, and what is told of the records that it kept, in the file's order. */
interface StoredFile {
  readonly path: string;
  readonly records: number;
  readonly relevant: number;
  readonly quarantined: number;
  readonly told: readonly Told[];
}

/** What another reading finds in a file. */
interface PlainContent {
  readonly candidates: number;
  readonly kept: readonly Anything[];
  readonly irrelevant: number;
  readonly aside: number;
}

interface Told {
  readonly operation: string;
  readonly key: string | null;
  readonly actor: string | null;
  readonly account: string;
  readonly region: string;
  readonly time: string;
  readonly ok: boolean;
}

async function readStored(url: string): Promise<StoredFile[]> {
  const client = new pg.Client({ connectionString: url, options: '-c timezone=UTC' });
  await client.connect();
  try {
    const batches = await client.query<{
      id: number;
      path: string;
      records: number;
      relevant: number;
      quarantined: number;
      blob: Buffer | null;
    }>(
      `SELECT b.id, locator ->> 'path' AS path, b.records, relevant, quarantined, blob
       FROM ingest_batch b LEFT JOIN evidence v ON v.sha256 = b.evidence_sha256`,
    );
    const { rows } = await client.query<Told & { batch: number; ordinal: number; id: string }>(
      `SELECT s.batch_id AS batch, s.ordinal, coalesce(x.text, e.event_id::text) AS id, o.value AS operation, k.arn AS key, c.principal AS actor,
         a.value AS account, r.value AS region, to_char(e.event_time, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS time, e.outcome = 0 AS ok
       FROM (SELECT batch_id, ordinal, event_id, essence, event_time FROM event
             UNION ALL SELECT batch_id, ordinal, event_id, essence, event_time FROM observation) s
       JOIN event_call e USING (event_id, essence, event_time) LEFT JOIN event_id_text x USING (event_id)
       JOIN term o ON o.id = e.operation_id JOIN term a ON a.id = e.account_id JOIN term r ON r.id = e.region_id JOIN actor c ON c.id = e.actor_id
       LEFT JOIN kms_key k ON k.id = e.key_id ORDER BY s.batch_id, s.ordinal`,
    );
    return batches.rows.map(({ id, blob, ...file }) => {
      const own = rows.filter((row) => row.batch === id);
      const evidence = blob
        ? decodeFrames(zstdDecompressSync(blob)).map(({ bytes }) => JSON.parse(Buffer.from(bytes).toString()) as Anything)
        : [];
      // Each event lies where its evidence says.
      expect(own.map((row) => row.id)).toEqual(evidence.map((candidate) => String(recordIn(candidate).eventID)));
      const told = own.map(({ operation, key, actor, account, region, time, ok }) => ({
        operation,
        key,
        actor: knownActor(actor),
        account,
        region,
        time,
        ok,
      }));
      return { ...file, told };
    });
  } finally {
    await client.end();
  }
}

/** Actors that have no ARN go by names of our own making, which another reading cannot know. */
function knownActor(id: string | null): string | null {
  return id?.startsWith('arn:') ? id : null;
}

function readPlain(): { path: string; content: PlainContent | null }[] {
  return readdirSync(FOLDER, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted()
    .map((path) => ({ path, content: plainFile(path) }));
}

/** No JSON at all, so that only the splitter can say into how many pieces it falls: all of them are put aside. */
function onlyRubbish({ quarantined }: StoredFile): PlainContent {
  return { candidates: quarantined, kept: [], irrelevant: 0, aside: quarantined };
}

/** Null for a file that is neither JSON nor JSON lines. */
function plainFile(path: string): PlainContent | null {
  const candidates = candidatesIn(readFileSync(path, 'utf8'));
  if (!candidates) return null;
  const records = candidates.map(recordIn);
  const isRecord = (record: Anything): boolean =>
    ['eventSource', 'eventVersion', 'eventName', 'eventType'].some((field) => field in record);
  const ours = records.filter((record) => isRecord(record) && isOurs(record));
  const kept = ours.filter((record) => Boolean(record.eventID) && !Number.isNaN(Date.parse(timeOf(record))));
  const irrelevant = records.filter((record) => isRecord(record) && !isOurs(record)).length;
  return { candidates: records.length, kept, irrelevant, aside: records.length - kept.length - irrelevant };
}

function candidatesIn(text: string): Anything[] | undefined {
  try {
    const value = JSON.parse(text) as Anything | Anything[];
    return Array.isArray(value) ? value : (value.Records ?? value.Events ?? [value]);
  } catch {
    const lines = text.split('\n').filter((line) => line.trim() !== '');
    try {
      return lines.map((line) => JSON.parse(line) as Anything);
    } catch {
      return undefined;
    }
  }
}

function recordIn(candidate: Anything): Anything {
  const text: unknown = candidate.CloudTrailEvent ?? candidate._raw;
  if (typeof text === 'string') return JSON.parse(text) as Anything;
  const detail: Anything | undefined = candidate['detail-type'] === undefined ? undefined : candidate.detail;
  return detail ?? candidate;
}

const NAMED: ReadonlySet<string> = new Set(DETECTORS.flatMap((detector) => detector.events));

/** Of these only what concerns resources that the configuration names, and it names none; objects are log files by their names. */
const CONCERNS_NOBODY = new Set(['sqs', 'events', 'iam']);

function isOurs(record: Anything): boolean {
  const service = String(record.eventSource).replace('.amazonaws.com', '');
  if (service === 'kms') return true;
  if (!NAMED.has(`${service}:${String(record.eventName)}`) || CONCERNS_NOBODY.has(service)) return false;
  const request = record.requestParameters as { readonly key?: unknown } | null | undefined;
  return !String(record.eventName).startsWith('DeleteObject') || /AWSLogs\/.*\/CloudTrail/.test(String(request?.key));
}

function timeOf(record: Anything): string {
  return String(record.eventTime ?? record['@timestamp']);
}

function accountOf(record: Anything): string {
  return String(record.recipientAccountId ?? (record.userIdentity as Anything | undefined)?.accountId);
}

function tell(record: Anything): Told {
  return {
    operation: `${String(record.eventSource).replace('.amazonaws.com', '')}:${String(record.eventName ?? '(none)')}`,
    key: plainKey(record),
    actor: plainActor(record.userIdentity ?? {}),
    account: accountOf(record),
    region: String(record.awsRegion),
    time: timeOf(record).replace(/\.\d+Z$/, 'Z'),
    ok: record.errorCode === undefined,
  };
}

/** Listed resources tell the key best, then the answer, then the request, then an error's message. */
function plainKey(record: Anything): string | null {
  const request: Anything = record.requestParameters ?? {};
  const response: Anything = record.responseElements ?? {};
  const resources = (record.resources ?? []) as Anything[];
  const listed = resources.map((resource) => String(resource.ARN ?? resource.arn ?? '')).find((arn) => arn.includes(':key/'));
  if (record.eventSource !== 'kms.amazonaws.com') return null;
  if (listed !== undefined) return listed;
  const named: unknown = response.keyId ?? (response.keyMetadata as Anything | undefined)?.arn ?? request.keyId ?? request.targetKeyId;
  if (typeof named !== 'string') return /arn:aws:kms:[a-z0-9-]+:\d+:(?:key|alias)\/[\w/-]+/.exec(String(record.errorMessage))?.[0] ?? null;
  if (named.startsWith('arn:')) return named;
  return `arn:aws:kms:${String(record.awsRegion)}:${accountOf(record)}:${named.startsWith('alias/') ? named : `key/${named}`}`;
}

/** A session is its role's; everybody else is told by the ARN. */
function plainActor(identity: Anything): string | null {
  const issuer: unknown = ((identity.sessionContext as Anything | undefined)?.sessionIssuer as Anything | undefined)?.arn;
  if (typeof issuer === 'string') return issuer;
  const session = /^arn:(aws[\w-]*):sts::(\d+):assumed-role\/([^/]+)/.exec(String(identity.arn));
  if (session) return `arn:${session[1]}:iam::${session[2]}:role/${session[3]}`;
  return String(identity.arn).startsWith('arn:') ? String(identity.arn) : null;
}

/** The record's text with the names in order, so that only what is said counts. */
function canonical(record: unknown): string {
  return JSON.stringify(record, (_name, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}
