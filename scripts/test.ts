/**
 * `npm test`: sets up the system parts that the tests need, then runs the static checks and all tests, and closes with the
 * counts of both together, alone on the last line. Arguments are handed to vitest.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runChecks } from './check.ts';

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** The part of vitest's JSON report that is counted. */
export interface Report {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
  testResults: { status: string; assertionResults: { status: string }[] }[];
}

/** Counts of a run. A file or a run that fails without any failed test (it cannot be loaded, an error escaped) counts as one failure. */
export function countTests(report: Report | null, exitCode: number): Counts {
  if (report === null) return { passed: 0, failed: 1, skipped: 0 };
  const broken = report.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed'),
  );
  const failed = report.numFailedTests + broken.length;
  return {
    passed: report.numPassedTests,
    failed: failed === 0 && exitCode !== 0 ? 1 : failed,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

function run(command: string, args: string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    spawn(command, args, { stdio: 'inherit' })
      .on('error', reject)
      .on('close', (code) => resolve(code ?? 1));
  });
}

async function runTests(args: string[]): Promise<Counts> {
  const folder = mkdtempSync(join(tmpdir(), 'kmswatch-test-'));
  try {
    const path = join(folder, 'report.json');
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${path}`];
    const exitCode = await run(process.execPath, ['scripts/node24.mjs', 'vitest', 'run', ...reporters, ...args]);
    return countTests(readReport(path), exitCode);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function readReport(path: string): Report | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Report;
  } catch {
    return null;
  }
}

async function main(args: string[]): Promise<void> {
  if ((await run('bash', ['scripts/setup-tests.sh'])) !== 0)
    console.log('✗ scripts/setup-tests.sh failed; tests that need what it sets up will fail');
  const checks = await runChecks();
  const tests = await runTests(args);
  const passed = checks.passed + tests.passed;
  const failed = checks.failed + tests.failed;
  const skippedInCi = process.env['CI'] === 'true' && tests.skipped > 0;
  if (skippedInCi) console.log('A skipped test is a failure under CI=true.');
  process.exitCode = failed > 0 || skippedInCi || tests.passed === 0 ? 1 : 0;
  console.log(`${passed} passed, ${failed} failed, ${tests.skipped} skipped`);
}

if (import.meta.main) await main(process.argv.slice(2));
