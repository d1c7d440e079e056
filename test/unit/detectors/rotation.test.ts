import { describe, expect, test } from 'vitest';
import type { StoredEvent } from '../../../services/core/event.ts';
import rotationDisabled from '../../../services/detectors/rotation/rotation-disabled.ts';
import rotationMissed from '../../../services/detectors/rotation/rotation-missed.ts';
import rotationNotEnabled from '../../../services/detectors/rotation/rotation-not-enabled.ts';
import rotationOverdue from '../../../services/detectors/rotation/rotation-overdue.ts';
import rotationPeriodWeakened from '../../../services/detectors/rotation/rotation-period-weakened.ts';
import { aKey, anEvent, day, judge } from './a-key.ts';

const created = (at: number): StoredEvent =>
  anEvent('CreateKey', at, {
    detail: {
      metadata: {
        keySpec: 'SYMMETRIC_DEFAULT',
        keyUsage: 'ENCRYPT_DECRYPT',
        origin: 'AWS_KMS',
        keyManager: 'CUSTOMER',
        keyState: 'Enabled',
        enabled: true,
        multiRegion: false,
        creationDate: at,
      },
    },
  });
const enabled = (at: number, rotationPeriodInDays?: number): StoredEvent =>
  anEvent('EnableKeyRotation', at, { detail: rotationPeriodInDays === undefined ? {} : { rotationPeriodInDays } });
const rotated = (at: number): StoredEvent =>
  anEvent('RotateKey', at, { detail: { rotationType: 'AUTOMATIC', keyMaterialId: 'b'.repeat(64) } });

describe('state detectors begin when it became true and last until the moment of judging', () => {
  test('rotation-overdue: on the day after maximum age and grace', () => {
    const subject = aKey([created(day(0)), enabled(day(0) + 1)]);
    expect(judge(rotationOverdue, subject, { asOf: day(372) })).toEqual([]);
    expect(judge(rotationOverdue, subject, { asOf: day(380) })[0]).toMatchObject({
      firstSeen: day(372),
      lastSeen: day(380),
      occurrences: 1,
      details: { age_days: 380 },
    });
  });

  test('rotation-overdue: a key that was disabled on that day begins with its enabling', () => {
    const subject = aKey([created(day(0)), anEvent('DisableKey', day(300)), anEvent('EnableKey', day(390))]);
    expect(judge(rotationOverdue, subject, { asOf: day(395) })[0]?.firstSeen).toBe(day(390));
  });

  test('rotation-not-enabled: when rotation became known to be off, or the key was enabled again', () => {
    const events = [created(day(0)), enabled(day(1)), anEvent('DisableKeyRotation', day(50))];
    expect(judge(rotationNotEnabled, aKey(events), { asOf: day(60) })[0]).toMatchObject({ firstSeen: day(50), lastSeen: day(60) });
    const disabled = [...events, anEvent('DisableKey', day(51)), anEvent('EnableKey', day(55))];
    expect(judge(rotationNotEnabled, aKey(disabled), { asOf: day(60) })[0]?.firstSeen).toBe(day(55));
  });

  test('rotation-missed: at the end of period and grace, counted from the later of switching on and last rotation', () => {
    const subject = aKey([created(day(0)), enabled(day(10), 90), rotated(day(100))]);
    expect(judge(rotationMissed, subject, { asOf: day(197) })).toEqual([]);
    expect(judge(rotationMissed, subject, { asOf: day(200) })[0]).toMatchObject({ firstSeen: day(197), lastSeen: day(200) });
  });

  test('rotation-missed: a key enabled after its due date has the grace from there', () => {
    const subject = aKey([created(day(0)), enabled(day(0) + 1, 90), anEvent('DisableKey', day(50)), anEvent('EnableKey', day(150))]);
    expect(judge(rotationMissed, subject, { asOf: day(156) })).toEqual([]);
    expect(judge(rotationMissed, subject, { asOf: day(158) })[0]?.firstSeen).toBe(day(157));
  });
});

describe('what is unknown or does not apply matches nothing', () => {
  test.each([
    ['nothing known', []],
    ['a pending deletion', [created(day(0)), anEvent('ScheduleKeyDeletion', day(1))]],
    ['a deleted key', [created(day(0)), anEvent('DeleteKey', day(1))]],
    ['a disabled key', [created(day(0)), anEvent('DisableKey', day(1))]],
    ['a policy change alone', [anEvent('PutKeyPolicy', day(0), { detail: { policy: '{}' } })]],
    [
      'failed calls',
      [
        anEvent('CreateKey', day(0), { outcome: 'denied', errorCode: 'AccessDenied' }),
        anEvent('DisableKeyRotation', day(1), { outcome: 'denied', errorCode: 'AccessDenied' }),
      ],
    ],
  ])('%s', (_name, events) => {
    for (const detector of [rotationOverdue, rotationNotEnabled, rotationMissed])
      expect(judge(detector, aKey(events), { asOf: day(900) })).toEqual([]);
  });

  test('rotation-overdue: material of unknown age, although rotation is known', () => {
    expect(judge(rotationOverdue, aKey([enabled(day(0))]), { asOf: day(900) })).toEqual([]);
  });
});

describe('rotation-disabled', () => {
  test('is resolved by the end of the key, and opens again after it was mended', () => {
    const off = (at: number) => anEvent('DisableKeyRotation', at);
    expect(judge(rotationDisabled, aKey([off(day(1)), anEvent('DeleteKey', day(40))]))[0]).toMatchObject({
      open: false,
      resolvedAt: day(40),
    });
    expect(judge(rotationDisabled, aKey([off(day(1)), enabled(day(2)), off(day(3))]))[0]).toMatchObject({ open: true, occurrences: 2 });
  });
});

describe('rotation-period-weakened', () => {
  const last = (...periods: (number | undefined)[]) =>
    judge(rotationPeriodWeakened, aKey(periods.map((period, n) => enabled(day(n), period))))[0];

  test('a first period within policy, and every shorter one, is fine', () => {
    expect(last(365)).toBeUndefined();
    expect(last(365, 180, 90, 90)).toBeUndefined();
  });

  test('steps are measured against the period before the first of them', () => {
    expect(last(90, 120, 150)).toMatchObject({ open: true, occurrences: 2 });
    expect(last(90, 150, 120)).toMatchObject({ open: true, occurrences: 1 });
    expect(last(90, 150, 120, 90)).toMatchObject({ open: false, resolvedAt: day(3) });
  });

  test('switching on again without a period is a period of 365 days', () => {
    expect(last(180, undefined)).toMatchObject({ details: { period_days: 365, period_days_before: 180 } });
  });
});
