import { describe, expect, test } from 'vitest';
import { coverageCheck } from '../../../services/cli/checkup.ts';
import { queueCheck } from '../../../services/cli/checkup-sources.ts';
import type { QueueStanding } from '../../../services/sources/sqs/inspect.ts';
import type { SourceStanding } from '../../../services/workers/source-standings.ts';

const SETTINGS = { pollers: 2, max_messages: 10, visibility_seconds: 120, quarantine_after: 10 };
const FINE: QueueStanding = { ready: 3, inFlight: 1, deadLetters: { name: 'dead', maxReceiveCount: 10, messages: 0 } };
const STANDING: SourceStanding = {
  source: 'eventbridge',
  newestEvent: Date.UTC(2026, 2, 1),
  lag: { p50: 5, p95: 60 },
  lastSuccess: Date.UTC(2026, 2, 1),
  channels: 3,
  missingHours: 0,
  lacksReads: false,
  overCapacity: [],
};

describe('a queue', () => {
  test.each([
    ['with a dead-letter queue in order', FINE, SETTINGS, 'ok', null],
    ['whose dead-letter queue may not be asked', { ...FINE, deadLetters: { ...FINE.deadLetters, messages: null } }, SETTINGS, 'ok', null],
    ['without dead-letter queue', { ...FINE, deadLetters: null }, SETTINGS, 'warn', 'RedrivePolicy'],
    ['with dead letters', { ...FINE, deadLetters: { ...FINE.deadLetters, messages: 2 } }, SETTINGS, 'warn', 'quarantine list'],
    [
      'that drops messages before they are kept',
      { ...FINE, deadLetters: { ...FINE.deadLetters, maxReceiveCount: 3 } },
      SETTINGS,
      'warn',
      'maxReceiveCount',
    ],
    ['whose messages are hidden too shortly', FINE, { ...SETTINGS, visibility_seconds: 5 }, 'warn', 'visibility_seconds'],
  ])('%s', (_what, standing, settings, status, mend) => {
    const check = queueCheck('s3-trail', 'a/q@r', { standing: standing as QueueStanding, settings });
    expect(check.status).toBe(status);
    expect(check.message).toContain('about 3 messages wait, 1 in hand');
    expect(check.mend ?? '').toContain(mend ?? '');
    expect(check.mend === null).toBe(mend === null);
  });
});

describe('coverage', () => {
  test('of a source in order says how new and how late it is', () => {
    const check = coverageCheck(STANDING);
    expect(check).toMatchObject({ status: 'ok', mend: null });
    expect(check.message).toBe(
      "eventbridge: 3 accounts and Regions, newest event 2026-03-01 00:00 UTC, last heard 2026-03-01 00:00 UTC; of the last day's events 95 % came within 60 s",
    );
  });

  test.each([
    ['calls that only read', { lacksReads: true }, 'ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS'],
    ['hours', { missingHours: 3 }, '3 hours of the last 7 days are missing'],
    [
      'an account beyond its means',
      { source: 'lookup-events', overCapacity: [{ account: '111122223333', region: 'eu-west-1', eventsPerSecond: 140.4 }] },
      'cannot carry account 111122223333 in eu-west-1: 140 events/s happened, and at most 100 a second can be read. Use s3-trail',
    ],
  ])('of a source that lacks %s says so', (_what, fields, words) => {
    expect(coverageCheck({ ...STANDING, ...fields })).toMatchObject({ status: 'warn', mend: expect.stringContaining(words) });
  });
});
