import { expect, test } from 'vitest';
import { checkClock, checkNode } from '../../../services/cli/checkup.ts';

test.each([
  ['24.3.0', 'ok'],
  ['25.0.0', 'ok'],
  ['24.2.9', 'fail'],
  ['22.20.0', 'fail'],
])('Node %s is %s', (version, status) => {
  expect(checkNode(version).status).toBe(status);
});

test.each([
  [0, 'ok'],
  [-4_999, 'ok'],
  [5_001, 'warn'],
  [-30_000, 'warn'],
  [300_001, 'fail'],
  [-86_400_000, 'fail'],
])('a clock that is %d ms apart is %s, and what is not ok says how to mend it', (skew, status) => {
  const check = checkClock(skew);
  expect(check.status).toBe(status);
  expect(check.mend === null).toBe(status === 'ok');
});
