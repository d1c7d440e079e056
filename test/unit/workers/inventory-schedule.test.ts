import { describe, expect, test } from 'vitest';
import { HOUR, MINUTE } from '../../../services/core/clock.ts';
import { isDue } from '../../../services/workers/inventory-schedule.ts';

const NOW = Date.UTC(2026, 4, 1);
const standing = { account: '1', region: 'r', startedAt: NOW, finishedAt: null, failedAt: null, lastSuccessAt: null };
const due = (more: Partial<typeof standing> | Record<string, number | null>, now = NOW) =>
  isDue({ ...standing, ...more }, { now, everyMs: 24 * HOUR });

describe('an account and Region is read', () => {
  test('at once when it never was, and when its reading was cut off', () => {
    expect(isDue(null, { now: NOW, everyMs: HOUR })).toBe(true);
    expect(due({ startedAt: NOW - HOUR })).toBe(true);
  });

  test('again when so much time has passed since the last one began', () => {
    expect(due({ startedAt: NOW - 23 * HOUR, finishedAt: NOW - 20 * HOUR })).toBe(false);
    expect(due({ startedAt: NOW - 24 * HOUR, finishedAt: NOW - 20 * HOUR })).toBe(true);
  });

  test('again a quarter of an hour after it failed, not before', () => {
    expect(due({ startedAt: NOW - HOUR, failedAt: NOW - 14 * MINUTE })).toBe(false);
    expect(due({ startedAt: NOW - HOUR, failedAt: NOW - 15 * MINUTE })).toBe(true);
  });
});
