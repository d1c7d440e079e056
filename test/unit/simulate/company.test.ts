import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { DAY, HOUR } from '../../../services/core/clock.ts';
import type { JsonObject } from '../../../services/core/json.ts';
import { simulateMonth } from '../../../services/simulate/company.ts';
import type { LogFile } from '../../../services/simulate/log-file.ts';
import { plotOf } from '../../../services/simulate/plot.ts';

const END = Date.parse('2026-03-14T10:20:00Z');
const START = END - 30 * DAY;

const OPERATIONS = `
  CreateKey ReplicateKey CreateAlias UpdateAlias DeleteAlias EnableKey DisableKey EnableKeyRotation
  DisableKeyRotation RotateKey RotateKeyOnDemand ScheduleKeyDeletion CancelKeyDeletion DeleteKey PutKeyPolicy TagResource
  SynchronizeMultiRegionKey GetParametersForImport ImportKeyMaterial DeleteImportedKeyMaterial DeleteExpiredKeyMaterial CreateGrant RetireGrant RevokeGrant
  DisconnectCustomKeyStore ConnectCustomKeyStore DescribeCustomKeyStores PutEventSelectors StopLogging StartLogging DeleteTrail Encrypt
  Decrypt ReEncrypt GenerateDataKey GenerateDataKeyWithoutPlaintext GenerateRandom Sign Verify GenerateMac
  VerifyMac DescribeKey GetKeyPolicy GetKeyRotationStatus ListAliases ListKeys ListGrants ListResourceTags
  ListKeyRotations
`
  .trim()
  .split(/\s+/);

interface Told {
  readonly record: JsonObject;
  readonly time: number;
  readonly file: LogFile;
}

/** What identifies the bytes of the whole output. */
function fingerprint(files: Iterable<LogFile>): string {
  const hash = createHash('sha256');
  for (const file of files) hash.update(`${file.key}\n${file.time}\n${JSON.stringify(file.records)}\n`);
  return hash.digest('hex');
}

