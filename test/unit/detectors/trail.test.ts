import { expect, test } from 'vitest';
import type { StoredEvent } from '../../../services/core/event.ts';
import { trailArguments, trailKey } from '../../../services/detectors/trail.ts';

const event = (trailName: string | undefined): StoredEvent => ({
  eventId: '6f1c8b7e-2d3a-4e5f-8a9b-0c1d2e3f4a5b',
  eventTime: Date.UTC(2026, 1, 3),
  essence: '0'.repeat(16),
  account: '111122223333',
  region: 'eu-west-1',
  service: 'cloudtrail',
  operation: 'StopLogging',
  operationClass: 'control',
  key: null,
  otherKey: null,
  actor: { type: 'iam-user', id: 'arn:aws:iam::111122223333:user/olga', account: '111122223333', name: 'olga' },
  outcome: 'ok',
  errorCode: null,
  callingService: null,
  detail: trailName === undefined ? null : { trailName },
  sessionName: null,
});

test('name and ARN of a trail are the same trail', () => {
  const arn = 'arn:aws:cloudtrail:eu-west-1:111122223333:trail/main';
  expect(trailKey(event(arn))).toEqual(trailKey(event('main')));
});

test('trails of one name in two home Regions or accounts are two', () => {
  expect(trailKey(event('arn:aws-cn:cloudtrail:cn-north-1:111122223333:trail/main'))).toEqual(['111122223333', 'cn-north-1', 'main']);
  expect(trailKey(event('arn:aws:cloudtrail:eu-west-1:444455556666:trail/main'))).toEqual([
    '111122223333',
    'eu-west-1',
    '444455556666:main',
  ]);
});

test('a record without a trail name has a finding of its own', () => {
  expect(trailKey(event(undefined))).toEqual(['111122223333', 'eu-west-1', '(not named)']);
});

test('a hostile trail name does not get into a command', () => {
  expect(trailArguments(event('x; rm -rf ~'))).toBe('--name TRAIL_NAME --region eu-west-1');
});

test('one trail of which two accounts tell has a finding in each of them', () => {
  const arn = 'arn:aws:cloudtrail:eu-west-1:111122223333:trail/main';
  expect(trailKey({ ...event(arn), account: '444455556666' })).not.toEqual(trailKey(event(arn)));
});
