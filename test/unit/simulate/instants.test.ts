import { describe, expect, it } from 'vitest';
import { fileStamp, isoSeconds, kmsDate, laterMoment, workMoment } from '../../../services/simulate/instants.ts';

const at = (text: string): number => Date.parse(text);

describe('moments as CloudTrail and KMS write them', () => {
  it('drop fractions of a second from event times', () => {
    expect(isoSeconds(at('2026-03-02T09:15:07.987Z'))).toBe('2026-03-02T09:15:07Z');
    expect(fileStamp(at('2026-03-02T09:15:07Z'))).toBe('20260302T0915Z');
  });

  it.each([
    ['2022-08-10T22:38:27Z', 'Aug 10, 2022, 10:38:27 PM'],
    ['2025-12-01T00:05:09Z', 'Dec 1, 2025, 12:05:09 AM'],
    ['2025-01-31T12:00:00Z', 'Jan 31, 2025, 12:00:00 PM'],
  ])('write %s as KMS does', (iso, text) => {
    expect(kmsDate(at(iso))).toBe(text);
  });
});

describe('working moments', () => {
  it('stand at the local time of the person', () => {
    expect(isoSeconds(workMoment(at('2026-03-13T00:00:00Z'), 3, { hour: 9, minute: 30, offset: 5.5 }))).toBe('2026-03-10T04:00:00Z');
  });

  it.each([
    ['2026-03-14T12:00:00Z', '2026-03-13'],
    ['2026-03-15T12:00:00Z', '2026-03-16'],
  ])('move from the weekend (%s) to a weekday', (weekend, weekday) => {
    expect(isoSeconds(workMoment(at(weekend), 0, { hour: 10, minute: 0, offset: 0 })).slice(0, 10)).toBe(weekday);
  });

  it('only ever move forward when they follow another one', () => {
    const friday = at('2026-03-13T16:00:00Z');
    expect(isoSeconds(laterMoment(friday, 1, { hour: 9, minute: 0, offset: 0 }))).toBe('2026-03-16T09:00:00Z');
    expect(isoSeconds(laterMoment(friday, 2, { hour: 9, minute: 0, offset: 0 }))).toBe('2026-03-16T09:00:00Z');
  });
});