describe('the simulated month', () => {
  let files: LogFile[];
  let told: Told[];
  let month: Told[];
  const kms = (list: readonly Told[]): Told[] => list.filter(({ record }) => record['eventSource'] === 'kms.amazonaws.com');
  const named = (operation: string): Told[] => told.filter(({ record }) => record['eventName'] === operation);

  beforeAll(() => {
    files = [...simulateMonth({ seed: 7, end: END })];
    told = files.flatMap((file) => file.records.map((record) => ({ record, file, time: Date.parse(text(record['eventTime'])) })));
    month = told.filter(({ file }) => !file.history);
  });

  it('is the same to the byte for the same seed and end, however it is read', () => {
    const stepwise = function* (): Generator<LogFile> {
      const source = simulateMonth({ seed: 7, end: END });
      const other = simulateMonth({ seed: 8, end: END, days: 3 });
      for (let step = source.next(); !step.done; step = source.next()) {
        // Another month read in between must not leak into this one.
        other.next();
        yield step.value;
      }
    };
    expect(fingerprint(stepwise())).toBe(fingerprint(files));
  });

  it('carries the record versions 1.08 to 1.11', () => {
    expect(new Set(told.map(({ record }) => record['eventVersion']))).toEqual(new Set(['1.08', '1.09', '1.10', '1.11']));
  });

  it('is another month for another seed', () => {
    const few = (seed: number): string => fingerprint([...simulateMonth({ seed, end: END, days: 2 })]);
    expect(few(1)).not.toBe(few(2));
  });

  it('holds at least 20,000 records of KMS and 20 to 40 of other services that concern no key', () => {
    expect(kms(month).length).toBeGreaterThanOrEqual(20_000);
    const others = month.filter(({ record }) => !['kms.amazonaws.com', 'cloudtrail.amazonaws.com'].includes(text(record['eventSource'])));
    expect(others.length).toBeGreaterThanOrEqual(20);
    expect(others.length).toBeLessThanOrEqual(40);
  });

  it('lies between start and end, but for the history, which lies before', () => {
    expect(month.every(({ time }) => time >= START && time <= END)).toBe(true);
    expect(month.every(({ time, file }) => file.time >= time && file.time <= END)).toBe(true);
    const history = told.filter(({ file }) => file.history);
    expect(history.length).toBeGreaterThan(100);
    expect(history.every(({ time, file }) => time < START && file.time > time)).toBe(true);
    expect(Math.min(...history.map(({ time }) => time))).toBeLessThan(END - 420 * DAY);
  });

  it('comes file by file in the order of delivery, history first, each file under its own name', () => {
    expect(files.map((file) => file.time)).toEqual(files.map((file) => file.time).toSorted((a, b) => a - b));
    expect(files.map((file) => file.history)).toEqual(files.map((file) => file.history).toSorted((a, b) => Number(b) - Number(a)));
    expect(new Set(files.map((file) => file.key)).size).toBe(files.length);
    expect(files.every((file) => file.records.length > 0)).toBe(true);
  });

  it('names files in the S3 layout, after the account, Region and day of what is in them', () => {
    const layout =
      /^AWSLogs\/(\d{12})\/CloudTrail\/([a-z]{2}-[a-z]+-\d)\/(\d{4})\/(\d\d)\/(\d\d)\/\1_CloudTrail_\2_\3\4\5T\d{4}Z_[A-Za-z0-9]{16}\.json\.gz$/;
    const misplaced = files.filter((file) => {
      const [, account, region] = layout.exec(file.key) ?? [];
      return !file.records.every((record) => record['recipientAccountId'] === account && record['awsRegion'] === region);
    });
    expect(misplaced.map((file) => file.key)).toEqual([]);
  });

  it('holds no more than about a day: after the history, the first file is made before the second day', () => {
    const source = simulateMonth({ seed: 7, end: END });
    let step = source.next();
    while (!step.done && step.value.history) step = source.next();
    expect(step.done ? Number.POSITIVE_INFINITY : step.value.time).toBeLessThanOrEqual(START + 3 * HOUR);
  });

  it("contains every operation of a key's life", () => {
    const told = new Set(files.flatMap((file) => file.records.map((record) => record['eventName'])));
    expect(OPERATIONS.filter((operation) => !told.has(operation))).toEqual([]);
  });

  it('shows every kind of identity that acts on keys', () => {
    const types = new Set(kms(told).map(({ record }) => (record['userIdentity'] as JsonObject)['type'] ?? 'none'));
    expect(types).toEqual(new Set(['AWSAccount', 'AWSService', 'AssumedRole', 'IAMUser', 'Root', 'none']));
  });

  it('writes every record with identity, ids and a version of its own, and no ids twice but for redeliveries and the corrected record', () => {
    const seen = new Map<string, string[]>();
    for (const { record } of told) {
      expect(record['eventID']).toMatch(/^[0-9a-f-]{36}$/);
      expect(record['eventVersion']).toMatch(/^1\.(08|09|10|11)$/);
      expect(typeof record['readOnly']).toBe('boolean');
      seen.set(text(record['eventID']), [...(seen.get(text(record['eventID'])) ?? []), JSON.stringify(record)]);
    }
    const repeated = [...seen.values()].filter((tellings) => tellings.length > 1);
    expect(repeated.length).toBeGreaterThan(20);
    expect(repeated.filter((tellings) => new Set(tellings).size > 1)).toHaveLength(1);
  });

  it('gives forward access sessions no TLS of the principal, and direct calls TLS 1.3', () => {
    const invoked = kms(month).filter(({ record }) => (record['userIdentity'] as JsonObject)['invokedBy'] !== undefined);
    expect(invoked.filter(({ record }) => record['tlsDetails'] !== undefined)).toEqual([]);
    const direct = kms(month).filter(({ record }) => /^[0-9.]+$/.test(text(record['sourceIPAddress'])));
    expect(direct.length).toBeGreaterThan(1_000);
    expect(direct.every(({ record }) => (record['tlsDetails'] as JsonObject)['tlsVersion'] === 'TLSv1.3')).toBe(true);
  });

  it('uses no key before it exists, and none successfully while it is disabled, pending deletion or gone', () => {
    const created = new Map(
      named('CreateKey')
        .filter(({ record }) => record['errorCode'] === undefined)
        .map(({ record, time }) => [arnOf(record), time]),
    );
    const premature = kms(told).filter(({ record, time }) => time < (created.get(arnOf(record)) ?? 0) - 1_000);
    expect(premature.map(({ record }) => record['eventName'])).toEqual([]);
    const plot = plotOf(END);
    const [lost] = named('DeleteKey');
    const uses = named('Decrypt').filter(({ record, time }) => arnOf(record) === arnOf(lost?.record ?? {}) && time > plot.searchScheduled);
    expect(uses.length).toBeGreaterThan(0);
    expect(new Set(uses.map(({ record }) => record['errorCode']))).toEqual(new Set(['KMSInvalidStateException', 'NotFoundException']));
  });

  it('delivers nothing of KMS from staging while its trail leaves KMS out', () => {
    const { kmsExcluded, kmsIncluded } = plotOf(END);
    const gap = kms(month).filter(
      ({ record, time }) => record['recipientAccountId'] === '444455556666' && time > kmsExcluded && time < kmsIncluded,
    );
    const before = kms(month).filter(
      ({ record, time }) => record['recipientAccountId'] === '444455556666' && time > kmsExcluded - DAY && time < kmsExcluded,
    );
    expect(gap).toHaveLength(0);
    expect(before.length).toBeGreaterThan(20);
  });

  it('keeps people to working hours', () => {
    const weekend = kms(month).filter(({ record, time }) => {
      const arn = text((record['userIdentity'] as JsonObject)['arn']);
      return arn.includes('elena.costa') && [0, 6].includes(new Date(time).getUTCDay());
    });
    expect(weekend).toHaveLength(0);
  });

  it.each([{ days: 0 }, { days: 1.5 }, { scale: 0 }, { fileMinutes: 0 }])('refuses %j', (options) => {
    expect(() => simulateMonth({ seed: 7, end: END, ...options }).next()).toThrow(RangeError);
  });

  it('grows in use, not in stories, with its scale', () => {
    const count = (scale: number): [number, number] => {
      const records = [...simulateMonth({ seed: 7, end: END, days: 8, scale })].flatMap((file) => (file.history ? [] : file.records));
      return [
        records.filter((record) => record['eventName'] === 'Decrypt').length,
        records.filter((record) => record['eventName'] === 'PutKeyPolicy').length,
      ];
    };
    const [[useOnce, storyOnce], [useTwice, storyTwice]] = [count(1), count(2)];
    expect(useTwice / useOnce).toBeGreaterThan(1.7);
    expect(storyTwice).toBe(storyOnce);
  });
});

function arnOf(record: JsonObject): string | undefined {
  const resources = record['resources'] as readonly JsonObject[] | undefined;
  const arn = resources?.find((resource) => text(resource['ARN']).includes(':key/'))?.['ARN'];
  return typeof arn === 'string' ? arn : undefined;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
