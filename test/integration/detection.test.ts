import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DAY, HOUR, MINUTE } from '../../services/core/clock.ts';
import type { ConfiguredDetector } from '../../services/detectors/configure.ts';
import type { Detector } from '../../services/detectors/contract.ts';
import { detect } from '../../services/workers/detect.ts';
import { ingest } from '../../services/workers/ingest.ts';
import { storedFindings } from '../support/oracle.ts';
import { asOwner, CONFIGURED, openPipeline, type Pipeline } from '../support/pipeline.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { ACCOUNT, aliasArn, type Fields, KEYS, logsUnder, record, REGION, resources, roleOf, rootOf, START } from '../support/records.ts';

let database: TestDatabase;

beforeEach(async () => {
  database = await testDatabase();
});

afterEach(async () => {
  await database.drop();
});

const text = (fields: Fields): string => JSON.stringify(fields);
const on = (operation: string, at: number, fields: Fields = {}): string =>
  text(record(operation, at, { ...resources(KEYS[0]), ...fields }));

describe('a detector that throws', () => {
  const failing = { now: false };
  const detectors = CONFIGURED.map((configured): ConfiguredDetector => {
    const { detector } = configured;
    if (detector.id !== 'key-disabled' || detector.kind !== 'event') return configured;
    const evaluate: typeof detector.evaluate = (...args) => {
      if (failing.now) throw new RangeError(`nothing left for \u0000 ${'x'.repeat(3000)}`);
      return detector.evaluate(...args);
    };
    return { ...configured, detector: { ...detector, evaluate } satisfies Detector };
  });

  async function statusOf(pipeline: Pipeline): Promise<Record<string, string>> {
    const { rows } = await pipeline.deps.pool.query<{ detector: string; status: string }>(
      'SELECT detector, status FROM finding ORDER BY detector',
    );
    return Object.fromEntries(rows.map(({ detector, status }) => [detector, status]));
  }

  test("stops neither events nor others' findings, keeps what it had found, is on record, and is done with once it is mended", async () => {
    failing.now = false;
    await using pipeline = await openPipeline(database.url, { detectors });
    await pipeline.deliver([on('DisableKey', START)]);
    await pipeline.work();
    const [before] = await storedFindings(pipeline);
    expect(await statusOf(pipeline)).toEqual({ 'key-disabled': 'open' });

    failing.now = true;
    await pipeline.deliver([
      on('EnableKey', START + HOUR),
      on('ScheduleKeyDeletion', START + DAY),
      on('DisableKey', START + 1000, resources(KEYS[1])),
    ]);
    await pipeline.work();
    expect(await asOwner(database.url, 'SELECT count(*)::int AS n FROM event')).toEqual([{ n: 4 }]);
    expect(await asOwner(database.url, 'SELECT state, detected_at IS NOT NULL AS detected FROM ingest_batch WHERE id = 2')).toEqual([
      { state: 'stored', detected: true },
    ]);
    expect(await statusOf(pipeline)).toEqual({ 'key-disabled': 'open', 'key-deletion-scheduled': 'open' });
    expect((await storedFindings(pipeline)).find(({ detector }) => detector === 'key-disabled')).toEqual(before);
    const failures = await asOwner<{ message: string }>(
      database.url,
      'SELECT detector, message, resolved_at IS NULL AS standing FROM detector_failure ORDER BY subject',
    );
    expect(failures).toMatchObject([
      { detector: 'key-disabled', standing: true },
      { detector: 'key-disabled', standing: true },
    ]);
    expect(failures[0]?.message).toMatch(/^RangeError: nothing left for .{1,500}$/);

    failing.now = false;
    await pipeline.deliver([on('TagResource', START + 2 * DAY), on('TagResource', START + 3 * DAY, resources(KEYS[1]))]);
    await pipeline.work();
    expect(await asOwner(database.url, "SELECT status FROM finding WHERE detector = 'key-disabled' ORDER BY status")).toEqual([
      { status: 'open' },
      { status: 'resolved' },
    ]);
    expect(await asOwner(database.url, 'SELECT FROM detector_failure WHERE resolved_at IS NULL')).toEqual([]);
  });
});

