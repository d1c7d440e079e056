import { describe, expect, it } from 'vitest';
import { normalize } from '../../../services/normalize/normalize.ts';
import { eventOf, everything, record, run } from './records.ts';

const RECORD = record();
const BARE = eventOf(RECORD);

describe('unwrap', () => {
  it.each([
    ['a LookupEvents item', { EventId: 'x', EventName: 'Decrypt', ReadOnly: 'true', CloudTrailEvent: JSON.stringify(RECORD) }],
    ['an EventBridge message', { version: '0', id: 'b', 'detail-type': 'AWS API Call via CloudTrail', source: 'aws.kms', detail: RECORD }],
    ['an export with the text', { _raw: JSON.stringify(RECORD, null, 2) }],
    ['a CloudWatch Logs event', { id: '36', timestamp: 1_770_000_000_000, message: JSON.stringify(RECORD) }],
    [
      'a log message of an EventBridge message',
      { message: JSON.stringify({ 'detail-type': 'AWS API Call via CloudTrail', detail: RECORD }) },
    ],
  ])('gives from %s the event of the bare record', (_name, envelope) => {
    expect(eventOf(envelope)).toEqual(BARE);
  });

  it('takes no record for an envelope, whatever fields it has', () => {
    expect(eventOf(record({ message: '{}', _raw: '{}', detail: {}, CloudTrailEvent: '{}' }))).toEqual(BARE);
  });

  it('reads bytes behind a byte-order mark and out of the middle of a larger buffer', () => {
    const text = JSON.stringify(RECORD);
    expect(eventOf(`\ufeff${text}`)).toEqual(BARE);
    const large = new Uint8Array(Buffer.from(`xx${text}yy`));
    expect(normalize(large.subarray(2, large.length - 2), everything)).toEqual({ outcome: 'ok', event: BARE, rules: [] });
  });

  it.each([
    ['nothing', '', 'invalid-json'],
    ['half a record', JSON.stringify(RECORD).slice(0, -20), 'invalid-json'],
    ['half a record in an envelope', { CloudTrailEvent: JSON.stringify(RECORD).slice(0, 50) }, 'invalid-json'],
    ['two records', JSON.stringify(RECORD) + JSON.stringify(RECORD), 'invalid-json'],
    ['a number', 42, 'not-a-record'],
    ['null', null, 'not-a-record'],
    ['an array', [RECORD], 'not-a-record'],
    ['some other object', { level: 'info', msg: 'started' }, 'not-a-record'],
    ["another program's log line", { message: 'GET / 200' }, 'not-a-record'],
    ['an EventBridge message of another kind', { 'detail-type': 'Scheduled Event', detail: {} }, 'not-a-record'],
    ['a digest', { digestS3Bucket: 'logs', digestEndTime: '2026-01-01T00:00:00Z', logFiles: [] }, 'digest-file'],
    ['more than 1 MiB', record({ additionalEventData: { filler: 'x'.repeat(1_048_576) } }), 'too-large'],
    ['envelopes without end', nested(6), 'not-a-record'],
  ])('puts %s aside', (_name, input, reason) => {
    expect(run(input)).toMatchObject({ outcome: 'quarantine', reason });
  });

  it('puts bytes aside that are not UTF-8', () => {
    const bytes = Buffer.concat([Buffer.from('{"eventVersion":"1.08","eventSource":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')]);
    expect(normalize(bytes, everything)).toMatchObject({ outcome: 'quarantine', reason: 'invalid-utf8' });
  });

  it.each(['requestParameters', 'additionalEventData', 'anything'])(
    'puts a record aside that nests 257 levels in %s, and keeps 256',
    (field) => {
      const at = (levels: number): string =>
        JSON.stringify(record({ [field]: 'HERE' })).replace('"HERE"', '{"a":'.repeat(levels - 1) + '{}' + '}'.repeat(levels - 1));
      expect(run(at(255)).outcome).toBe('ok');
      expect(run(at(256))).toMatchObject({ outcome: 'quarantine', reason: 'too-deep' });
    },
  );
});

function nested(levels: number): unknown {
  let value: unknown = RECORD;
  for (let level = 0; level < levels; level++) value = { message: JSON.stringify(value) };
  return value;
}
