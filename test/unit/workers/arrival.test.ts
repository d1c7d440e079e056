import { describe, expect, test } from 'vitest';
import { configSchema } from '../../../services/workers/config.ts';
import { arrivalOf } from '../../../services/workers/arrival.ts';

const QUEUE = { url: 'https://sqs.eu-west-1.amazonaws.com/111122223333/kmswatch' };
const S3 = { s3_trail: { queues: [{ ...QUEUE, buckets: ['logs'] }] } };
const EVENTBRIDGE = { eventbridge: { queues: [QUEUE] } };
const lookup = (mode: string): object => ({
  lookup_events: {
    regions: ['eu-west-1'],
    accounts: [{ account: '111122223333', mode, ...(mode === 'operations' && { operations: ['PutKeyPolicy'] }) }],
  },
});

describe('whether a detector could have fired', () => {
  test.each([
    ['a trail delivers use', S3, ['kms:Decrypt'], 'not-seen'],
    ['EventBridge delivers changes', EVENTBRIDGE, ['kms:PutKeyPolicy'], 'not-seen'],
    ['EventBridge delivers no use', EVENTBRIDGE, ['kms:Decrypt', 'kms:GenerateDataKey'], 'cannot-arrive'],
    ['EventBridge delivers nothing of CloudTrail', EVENTBRIDGE, ['cloudtrail:StopLogging'], 'cannot-arrive'],
    ['some of its events are enough', EVENTBRIDGE, ['kms:Decrypt', 'kms:DisableKey'], 'not-seen'],
    ['event history in mode all', lookup('all'), ['kms:Decrypt'], 'not-seen'],
    ['event history of changes only', lookup('write-only'), ['kms:Decrypt'], 'cannot-arrive'],
    ['event history of named operations', lookup('operations'), ['kms:DisableKey'], 'cannot-arrive'],
    ['event history of the very operation', lookup('operations'), ['kms:PutKeyPolicy'], 'not-seen'],
    ['no live source at all', {}, ['kms:Decrypt'], 'not-seen'],
    ['a detector of coverage', EVENTBRIDGE, [], 'nothing-needed'],
  ])('%s', (_name, sources, events, standing) => {
    expect(arrivalOf({ family: 'deletion', events }, given(sources)).standing).toBe(standing);
  });

  test('what was seen did arrive, whatever the sources; when it was last', () => {
    const seen = new Map([
      ['kms:Decrypt', 5],
      ['kms:Encrypt', 9],
      ['iam:CreateUser', 11],
    ]);
    expect(arrivalOf({ family: 'deletion', events: ['kms:*'] }, { ...given(EVENTBRIDGE), seen })).toMatchObject({
      standing: 'arriving',
      lastSeenAt: 9,
    });
    expect(arrivalOf({ family: 'deletion', events: ['kms:Decrypt'] }, { ...given(EVENTBRIDGE), seen })).toMatchObject({
      standing: 'arriving',
      lastSeenAt: 5,
    });
  });

  test('findings that say that a trail records less are named', () => {
    expect(arrivalOf({ family: 'deletion', events: ['kms:Decrypt'] }, { ...given(S3), blinded: ['kms-events-excluded'] }).reason).toContain(
      'kms-events-excluded',
    );
  });
});

function given(sources: object): Parameters<typeof arrivalOf>[1] {
  return { sources: configSchema.parse({ sources }).sources, seen: new Map(), blinded: [] };
}