describe('statements', () => {
  /** Every kind of thing that a batch can hold, on so many different keys, aliases, actors and accounts. */
  function mixture(size: number): string[] {
    return Array.from({ length: size }, (_, n) => {
      const each = Math.floor(n / 20);
      const key = `arn:aws:kms:${REGION}:${ACCOUNT}:key/${String(each).padStart(8, '0')}-0000-4000-8000-000000000000`;
      const alias = `alias/name-${each}`;
      const common = { eventID: `mixed ${n}`, userIdentity: roleOf(`role-${each}`), ...resources(key) };
      const at = START + (n % 600) * MINUTE;
      const denied = { errorCode: 'AccessDenied', errorMessage: 'no' };
      const disabled = { errorCode: 'DisabledException', errorMessage: 'no' };
      const byAlias = { resources: null, requestParameters: { keyId: alias } };
      const kinds: readonly (readonly [string, Fields])[] = [
        ['CreateKey', {}],
        ['DisableKey', {}],
        ['ScheduleKeyDeletion', {}],
        ['CreateAlias', { ...resources(aliasArn(alias), key), requestParameters: { aliasName: alias, targetKeyId: key } }],
        ['Decrypt', byAlias],
        ['Decrypt', { ...byAlias, ...disabled }],
        ['DisableKey', byAlias],
        ['Decrypt', denied],
        ['Decrypt', disabled],
        ['Decrypt', { userIdentity: rootOf(String(100_000_000_000 + each)) }],
        ['ReEncrypt', { resources: null, requestParameters: { sourceKeyId: key, destinationKeyId: KEYS[0] } }],
        [
          'StopLogging',
          {
            eventSource: 'cloudtrail.amazonaws.com',
            recipientAccountId: String(100_000_000_000 + each),
            resources: null,
            requestParameters: { name: 'main' },
          },
        ],
        ['GenerateDataKey', { resources: null, ...logsUnder(alias) }],
        ['Decrypt', { eventID: `mixed ${n - 1}` }],
        ['CreateGrant', {}],
        ['DeleteAlias', resources(aliasArn(alias), key)],
      ];
      const [operation, fields] = kinds[n % 20] ?? ['Decrypt', {}];
      return text(record(operation, at, { ...common, ...fields }));
    });
  }

  test('of ingest and of detection are as many for 2,000 events as for 100', async () => {
    const counts: number[][] = [];
    for (const size of [100, 2_000]) {
      await using place = await testDatabase();
      let statements = 0;
      await using pipeline = await openPipeline(place.url, { onStatement: () => void statements++ });
      const taken = async (work: () => Promise<void>): Promise<number> => {
        statements = 0;
        await work();
        return statements;
      };
      const steps: number[] = [];
      // The second time nothing is new.
      for (let round = 0; round < 2; round++) {
        const batch = await pipeline.deliver([...mixture(size), '{"damaged']);
        steps.push(await taken(() => ingest(pipeline.deps, batch)), await taken(() => detect(pipeline.deps, batch)));
      }
      expect(await asOwner(place.url, 'SELECT sum(inserted)::int AS inserted, sum(duplicates)::int AS known FROM ingest_batch')).toEqual([
        { inserted: size, known: size },
      ]);
      expect(await asOwner(place.url, 'SELECT FROM ingest_batch WHERE detected_at IS NULL')).toEqual([]);
      counts.push(steps);
    }
    expect(counts[1]).toEqual(counts[0]);
    // Ingest, detection; ingest of known records, detection of nothing.
    expect(counts[0]?.map((n, i) => n <= [30, 80, 15, 8][i]!)).toEqual([true, true, true, true]);
  });
});
