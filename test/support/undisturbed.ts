import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect } from 'vitest';
import { differences, type Dump, dump, violations } from './dump.ts';
import { type Environment, expectSuccess, kmswatch } from './kmswatch.ts';
import { MONTH_AS_OF, temporaryFolder, writeMonth } from './month.ts';
import { testDatabase } from './postgres.ts';

/** The counts of `replay --json`. */
export interface Counts {
  readonly deliveries: number;
  readonly records: number;
  readonly relevant: number;
  readonly new: number;
  readonly duplicates: number;
  readonly conflicts: number;
  readonly quarantined: number;
}

/** The command line of a replay whose result does not depend on when it is made. */
export function replayOf(folder: string): string[] {
  return ['replay', folder, '--as-of', MONTH_AS_OF, '--json'];
}

export function countsOf(stdout: string): Counts {
  const { deliveries, records, relevant, new: fresh, duplicates, conflicts, quarantined } = JSON.parse(stdout) as Counts;
  return { deliveries, records, relevant, new: fresh, duplicates, conflicts, quarantined };
}

/** For tests with many processes, on a machine that has other things to do as well. */
export const TIMEOUT = { timeout: 300_000 };

export interface Month {
  /** Folder with the month's log files. */
  readonly folder: string;
  /** What a replay of them comes to when nothing goes wrong. */
  readonly dump: Dump;
  readonly counts: Counts;
}

/** The month as so many files, and what an undisturbed replay comes to; made once for all tests of a file. */
export function undisturbedMonth(files: number): () => Month {
  let month: Month | undefined;
  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kmswatch-month-'));
    await writeMonth(folder, files);
    await using database = await testDatabase();
    const ended = await kmswatch(replayOf(folder), { DATABASE_URL: database.url });
    expectSuccess(ended);
    expect(await violations(database.url)).toEqual([]);
    month = { folder, dump: await dump(database.url), counts: countsOf(ended.stdout) };
    return () => rm(folder, { recursive: true, force: true });
  });
  return () => {
    if (!month) throw new Error('the month is there when tests run');
    return month;
  };
}

/** That a database holds exactly what an undisturbed replay comes to. Judges anew first, as of the same moment, without reading any log file again. */
export async function expectSame(expected: Dump, environment: Environment & { readonly DATABASE_URL: string }): Promise<void> {
  const ended = await kmswatch(replayOf(await temporaryFolder()), environment);
  expectSuccess(ended);
  expect(await violations(environment.DATABASE_URL)).toEqual([]);
  expect(differences(expected, await dump(environment.DATABASE_URL))).toEqual([]);
}
