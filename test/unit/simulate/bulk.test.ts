import { describe, expect, it } from 'vitest';
import { DAY } from '../../../services/core/clock.ts';
import type { JsonObject } from '../../../services/core/json.ts';
import { simulateBulk } from '../../../services/simulate/bulk.ts';

const END = Date.parse('2026-03-14T10:20:00Z');
const bulk = (records: number) => [...simulateBulk({ seed: 3, end: END, records, recordsPerFile: 500 })];

describe('bulk for benchmarks', () => {
  const files = bulk(24_250);
  const records = files.flatMap((file) => file.records);
  const issuer = (record: JsonObject): string =>
    JSON.stringify(((record['userIdentity'] as JsonObject)['sessionContext'] as JsonObject)['sessionIssuer']);

  it('makes exactly as many records as asked for, in files of the size asked for', () => {
    expect(records).toHaveLength(24_250);
    expect(files.slice(0, -1).every((file) => file.records.length === 500)).toBe(true);
    expect(files.at(-1)?.records).toHaveLength(250);
    expect(new Set(files.map((file) => file.key)).size).toBe(files.length);
  });

  it('is the same to the byte for the same options', () => {
    expect(JSON.stringify(bulk(2_000))).toBe(JSON.stringify(bulk(2_000)));
  });

  it('comes in time order and keeps to its seven days', () => {
    expect(files.map((file) => file.time)).toEqual(files.map((file) => file.time).toSorted((a, b) => a - b));
    const times = records.map((record) => Date.parse(text(record['eventTime'])));
    expect(times.every((time) => time <= END && time > END - 7 * DAY - DAY / 48)).toBe(true);
  });

  it('spreads over 8 accounts, 3 Regions, about 150 actors and 400 keys', () => {
    expect(new Set(records.map((record) => record['recipientAccountId'])).size).toBe(8);
    expect(new Set(records.map((record) => record['awsRegion'])).size).toBe(3);
    expect(new Set(records.map(issuer)).size).toBe(152);
    const keys = new Set(
      records.flatMap((record) => ((record['resources'] ?? []) as readonly JsonObject[]).map((resource) => resource['ARN'])),
    );
    expect(keys.size).toBeGreaterThan(350);
    expect(keys.size).toBeLessThanOrEqual(408);
  });

  it('is 99 % use; the rest reads, grants, control calls and failures', () => {
    const use = records.filter(
      (record) => /^(Decrypt|Encrypt|GenerateDataKey)/.test(text(record['eventName'])) && record['errorCode'] === undefined,
    );
    expect(use.length / records.length).toBeGreaterThan(0.985);
    expect(use.length / records.length).toBeLessThan(0.995);
    expect(records.some((record) => record['errorCode'] === 'AccessDenied')).toBe(true);
    const operations = new Set(records.map((record) => record['eventName']));
    expect(['CreateGrant', 'RetireGrant', 'TagResource', 'DescribeKey'].filter((operation) => !operations.has(operation))).toEqual([]);
  });

  it('repeats no event id', () => {
    expect(new Set(records.map((record) => record['eventID'])).size).toBe(records.length);
  });
});

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
