import { describe, expect, it } from 'vitest';
import { countTests } from '../../../scripts/test.ts';

const report = { numPassedTests: 3, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0, testResults: [] };
const failedFile = (...statuses: string[]) => ({ status: 'failed', assertionResults: statuses.map((status) => ({ status })) });

describe('the closing line of npm test', () => {
  it('counts passed, failed, skipped and todo tests', () => {
    const mixed = { ...report, numFailedTests: 1, numPendingTests: 2, numTodoTests: 1, testResults: [failedFile('passed', 'failed')] };
    expect(countTests(mixed, 1)).toEqual({ passed: 3, failed: 1, skipped: 3 });
  });

  it('counts a file that cannot be loaded as a failure', () => {
    expect(countTests({ ...report, testResults: [failedFile()] }, 1)).toEqual({ passed: 3, failed: 1, skipped: 0 });
  });

  it('counts an error outside any test as a failure', () => {
    expect(countTests(report, 1)).toEqual({ passed: 3, failed: 1, skipped: 0 });
  });

  it('counts a run that left no report as a failure', () => {
    expect(countTests(null, 0)).toEqual({ passed: 0, failed: 1, skipped: 0 });
  });
});
